"""What tests find of what hidden sections before them have made: which statements are run again, and where."""

from __future__ import annotations

from types import FunctionType
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbgrader_cells import facts_of

from tito.course.cells import read_cells
from tito.models import Section
from tito.plan.hidden_names import HiddenNames
from tito.plan.planning import plan_notebook
from tito.plan.test_cell import sections


def cell(source: str, grade_id: str = "", kind: str = "test") -> Any:
    node = nbformat.v4.new_code_cell(source)
    if grade_id:
        kinds = {"grade": kind == "test", "solution": kind == "solution", "locked": kind == "test"}
        node.metadata["nbgrader"] = facts_of(grade_id, points=1, **kinds)
    return node


def hidden(source: str) -> str:
    return f"### BEGIN HIDDEN TESTS\n{source}\n### END HIDDEN TESTS"


def planned(*cells: Any) -> dict[str, list[Section]]:
    """Sections of each test, as they are run."""
    names, tests = HiddenNames(), {}
    for each in read_cells(cells):
        if each.is_test:
            tests[each.grade_id] = list(names.in_test(each.grade_id, sections(each.source, each.grade_id)))
        else:
            names.follow(each)
    return tests


def second(first: str, *between: Any, then: str) -> Section:
    """The section of a test that comes after one with that hidden section."""
    tests = planned(cell(f"assert f(1)\n{hidden(first)}", "first"), *between, cell(then, "second"))
    return tests["second"][-1]


IMPORT = "from numpy.testing import assert_allclose, assert_equal as same"


@pytest.mark.parametrize("is_hidden", [False, True])
def test_an_import_is_run_again_by_the_name_that_is_read(is_hidden: bool) -> None:
    then = "assert_allclose(f(2), 3)"
    section = second(IMPORT, then=hidden(then) if is_hidden else then)
    assert section.hidden is is_hidden
    assert section.observe == f"from numpy.testing import assert_allclose\n{then}"


def test_a_star_import_is_run_again_where_a_name_is_nobodys() -> None:
    f = cell("def f(x): ...", "solution", "solution")
    assert second("from numpy.testing import *", f, then="assert_equal(f(2), 3)").observe.startswith("from numpy")
    assert second("from numpy.testing import *", f, then="assert f(2) == 3").observe == "assert f(2) == 3"


def test_what_is_made_beside_imports_makes_a_visible_section_hidden() -> None:
    section = second("near = 1e-3\nfar = 7", then="assert abs(f(2) - 3) < near")
    assert section.hidden
    assert section.observe == "near = 0.001\nassert abs(f(2) - 3) < near"


def test_what_was_asserted_before_is_not_asserted_again() -> None:
    section = second("assert f(0) == 0\nexpected = [1]\nassert f(expected) == 1\nexpected.append(2)\n"
                     "check(expected)\nprint(expected)", then=hidden("assert f(2) == expected[1]"))  # fmt: skip
    lines = section.observe.splitlines()
    assert lines[0] == "expected = [1]"
    assert "    expected.append(2)" in lines
    assert "f(0)" not in section.observe
    assert "f(expected)" not in section.observe


def test_what_a_statement_needs_is_run_before_it() -> None:
    source = "import math\nimport os\nside = 3\nother = os.getcwd()\ndef area():\n    return helper(side)\n" \
           "def helper(x):\n    return math.pow(x, 2)"  # fmt: skip
    section = second(source, then=hidden("assert f(2) == area()"))
    assert section.observe.startswith("import math\nside = 3\ndef area():")
    assert "def helper" in section.observe
    assert "other" not in section.observe


def test_what_a_seed_seeds_is_drawn_anew_after_it() -> None:
    section = second("np.random.seed(3)\ndrawn = np.random.rand(4)", then=hidden("assert f(drawn)"))
    assert "np.random.seed(3)" in section.observe
    assert section.observe.index("seed(3)") < section.observe.index("rand(4)")


def test_a_part_of_a_block_that_asserts_makes_its_names_all_the_same() -> None:
    section = second("with np.errstate(all='ignore'):\n    out = f(2)\n    assert out == 3", then=hidden("assert out"))
    names: dict[str, Any] = {"np": __import__("numpy"), "f": lambda x: 4}
    exec(section.observe, names)
    assert names["out"] == 4


def test_a_name_that_was_not_made_is_not_the_students() -> None:
    section = second("if f(2):\n    out = f(2)", then=hidden("assert out is not None"))
    names: dict[str, Any] = {"f": lambda x: 1 / 0, "out": "forged"}
    with pytest.raises(AssertionError):
        exec(section.observe, names)


@pytest.mark.parametrize(
    "between",
    [
        cell("near = 5"),
        cell("near = 5", "setup", "locked"),
        cell("near = 5", "solution", "solution"),
        cell("near = 5\nassert f(near)", "other"),
    ],
    ids=["own", "locked", "solution", "test"],
)
def test_what_is_set_again_where_students_see_it_is_no_hidden_name(between: Any) -> None:
    assert second("near = 1", between, then="assert f(near)").observe == "assert f(near)"
    assert second("near = 1", between, then=hidden("assert f(near)")).observe == "assert f(near)"


def test_what_a_student_imports_too_may_be_missing_in_anothers_cell() -> None:
    between = cell("import numpy as np", "solution", "solution")
    assert second("import numpy as np", between, then="np.sum(f(2))").observe == "import numpy as np\nnp.sum(f(2))"


def test_what_the_notebook_imports_already_is_not_imported_again() -> None:
    tests = planned(
        cell("import numpy as np"), cell(hidden("import numpy as np\nnp.sum(f(1))"), "first"), cell("np.sum(f(2))", "b")
    )
    assert tests["b"][0].observe == "np.sum(f(2))"


def test_a_visible_section_stays_visible_where_other_cells_have_set_the_name_too() -> None:
    """What a hidden section puts in its place for a while costs no student the message of a visible one."""
    first = cell(hidden("kept = f\ndel f\nf = kept\nassert f(1)"), "first")
    tests = planned(cell("def f(x): ...", "solution", "solution"), first, cell("assert f(2) == 3", "second"))
    assert tests["second"][0].observe == "assert f(2) == 3"
    assert not tests["second"][0].hidden


def test_a_sum_of_points_goes_on_through_hidden_sections_of_its_cell() -> None:
    source = f"score = 0\nscore += f(1)\n{hidden('score += f(2)')}\nscore"
    visible, inner, last = planned(cell(source, "test"))["test"]
    assert (visible.hidden, inner.hidden, last.hidden) == (False, True, True)
    assert last.observe == "score"  # it is run in the same copy


def test_a_sum_of_points_goes_on_from_cell_to_cell() -> None:
    tests = planned(
        cell("score = 0", "setup", "locked"),
        cell(hidden("if f(1):\n    score += 1"), "first"),
        cell("score", "second"),
    )
    (last,) = tests["second"]
    assert last.hidden
    names: dict[str, Any] = {"f": lambda x: True, "score": 0}
    exec(last.observe, names)
    assert names["score"] == 1


def test_a_function_that_is_defined_before_what_it_reads_asks_for_nothing() -> None:
    section = second("expected = 5", then="def check(x):\n    return x == expected\nexpected = 6\nassert check(f(2))")
    assert not section.hidden
    assert section.observe.startswith("def check")


def test_what_its_own_cell_has_made_stays_while_older_statements_are_run_again() -> None:
    tests = planned(
        cell(hidden("side = 1\narea = side\nside = 2"), "first"),
        cell(f"{hidden('side += 5')}\nassert (side, area) == (7, 1)", "second"),
    )
    names: dict[str, Any] = {}
    exec("\n".join(section.observe for section in tests["second"]), names)


def test_a_magic_in_a_test_is_left_as_it_is() -> None:
    assert second("near = 1", then="%time f(2)\nnear").observe == "%time f(2)\nnear"


def test_what_a_students_function_raises_in_between_costs_the_next_test_nothing() -> None:
    section = second("x = [1, 2]\ny = f(x)\nassert y", then=hidden("assert g(x)"))
    assert section.observe == "x = [1, 2]\nassert g(x)"


def test_a_judge_half_is_given_what_a_hidden_section_made_of_nothing_of_the_students() -> None:
    judged = f"{hidden('x = np.linspace(0, 1, 5)')}\nassert f(1)"
    cells = [cell("import numpy as np"), cell("def f(x): ...", "f", "solution"), cell(judged, "first")]
    later = hidden("y = f(x)\n### JUDGE\nassert y == len(x)")
    plan = plan_notebook("sums", [*cells, cell(later, "second")])
    ((section, judge),) = plan.tests["second"].sections
    assert section.observe == "x = np.linspace(0, 1, 5)\ny = f(x)"
    assert judge is not None
    assert judge.observed == ("y",)


# ---- against one namespace, as plain nbgrader has it ---------------------------------------------------------

INTEGERS = ("a", "b", "c")
TEXTS = {  # a statement, and what it sets
    "set": ("{name} = {value} + 3", "{name}"),
    "add": ("{name} += {value}", ""),
    "if": ("if True:\n    {name} = {value}\n    assert {name} is not None", "{name}"),
    "for": ("for _ in range(2):\n    {name} = {value}", "{name}"),
    "def": ("def {prefix}f():\n    return {value}", "{prefix}f"),
    "call": ("{name} = {prefix}f()", "{name}"),
    "list": ("{prefix}l = [{value}]", "{prefix}l"),
    "append": ("{prefix}l.append({value})", ""),
    "seen": ("seen({value}, {value})", ""),
}


@st.composite
def notebooks(draw: st.DrawFn) -> list[list[tuple[bool, str]]]:
    """Tests of sections, hidden or not; each statement reads only what one before it has set. What hidden sections set,
    no visible one does; and what visible ones set they set once: what is run again finds it as it is then."""
    names_set: dict[bool, set[str]] = {False: set(), True: set()}

    def read(*, functions: bool = True) -> str:
        names = sorted(name for name in names_set[False] | names_set[True] if functions or not name.endswith("f"))
        return draw(st.sampled_from([*names, "1"]))

    def statement(is_hidden: bool) -> str:
        prefix, mine = "h_" if is_hidden else "v_", names_set[is_hidden]
        name = prefix + draw(st.sampled_from(INTEGERS))
        kinds = ["set", "set", "seen", "if", "for", "def", "list"]
        kinds += ["add"] * (name in mine) + ["call"] * (f"{prefix}f" in mine) + ["append"] * (f"{prefix}l" in mine)
        if not is_hidden:
            once = {"def": f"{prefix}f", "list": f"{prefix}l"}
            kinds = ["seen", *(kind for kind in ("set", "if", "def", "list") if once.get(kind, name) not in mine)]
        kind = draw(st.sampled_from(kinds))
        set_by, (text, sets) = f"number({read(functions=kind != 'def')})", TEXTS[kind]
        names_set[is_hidden] |= {sets.format(name=name, prefix=prefix)} - {""}
        return text.format(name=name, prefix=prefix, value=set_by)

    def section() -> tuple[bool, str]:
        is_hidden = draw(st.booleans())
        return is_hidden, "\n".join(statement(is_hidden) for _ in range(draw(st.integers(1, 4))))

    return [[section() for _ in range(draw(st.integers(1, 3)))] for _ in range(draw(st.integers(2, 4)))]


class Looking:
    """Runs sections and notes what each of them sees. Lists and functions are told by what they hold and give."""

    def __init__(self) -> None:
        self.trace: list[tuple[int, list[Any]]] = []
        self.at = 0

    def run(self, at: int, text: str, names: dict[str, Any]) -> None:
        self.at = at
        names |= {"seen": self._seen, "number": number}
        exec(text, names)

    def _seen(self, *values: Any) -> None:
        self.trace.append((self.at, [number(value) for value in values]))


def number(value: Any) -> int:
    """A number that tells a value from others."""
    if callable(value):
        return int(value())
    return int(sum(value) if isinstance(value, list) else value)


def own_copy(names: dict[str, Any]) -> dict[str, Any]:
    """The names in a process of their own: lists are others, functions read the copy's names."""
    fresh = {name: list(value) if isinstance(value, list) else value for name, value in names.items()}
    for name, value in fresh.items():
        if isinstance(value, FunctionType) and value.__globals__ is names:
            fresh[name] = FunctionType(value.__code__, fresh)
    return fresh


@given(notebooks())
def test_each_section_sees_what_it_would_in_one_namespace(tests: list[list[tuple[bool, str]]]) -> None:
    source = [
        cell(
            "\n".join(hidden(text) if is_hidden else text for is_hidden, text in sections_of_test), f"test_{number_of}"
        )
        for number_of, sections_of_test in enumerate(tests)
    ]
    together, apart = Looking(), Looking()
    one_namespace: dict[str, Any] = {}
    notebook: dict[str, Any] = {}
    at = 0
    for node, in_test in zip(source, planned(*source).values(), strict=True):
        for place, section in enumerate(sections(node.source), at):
            together.run(place, section.observe, one_namespace)
        for place, section in enumerate(in_test, at):
            if not section.hidden:
                apart.run(place, section.observe, notebook)
        branch = own_copy(notebook)
        for place, section in enumerate(in_test, at):
            if section.hidden:
                apart.run(place, section.observe, branch)
        at += len(in_test)
    assert sorted(apart.trace) == sorted(together.trace)
