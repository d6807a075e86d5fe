"""Two habits that ruff has no rule for: names that tell nothing, and functions that are too long to be read at once.

    .venv/bin/python scripts/names.py [--places]

Every name that is bound is counted: what is assigned to, parameters, targets of `for`, `with`, `except`, `case` and
comprehensions. A filler says nothing about what it holds; among all names they may be FILLER_LIMIT. No function is
longer than LONGEST lines, from its `def` to its end.

All Python files of the project are looked at, modules of the course and their simulated students too, but not
`tests/cases` and `tests/foreign/courses`: what is handed in there is a measured corpus, whose text stays as it is.
Migrations say what becomes of a database step by step, and may be long. A simulated student's file that is no Python is
left out: that is what it shows.
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILLERS = ("one", "found", "made", "given", "told", "said", "kept")
FILLER_LIMIT = 0.01
LONGEST = 60
CORPUS = ("tests/cases/", "tests/foreign/courses/")
SIMULATED = "variants/"
MIGRATIONS = "tito/exchange/server/migrations/"
WORST = 10  # files that are listed


@dataclass(frozen=True)
class Place:
    """A line of a file, by its path in the project, and the name that stands there."""

    path: str
    line: int
    name: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.name}"


def bound_names(tree: ast.AST, path: str = "") -> Iterator[Place]:
    """Each name that is bound in a file, as often as it is; not those of imports, functions and classes."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield Place(path, node.lineno, name)
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield Place(path, node.lineno, name)


def long_functions(tree: ast.AST, path: str = "") -> Iterator[Place]:
    """Functions of more than LONGEST lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            lines = node.end_lineno - node.lineno + 1
            if lines > LONGEST and not path.startswith(MIGRATIONS):
                yield Place(path, node.lineno, f"{node.name} has {lines} lines")


def python_files(root: Path) -> list[str]:
    """The project's Python files, whether they are committed or not, by their paths in it."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
    listing = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=True).stdout
    return sorted(path for path in listing.splitlines() if not path.startswith(CORPUS) and (root / path).exists())


def parse(path: str) -> ast.Module:
    """What a file says; nothing where a simulated student's cannot be parsed."""
    try:
        return ast.parse((ROOT / path).read_text(encoding="utf-8"), path)
    except SyntaxError:
        if path.startswith(SIMULATED):
            return ast.Module([], [])
        raise


def most_fillers(fillers: list[Place], names: list[Place]) -> list[str]:
    """A line for each of the files that have the most."""
    paths = [place.path for place in fillers]
    worst = sorted(set(paths), key=lambda path: (-paths.count(path), path))[:WORST]
    return [f"  {paths.count(path):4} of {sum(place.path == path for place in names):4}  {path}" for path in worst]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Names that tell nothing, and functions that are too long.")
    parser.add_argument("--places", action="store_true", help="list every place of a filler")
    options = parser.parse_args(arguments)
    trees = {path: parse(path) for path in python_files(ROOT)}
    names = [place for path, tree in trees.items() for place in bound_names(tree, path)]
    fillers = [place for place in names if place.name in FILLERS]
    too_long = [place for path, tree in trees.items() for place in long_functions(tree, path)]
    share = len(fillers) / len(names)
    print(f"{len(fillers)} of {len(names)} bound names are fillers: {share:.2%}, at most {FILLER_LIMIT:.0%}")
    print(*(fillers if options.places else most_fillers(fillers, names)), sep="\n")
    print(f"{len(too_long)} functions of more than {LONGEST} lines", *too_long, sep="\n  ")
    return int(share > FILLER_LIMIT or bool(too_long))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
