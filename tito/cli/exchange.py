"""Commands of the exchange: serve, audit."""

from __future__ import annotations

import click

from tito.cli.common import Settings, json_option, print_json, say
from tito.cli.groups import CommandGroup
from tito.errors import GateFailed, UsageError


@click.group(cls=CommandGroup)
def exchange() -> None:
    """Run the exchange as a service of a JupyterHub, and audit all that it holds."""


@exchange.command()
def serve() -> None:
    """Run the exchange service, as JupyterHub starts it: with its settings in the environment.

    JUPYTERHUB_API_URL, JUPYTERHUB_SERVICE_URL and JUPYTERHUB_SERVICE_PREFIX come from the hub, TITO_EXCHANGE_ROOT,
    _DB, _STORE and _SERVICES from whoever set it up.
    """
    from tito.exchange.server.service import main

    main()


@exchange.command()
@click.option("--sweep", "sweeps", is_flag=True, help="Then take away what nothing refers to, if it is an hour old.")
@json_option
@click.pass_obj
def audit(settings: Settings, sweeps: bool, as_json: bool) -> None:
    """Read all that the exchange holds, and compare it with what it has acknowledged.

    Of the course's own exchange, or, with TITO_EXCHANGE_ROOT (and _DB, _STORE) set, of a service's, which may be at
    work. With something missing or damaged, nothing is taken away.
    """
    import os
    from dataclasses import asdict

    from tito.exchange.server.audit import audit as audited
    from tito.exchange.server.audit import sweep
    from tito.exchange.server.local import open_local
    from tito.exchange.server.service import ROOT_VARIABLE, load_settings, open_ledger

    if ROOT_VARIABLE in os.environ:
        ledger = open_ledger(load_settings(os.environ), sweep=False)
    else:
        course = settings.course()
        if course.exchange_kind != "service" or course.exchange_url:
            hint = f"Run it on the service's machine, with {ROOT_VARIABLE} set as the service has it."
            raise UsageError("This course has no exchange of its own here.", hint=hint)
        ledger = open_local(course.exchange_root)
    try:
        result = audited(ledger)
        swept = sweep(ledger) if sweeps and not result.problems else None
    finally:
        ledger.close()
    if as_json:
        print_json(asdict(result) | {"swept": asdict(swept) if swept else None})
    for problem in result.problems:
        say(f"PROBLEM: {problem}")
    say(
        f"{result.releases} releases, {result.submissions} submissions, {result.feedback} times feedback in "
        f"{result.blobs} blobs; {result.unused_blobs} blobs that nothing refers to."
    )
    if swept is not None:
        say(f"{swept.blobs} blobs of {swept.size / (1 << 20):.1f} MiB were taken away.")
    if result.problems:
        raise GateFailed(f"{len(result.problems)} things are missing or damaged.", hint="Restore them from a backup.")
