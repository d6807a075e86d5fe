"""What tests saw of a mutant that they let pass: its largest deviation, against the tolerance that allowed it.

In numeric code tighter tolerances catch more than further tests do. So the judge is asked once more, with judge halves
in which each comparison also notes how far apart its sides are, about a mutant's values and about the right solution's.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Self

from tito.author.proof import Survival
from tito.course.python_source import parsed
from tito.errors import JudgeFailed
from tito.grade.graded_notebook import as_json
from tito.grade.observe import Observations, observe
from tito.grade.verdicts import is_complete
from tito.judge.judge import Judge, Question, halves_of
from tito.models import Section
from tito.plan.plan import AssignmentPlan
from tito.plan.sandbox_specs import Sandboxes
from tito.repair.read_notebook import ReadNotebook

COMPARING = ("allclose", "isclose", "assert_allclose")
MAGNITUDES = frozenset(("abs", "absolute", "fabs", "max", "norm", "nanmax"))
LONGEST_LINE = 110
Noted = dict[tuple[str, str], tuple[float, float]]  # by test and line: deviation and tolerance


@dataclass(frozen=True)
class Seen:
    """What tests saw of a solution: values of each section by test, packed, and how near each line came to no."""

    values: dict[tuple[str, int], dict[str, Any]]
    noted: Noted


class Survivors:
    """Observes solutions once more, one after another. A context manager."""

    def __init__(self, plan: AssignmentPlan, sandboxes: Sandboxes) -> None:
        self._plan = plan
        self._sandboxes = sandboxes
        self._right: dict[str, Seen] = {}
        self._judge = Judge(sandboxes.judges, halves_of(plan.notebooks))

    def survival(
        self, solution: str, right: Mapping[str, Any], mutant: Mapping[str, Any], own: frozenset[str]
    ) -> Survival | None:
        """What came nearest to catching a mutant of a solution; a test of its exercise's `own`, where one saw any of
        it. None: it could not be looked at.
        """
        try:
            if solution not in self._right:
                self._right[solution] = self._seen(right)
            return _survival(self._right[solution], self._seen(mutant), own)
        except JudgeFailed:
            self._judge.renew()
            return None

    def _seen(self, notebooks: Mapping[str, Any]) -> Seen:
        values: dict[tuple[str, int], dict[str, Any]] = {}
        noted: Noted = {}
        for plan in self._plan.notebooks:
            file = f"{plan.name}.ipynb"
            read = self._judge.read({file: plan}, {file: as_json(notebooks[plan.name]).encode()})[file]
            if isinstance(read, ReadNotebook):
                observations = observe(self._sandboxes.notebooks, plan, read, self._judge)
                values |= _values(observations)
                noted |= dict(self._notes(observations))
        return Seen(values, noted)

    def _notes(self, observations: Observations) -> Iterator[tuple[tuple[str, str], tuple[float, float]]]:
        for name, results in observations.tests.items():
            for section, plan, ran in results:
                if plan is None or not is_complete(ran):
                    continue
                question = Question(noting(section), plan, ran.observed, ran.measured, name)
                for line, deviation, tolerance in _told(self._judge.judgement(question).detail):
                    yield (name, line), (deviation, tolerance)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._judge.close()


def _told(detail: str) -> list[tuple[str, float, float]]:
    """What a judge half that notes says at its end; nothing where it has not come so far."""
    try:
        return [(str(line), float(deviation), float(tolerance)) for line, deviation, tolerance in json.loads(detail)]
    except (ValueError, TypeError):
        return []


def _values(observations: Observations) -> dict[tuple[str, int], dict[str, Any]]:
    """Each observed value as its text and bytes: whether two differ is all that is asked."""
    return {
        (name, number): {key: _plain(value) for key, value in ran.values.items()}
        for name, results in observations.tests.items()
        for number, (_, plan, ran) in enumerate(results)
        if plan is not None and is_complete(ran)
    }


def _plain(value: Any) -> Any:
    """A value that can be compared with `==`, types and all."""
    if hasattr(value, "tobytes"):
        return str(value.dtype), value.shape, value.tobytes()
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value).__name__, [*map(_plain, value)]
    return type(value).__name__, repr(value)


def _survival(right: Seen, mutant: Seen, own: frozenset[str]) -> Survival:
    differs: dict[str, list[str]] = {}
    for place, values in mutant.values.items():
        usual = right.values.get(place, {})
        for name in values:
            if values[name] != usual.get(name):
                differs.setdefault(place[0], []).append(name)
    names = {test: tuple(dict.fromkeys(observed)) for test, observed in differs.items()}
    nearest = sorted(
        (
            (test in own, deviation / tolerance, test, line, deviation, tolerance)
            for (test, line), (deviation, tolerance) in mutant.noted.items()
            if test in names and tolerance > 0 and deviation != right.noted.get((test, line), (deviation, 0.0))[0]
        ),
        reverse=True,
    )
    if nearest:
        _, _, test, line, deviation, tolerance = nearest[0]
        usual_deviation = right.noted[test, line][0]
        return Survival(test, line, deviation, tolerance, usual_deviation, names[test])
    test = next((test for test in sorted(names, key=lambda test: test not in own)), "")
    return Survival(test, differs=names.get(test, ()))


# ---- judge halves that note ----------------------------------------------------------------------------------


@cache
def noting(section: Section) -> Section:
    """The same section, whose judge half says no at its end, and with that what it has noted. Named checks are run as
    what they are a part of."""
    parts = "\n".join(filter(None, (section.judge, *(check.source for check in section.checks))))
    tree = parsed(parts)
    noting_tree = ast.fix_missing_locations(_Noting(parts).visit(tree))
    helpers = (
        (Path(__file__).with_name("comparisons.py")).read_text(encoding="utf-8").partition("import annotations")[2]
    )
    source = f"{helpers}\n{ast.unparse(noting_tree)}\nraise AssertionError(_noted())\n"
    return replace(section, judge=source, checks=(), measured="")


class _Noting(ast.NodeTransformer):
    """Puts calls that note in the place of comparisons."""

    def __init__(self, source: str) -> None:
        self._lines = source.split("\n")
        self._line = ""

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        condition = " ".join(ast.unparse(node.test).split())
        self._line = condition if len(condition) <= LONGEST_LINE else f"{condition[:LONGEST_LINE]}…"
        node.test = self.visit(node.test)
        node.msg = None
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name = _last_name(node.func)
        line = self._line or " ".join(ast.unparse(node).split())[:LONGEST_LINE]
        self.generic_visit(node)
        if name in COMPARING and len(node.args) >= 2 and not any(isinstance(each, ast.Starred) for each in node.args):
            noted = [ast.Constant(line), ast.Constant(name), node.func, *node.args]
            return ast.Call(ast.Name("_compared", ast.Load()), noted, node.keywords)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if len(node.ops) == 1 and isinstance(node.ops[0], ast.Lt | ast.LtE) and _is_magnitude(node.left):
            is_strict = ast.Constant(isinstance(node.ops[0], ast.Lt))
            arguments = [ast.Constant(self._line), node.left, node.comparators[0], is_strict]
            return ast.Call(ast.Name("_bounded", ast.Load()), arguments, [])
        return node


def _is_magnitude(node: ast.expr) -> bool:
    """Whether it says how far apart two things are."""
    calls = (each for each in ast.walk(node) if isinstance(each, ast.Call))
    return any(_last_name(call.func) in MAGNITUDES for call in calls)


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
