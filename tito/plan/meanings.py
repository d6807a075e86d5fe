"""What names in tests mean where students have given them another meaning, told from the instructor's cells alone."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from tito.course.cells import Cell
from tito.course.python_source import Source
from tito.models import SectionNames
from tito.plan.magics import WORD
from tito.plan.names import BUILTINS, flow_of, names_of

# `super` has to be called so; what replaces a built-in function in its module means to be called in its place.
NO_ALIAS = frozenset(("super", "__debug__"))
REPLACES = "builtins"


@dataclass(frozen=True)
class Meanings:
    """Names that the instructor's cells set: those of `tests`, and all `others`. `star`: one imports all there is."""

    tests: frozenset[str]
    others: frozenset[str]
    star: bool

    @staticmethod
    def of(cells: Iterable[Cell]) -> Meanings:
        """Those of a source notebook's cells."""
        tests, others = set[str](), set[str]()
        star = False
        for cell in cells:
            if cell.is_code:
                (tests if cell.is_test else others).update(_bound(cell.code))
                star = star or "import *" in cell.source
        return Meanings(frozenset(tests), frozenset(others), star)

    def in_section(self, text: str) -> SectionNames:
        """What names mean in a section of a test."""
        source = Source(text)
        if flow_of(source) is None:
            return SectionNames()
        names = names_of(source)
        own = frozenset() if self.star or REPLACES in text else BUILTINS - NO_ALIAS - _stored(source)
        pythons = {name for name in (names.read & own) - self.tests - self.others if not name.startswith("_")}
        of_tests = (names.read & self.tests) - self.others
        return SectionNames(_sorted(pythons), _sorted(names.bound & self.others), _sorted(of_tests))


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


def _bound(source: Source) -> frozenset[str]:
    """Names that a cell may set; of one that is no plain Python, every word in it."""
    flow = flow_of(source)
    return flow.bound if flow is not None else frozenset(WORD.findall(source.text))


def _stored(source: Source) -> frozenset[str]:
    """Names that a source sets in any scope: parameters of its functions too."""
    names = set[str]()
    for node in source.nodes:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            names.update(node.names)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            names.add(node.name)
    return frozenset(names)
