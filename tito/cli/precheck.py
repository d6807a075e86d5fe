"""The command that runs the worker of prechecks."""

from __future__ import annotations

import click


@click.command()
def precheck() -> None:
    """Run the visible tests of what is handed in, as JupyterHub starts it: with its settings in the environment.

    TITO_EXCHANGE_URL, TITO_PRECHECK_COURSES and JUPYTERHUB_API_TOKEN, the token of a service of the hub that the
    exchange counts in the group precheck-<course>; see book/how-to/prechecks.md.
    """
    from tito.precheck.worker import main

    main()
