"""Commands on an assignment before students have it: check, release, export."""

from __future__ import annotations

import dataclasses

import click

from tito.cli.common import (
    Settings,
    json_option,
    module_argument,
    print_json,
    sandbox_option,
    say,
    workers_option,
)
from tito.course.course import Assignment, Course
from tito.errors import GateFailed
from tito.models import Gate, GateReport


@click.command()
@module_argument
@click.option("--fast", is_flag=True, help="Leave out the simulated students and forged values.")
@json_option
@sandbox_option
@workers_option
@click.pass_obj
def check(settings: Settings, module: str, *, fast: bool, as_json: bool, sandbox: str | None, workers: int) -> None:
    """Prove that a module is fit for release: every gate, one line each."""
    course, assignment = settings.course_and_assignment(module)
    report = gates_of(course, assignment, sandbox, workers, quiet=as_json, fast=fast)
    if as_json:
        print_json(dataclasses.asdict(report) | {"ok": report.ok})
    require(report, quiet=as_json)


@click.command()
@module_argument
@click.option("--exchange/--no-exchange", default=True, help="Hand the release to the exchange, or only build it.")
@sandbox_option
@workers_option
@click.pass_obj
def release(settings: Settings, module: str, *, exchange: bool, sandbox: str | None, workers: int) -> None:
    """Check a module, build what students get, and hand it to the exchange."""
    from tito.author.release import publish
    from tito.bridge.exchange_actions import hand_to_exchange, require_exchange
    from tito.grade.cohort import prepare
    from tito.sandbox.backends import backend

    course, assignment = settings.course_and_assignment(module)
    if exchange:
        require_exchange(course)
    require(gates_of(course, assignment, sandbox, workers, quiet=False, for_release=True))
    folder = publish(course, assignment)
    prepare(course, assignment, backend(sandbox or course.sandbox.backend))
    say(f"Released {assignment.id} to {folder}.")
    if exchange:
        hand_to_exchange(course, assignment)
        say(f"Handed it to the exchange {course.exchange_place}: students of course '{course.id}' can fetch it.")


@click.command()
@module_argument
@click.option(
    "--check", "only_check", is_flag=True, help="Write nothing; fail where the file is not what the source says."
)
@click.pass_obj
def export(settings: Settings, module: str, *, only_check: bool) -> None:
    """Write a module's package file of the reference from its source."""
    from tito.author.export import export as write
    from tito.author.export import require_exported

    course, assignment = settings.course_and_assignment(module)
    if only_check:
        say(f"{require_exported(course, assignment)} is what the source says.")
    else:
        say(f"Wrote {write(course, assignment)}.")


def gates_of(
    course: Course,
    assignment: Assignment,
    sandbox: str | None,
    workers: int,
    *,
    quiet: bool,
    for_release: bool = False,
    fast: bool = False,
) -> GateReport:
    """Run the gates, with a line for each as it ends."""
    from tito.author.gates import run_gates
    from tito.sandbox.backends import backend

    def progress(gate: Gate) -> None:
        if not quiet:
            say(line(gate))

    chosen = backend(sandbox or course.sandbox.backend)
    return run_gates(course, assignment, chosen, workers=workers, for_release=for_release, fast=fast, progress=progress)


def line(gate: Gate) -> str:
    """One gate as a line of text."""
    where = f" [{gate.where}]" if gate.where else ""
    hint = f" {gate.hint}" if gate.hint and (gate.warning or not gate.ok) else ""
    mark = "warn" if gate.warning else "ok  " if gate.ok else "FAIL"
    return f"{mark}  {gate.name}{where}: {gate.detail}.{hint}".replace("..", ".")


def require(report: GateReport, *, quiet: bool = False) -> None:
    """Raise unless every gate held, after all that did not has been told together, unless `quiet`.

    Raises:
        GateFailed: says how many did not.
    """
    failed = [gate for gate in report.gates if not gate.ok]
    if failed:
        if not quiet:
            say(findings(failed))
        raise GateFailed(
            f"{report.subject}: {len(failed)} of {len(report.gates)} gates failed.", hint="Nothing was released."
        )


def findings(failed: list[Gate]) -> str:
    """What is to be mended: cell, what and where, and what to do."""
    lines = [f"\n{len(failed)} to mend:"]
    for number, gate in enumerate(failed, 1):
        lines.append(f"{number:>3}. {gate.where or gate.name}" + (f" · {gate.name}" if gate.where else ""))
        lines += [f"     {gate.detail}", *([f"     → {gate.hint}"] if gate.hint else [])]
    return "\n".join([*lines, ""])
