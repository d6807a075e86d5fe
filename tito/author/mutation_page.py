"""A page of a module's proof: solutions, their lines coloured by what tests caught of what was made wrong in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from tito.author.proof import Caught, MutantRecord, Proof, Share

TEMPLATES = Path(__file__).with_name("templates") / "mutation"


@dataclass(frozen=True)
class Line:
    """A line of a solution, and the mutants that change it first."""

    number: int
    text: str
    mutants: tuple[MutantRecord, ...]

    @property
    def caught(self) -> int:
        return sum(each.is_caught for each in self.mutants)

    @property
    def colour(self) -> str:
        """The worst that became of its mutants."""
        if any(not each.is_caught and not each.is_marked for each in self.mutants):
            return "not"
        if any(each.caught is Caught.OTHERS for each in self.mutants):
            return "others"
        return "mark" if any(each.is_marked for each in self.mutants) else "own"


@dataclass(frozen=True)
class CellOfPage:
    """A cell of one of the solutions."""

    name: str
    solution: str
    is_first: bool  # of its exercise
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Row:
    """What became of an exercise's mutants."""

    name: str
    tests: tuple[str, ...]
    mutants: int
    own: Share
    survivors: int
    marked: int


def rows_of(proof: Proof) -> list[Row]:
    """A row for each exercise."""
    rows = []
    for name, tests in proof.own.items():
        mutants = [each for each in proof.mutants if each.cell == name]
        survivors = sum(not (each.is_caught or each.is_marked) for each in mutants)
        marked = sum(each.is_marked for each in mutants)
        rows.append(Row(name, tests, len(mutants), proof.caught_by_own(name), survivors, marked))
    return rows


def page_of(proof: Proof, texts: Iterable[tuple[str, str, str]]) -> str:
    """The page as HTML; `texts` are the solutions' cells: of which solution, their names, and what is written there."""
    by_line: dict[tuple[str, str, int], list[MutantRecord]] = {}
    for each in proof.mutants:
        by_line.setdefault((each.solution, each.cell, each.line), []).append(each)
    cells = []
    exercises = list(proof.own)
    ordered = sorted((text for text in texts if text[1] in exercises), key=lambda text: exercises.index(text[1]))
    for at, (solution, name, text) in enumerate(ordered):
        lines = tuple(
            Line(number, line, tuple(by_line.get((solution, name, number), ())))
            for number, line in enumerate(text.split("\n"), 1)
        )
        cells.append(CellOfPage(name, solution, at == 0 or ordered[at - 1][1] != name, lines))
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("page.html.j2").render(
        proof=proof,
        style=(TEMPLATES / "page.css").read_text(encoding="utf-8"),
        shortfalls=list(proof.shortfalls()),
        exercises=rows_of(proof),
        cells=cells,
    )
