"""The command on a module's mutants: mutate."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tito.cli.common import (
    ProgressBar,
    Settings,
    json_option,
    module_argument,
    print_json,
    print_table,
    print_text,
    sandbox_option,
    say,
    workers_option,
)
from tito.errors import GateFailed

if TYPE_CHECKING:
    from tito.author.proof import Proof


@click.command()
@module_argument
@click.option("--again", is_flag=True, help="Grade all mutants anew, whatever is known of them.")
@click.option(
    "--page",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write the page (default: gradebook/mutation/NN_name.html in the course folder).",
)
@json_option
@sandbox_option
@workers_option
@click.pass_obj
def mutate(
    settings: Settings,
    module: str,
    *,
    again: bool,
    page: Path | None,
    as_json: bool,
    sandbox: str | None,
    workers: int,
) -> None:
    """Prove that a module's tests catch wrong solutions.

    Solutions that are right are made wrong, a line at a time, and graded. What tests let pass is shown with the
    tolerance that allowed it. The proof is kept in variants/NN_name/proof.json, which 'tito check' and 'tito release'
    read. A run that was stopped goes on where it was.
    """
    from tito.author.mutation import Progress, run_mutation, solution_cells
    from tito.author.mutation_page import page_of
    from tito.author.proof import proof_path, read_proof, write_proof
    from tito.sandbox.backends import backend

    course, assignment = settings.course_and_assignment(module)
    chosen = backend(sandbox or course.sandbox.backend)
    with ProgressBar() as bar:
        proof = run_mutation(
            course,
            assignment,
            chosen,
            workers=workers,
            progress=Progress(bar.start, bar.advance),
            proof=None if again else read_proof(course, assignment),
            again=again,
        )
    write_proof(course, assignment, proof)
    target = page or course.gradebook_dir / "mutation" / f"{assignment.id}.html"
    target.parent.mkdir(parents=True, exist_ok=True)
    cells = ((each.solution, each.name, each.text) for each in solution_cells(course, assignment))
    target.write_text(page_of(proof, cells), encoding="utf-8")
    shortfalls = list(proof.shortfalls())
    if as_json:
        facts = [dataclasses.asdict(each) | {"caught": each.caught.value} for each in proof.mutants]
        print_json(dataclasses.asdict(proof) | {"mutants": facts, "ok": not shortfalls, "below": shortfalls})
    else:
        print_proof(proof)
    say(f"Kept in {proof_path(course, assignment)}; to look at: {target}.")
    if shortfalls:
        for where, what in shortfalls:
            say(f"below the bar: {f'{where}: ' if where else ''}{what}")
        raise GateFailed(
            f"{assignment.id}: {len(shortfalls)} shortfalls.", hint="Mend the tests that let mutants pass."
        )


def print_proof(proof: Proof) -> None:
    """A table of exercises, and each survivor with what let it pass."""
    from tito.author.mutation_page import rows_of

    for number, survivor in enumerate(proof.survivors, 1):
        print_text(f"{number:>3}. {survivor.solution}, {survivor.cell}, line {survivor.line} ({survivor.operator})")
        print_text("\n".join(f"     {line}" for line in survivor.diff.split("\n")))
        print_text(f"     {survivor.remark}\n     ### EQUIVALENT {survivor.digest}: reason\n")
    rows = [
        [row.name, *map(str, (row.mutants, row.own.part, f"{row.own.ratio:.0%}", row.survivors, row.marked))]
        for row in rows_of(proof)
    ]
    print_table(proof.module, ["exercise", "mutants", "by own", "share", "not caught", "marked"], rows)
    print_text(f"\n{proof.summary}, in {proof.seconds:.0f} s.")
