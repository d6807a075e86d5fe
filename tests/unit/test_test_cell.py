"""A test cell taken apart: its sections, and how a judge gets its names."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tito.errors import BadSource
from tito.models import JudgePlan, Section
from tito.plan.directives import Hint, hints_of, reason_in_process, without_private
from tito.plan.names import NotebookNames
from tito.plan.test_cell import hidden_source, plan_judge, sections, visible_source

BEGIN, END, JUDGE = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS", "### JUDGE"


def cell(*lines: str) -> str:
    return "\n".join(lines)


# ---- sections --------------------------------------------------------------------------------


def test_a_plain_test_is_one_visible_section_without_a_judge() -> None:
    assert sections("assert f(1) == 2") == (Section("assert f(1) == 2", None, False),)


def test_visible_and_hidden_halves_are_told_apart() -> None:
    source = cell("a = f(1)", JUDGE, "assert a == 2", BEGIN, "b = f(2)", JUDGE, "assert b == 4", END)
    assert sections(source) == (Section("a = f(1)", "assert a == 2", False), Section("b = f(2)", "assert b == 4", True))


def test_several_hidden_regions_and_text_between_them_keep_their_order() -> None:
    source = cell("a = 1", BEGIN, "b = 2", END, "c = 3", BEGIN, "d = 4", END, "e = 5")
    parts = sections(source)
    assert [section.observe for section in parts] == ["a = 1", "b = 2", "c = 3", "d = 4", "e = 5"]
    assert [section.hidden for section in parts] == [False, True, False, True, False]


def test_sections_with_comments_only_are_left_out() -> None:
    assert sections(cell("# look at this", "", BEGIN, "assert f(1)", END, "   # the end")) == (
        Section("assert f(1)", None, True),
    )


def test_a_judge_that_needs_no_observation_is_kept() -> None:
    assert sections(cell("# nothing to observe", JUDGE, "assert True"))[0].judge == "assert True"


def test_a_hidden_region_inside_a_statement_makes_the_whole_cell_hidden() -> None:
    source = cell("for n in (1, 2):", "    assert f(n)", f"    {BEGIN}", "    assert g(n)", f"    {END}", "    pass")
    assert sections(source) == (Section(source, None, True),)


def test_a_hidden_region_inside_a_statement_cannot_have_a_judge() -> None:
    source = cell("for n in (1, 2):", f"    {BEGIN}", "    a = g(n)", JUDGE, "assert a", f"    {END}")
    with pytest.raises(BadSource, match="test_g"):
        sections(source, "test_g")


def test_a_hidden_region_without_an_end_is_refused_by_name() -> None:
    with pytest.raises(BadSource, match=r"test_f.*no end"):
        sections(cell("a = 1", BEGIN, "b = 2"), "test_f")


def test_two_judge_lines_in_one_section_are_refused_by_name() -> None:
    with pytest.raises(BadSource, match=r"test_f.*two"):
        sections(cell("a = 1", JUDGE, "assert a", JUDGE, "assert a"), "test_f")


@pytest.mark.parametrize("line", ["#### JUDGE", "### JUDGE this", "    ### JUDGE", "x = '### JUDGE'", "## JUDGE"])
def test_only_a_line_of_its_own_at_the_margin_is_a_judge_line(line: str) -> None:
    parts = sections(cell("if True:", "    pass", line))
    assert all(section.judge is None for section in parts)


def test_trailing_space_after_the_judge_line_is_no_matter() -> None:
    assert sections(cell("a = 1", "### JUDGE \t", "assert a"))[0].judge == "assert a"


def test_a_judge_half_that_is_no_python_is_refused_by_name() -> None:
    with pytest.raises(BadSource, match="test_f"):
        sections(cell("a = 1", JUDGE, "assert a ==="), "test_f")


@pytest.mark.parametrize("half", ["observe", "judge"])
def test_a_magic_in_a_test_with_a_judge_is_the_authors_error_and_no_crash(half: str) -> None:
    observe, judge = ("%time a = 1", "assert a") if half == "observe" else ("a = 1", "%time assert a")
    with pytest.raises(BadSource, match="test_f"):
        for section in sections(cell(observe, JUDGE, judge), "test_f"):
            plan_judge(section, NotebookNames(), "test_f")


LINES = st.lists(st.sampled_from(["a = 1", "assert a", "", "# note", "def f():\n    return 1"]), max_size=4)


@given(st.lists(st.tuples(LINES, st.booleans()), max_size=5))
def test_no_statement_is_lost_or_moved_between_visible_and_hidden(regions: list[tuple[list[str], bool]]) -> None:
    lines = [line for part, hidden in regions for line in ([BEGIN, *part, END] if hidden else part)]
    source = "\n".join(lines)

    def statements(text: str) -> list[str]:
        return [ast.unparse(statement) for statement in ast.parse(text).body]

    parts = sections(source)
    for hidden, whole in ((True, hidden_source(source)), (False, visible_source(source))):
        observed = "\n".join(section.observe for section in parts if section.hidden is hidden)
        assert statements(observed) == statements(whole)
        expected = [line for part, is_hidden in regions if is_hidden is hidden for line in part]
        assert statements(whole) == statements("\n".join(expected))


# ---- what a judge needs ----------------------------------------------------------------------


NAMES = NotebookNames({"np": "import numpy as np", "math": "import math"}, {"solve"})


def plan(observe: str, judge: str, names: NotebookNames = NAMES) -> JudgePlan:
    return plan_judge(Section(observe, judge, False), names, "test_f")


def test_what_student_code_cannot_influence_is_given_and_the_rest_is_observed() -> None:
    judge_plan = plan("x = np.arange(3)\ny = solve(x.copy())", "assert np.all(y == x)")
    assert judge_plan == JudgePlan("import numpy as np", "x = np.arange(3)", ("y",))


def test_only_what_the_judge_reads_crosses() -> None:
    judge_plan = plan("a = solve(1)\nb = solve(2)\nunused = 3", "assert b == 2")
    assert judge_plan == JudgePlan("", "", ("b",))


def test_what_was_handed_to_student_code_is_observed_from_then_on() -> None:
    judge_plan = plan("x = [1]\nr = solve(x)\nlength = len(x)", "assert length == 1 and r")
    assert judge_plan.observed == ("length", "r")


def test_what_student_code_can_reach_by_another_name_is_observed_too() -> None:
    judge_plan = plan("x = np.zeros(3)\nview = x[:2]\nr = solve(view)\ntotal = x.sum()", "assert total == 2 and r")
    assert "total" in judge_plan.observed


def test_the_judge_keeps_its_own_copy_of_what_was_handed_over() -> None:
    judge_plan = plan("x = [1]\nr = solve(x)", "assert r == x")
    assert judge_plan.given == "x = [1]"
    assert judge_plan.observed == ("r",)


def test_a_name_set_again_after_it_was_touched_is_given_again() -> None:
    judge_plan = plan("x = [1]\nr = solve(x)\nx = [2]\ny = len(x)", "assert y == 1 and r")
    assert judge_plan.observed == ("r",)
    assert judge_plan.given.endswith("x = [2]\ny = len(x)")


def test_a_name_that_student_code_sets_last_is_observed() -> None:
    judge_plan = plan("x = 1\nx = solve(x)", "assert x == 2")
    assert judge_plan.observed == ("x",)
    assert judge_plan.given == ""


def test_a_draw_that_nobody_reads_is_kept_because_it_advances_the_generator() -> None:
    observe = "rng = np.random.default_rng(1)\nskipped = rng.normal()\nx = rng.normal()\ny = solve(x)"
    judge_plan = plan(observe, "assert y == 2 * x")
    assert judge_plan.given == "rng = np.random.default_rng(1)\nskipped = rng.normal()\nx = rng.normal()"


def test_a_draw_after_the_last_one_that_is_needed_does_not_change_what_is_needed() -> None:
    observe = "rng = np.random.default_rng(1)\nx = rng.normal()\nlate = rng.normal()"
    namespace: dict[str, object] = {}
    judge_plan = plan(observe, "assert x")
    exec(f"{judge_plan.imports}\n{judge_plan.given}\nfirst = x", namespace)
    whole: dict[str, object] = {}
    exec(f"import numpy as np\n{observe}", whole)
    assert namespace["first"] == whole["x"]


def test_a_seed_of_numpys_global_generator_is_kept() -> None:
    judge_plan = plan("np.random.seed(3)\nx = np.random.rand(4)\ny = solve(x.copy())", "assert np.all(y == x)")
    assert "np.random.seed(3)" in judge_plan.given


def test_a_statement_that_changes_something_in_place_is_kept() -> None:
    judge_plan = plan("x = [3, 1]\nx.sort()\nx[0] = 7\nr = solve(1)", "assert r == x")
    assert judge_plan.given == "x = [3, 1]\nx.sort()\nx[0] = 7"


@pytest.mark.parametrize(
    "loop",
    [
        "for edge in edges:\n    edge[0] = solve(1)",
        "for place, edge in enumerate(edges):\n    edge.append(solve(place))",
        "for number, edge in zip([1, 2], edges):\n    edge[0] = solve(number)",
        "for pair in [edges]:\n    for edge in pair:\n        edge[0] = solve(1)",
        "nothing = [edge.append(solve(1)) for edge in edges]",
    ],
)
def test_what_a_loop_changes_by_its_own_name_is_observed_with_what_it_goes_through(loop: str) -> None:
    judge_plan = plan(f"edges = [[0], [0]]\n{loop}", "assert edges == [[1], [1]]")
    assert judge_plan == JudgePlan("", "", ("edges",))


def test_of_two_lists_that_a_loop_goes_through_side_by_side_only_the_changed_one_is_observed() -> None:
    loop = "for number, (edge, limit) in enumerate(zip(edges, limits)):\n    edge[0] = solve(limit)"
    judge_plan = plan(f"edges = [[0], [0]]\nlimits = [1, 2]\n{loop}", "assert edges == [[1], [2]] and limits")
    assert judge_plan == JudgePlan("", "limits = [1, 2]", ("edges",))


def test_what_a_loop_only_reads_stays_given() -> None:
    judge_plan = plan(
        "edges = [[0], [0]]\nr = []\nfor edge in edges:\n    r.append(solve(edge[0]))", "assert r and edges"
    )
    assert judge_plan.observed == ("r",)
    assert "edges" in judge_plan.given


def test_augmented_assignment_is_followed() -> None:
    assert plan("n = 1\nn += 1", "assert n == 2").given == "n = 1\nn += 1"
    assert plan("n = 1\nn += solve(1)", "assert n == 2").observed == ("n",)


def test_names_inside_comprehensions_and_functions_are_their_own() -> None:
    judge_plan = plan("r = [solve(i) for i in range(3)]", "assert [i for i in r] and (lambda v: v)(1)")
    assert judge_plan.observed == ("r",)


def test_a_helper_of_the_judges_own_may_count_with_augmented_assignment() -> None:
    judge = "def total(items):\n    t = 0\n    for one in items:\n        t += one\n    return t\nassert total(r) == 3"
    assert plan("r = solve(1)", judge).observed == ("r",)


def test_a_helper_that_calls_student_code_is_not_given() -> None:
    judge_plan = plan("def run(n):\n    return solve(n)\nr = run(2)", "assert r == 4")
    assert judge_plan == JudgePlan("", "", ("r",))


def test_a_helper_of_the_tests_own_is_given_to_the_judge() -> None:
    judge_plan = plan("def twice(n):\n    return 2 * n\nr = solve(2)", "assert r == twice(2)")
    assert judge_plan.given == "def twice(n):\n    return 2 * n"


def test_a_name_that_nothing_gives_the_judge_is_named() -> None:
    with pytest.raises(BadSource, match=r"test_f.*'tolerance'"):
        plan("r = solve(1)", "assert abs(r - 1) < tolerance")


def test_a_name_of_another_cell_is_no_name_for_the_judge() -> None:
    with pytest.raises(BadSource, match="'solve'"):
        plan("r = solve(1)", "assert solve(1) == r")


def test_names_that_the_judge_sets_itself_are_its_own() -> None:
    assert plan("r = solve(1)", "import json\nbest = 3\nfor n in [r]:\n    assert json.dumps(n) and best").observed == (
        "r",
    )


def test_a_builtin_that_the_source_lets_students_define_is_not_taken_for_the_builtin() -> None:
    shadowed = NotebookNames({}, {"sum"})
    judge_plan = plan("r = sum([1, 2])", "assert r == 3", shadowed)
    assert judge_plan.observed == ("r",)
    assert plan("r = sum([1, 2])", "assert r == 3", NotebookNames()).observed == ()


def test_a_name_that_student_code_hands_back_by_walrus_is_observed() -> None:
    judge_plan = plan("kept = [last := solve(n) for n in (1, 2)]", "assert last == 4 and kept")
    assert judge_plan.observed == ("kept", "last")


VALUES = st.sampled_from(["1", "[n0]", "n0 + n1", "solve(n0)", "len([n1])", "n1", "[solve(k) for k in [1]]"])
STEPS = st.lists(st.tuples(st.sampled_from(["n0", "n1", "n2"]), VALUES), max_size=8)


@given(STEPS)
def test_given_and_observed_always_give_the_judge_what_the_whole_cell_would_have_given(
    steps: list[tuple[str, str]],
) -> None:
    observe = "\n".join(["n0 = 1", "n1 = 2", "n2 = 3", *(f"{name} = {value}" for name, value in steps)])
    whole: dict[str, object] = {"solve": lambda value: ["solved", value]}
    try:
        exec(observe, whole)
    except TypeError:
        return  # n0 + n1 of a list and a number
    judge_plan = plan(observe, "check(n0, n1, n2)", NotebookNames({"check": "from checks import check"}, {"solve"}))
    judges: dict[str, object] = {}
    exec(judge_plan.given, judges)
    judges.update({name: whole[name] for name in judge_plan.observed})
    assert [judges[name] for name in ("n0", "n1", "n2")] == [whole[name] for name in ("n0", "n1", "n2")]


# ---- lines that say something to the grader ----------------------------------------------------

MEASURED = "### MEASURED"


def test_measured_lines_are_statements_of_the_part_above_them() -> None:
    source = cell(
        "y = solve(1)", JUDGE, "assert y", MEASURED, "# assert wall_s < 1, 'slow'", "#", "# if cpu_s > 1:",
        "#     assert y", "### CHECK a (1)", "assert y == 1", "### CHECK b (2): too big", "### MEASURED  ",
        "#assert peak_mb < 3",
    )  # fmt: skip
    (section,) = sections(source)
    assert (section.judge, section.measured) == ("assert y", "assert wall_s < 1, 'slow'\n\nif cpu_s > 1:\n    assert y")
    assert [check.measured for check in section.checks] == ["", "assert peak_mb < 3"]
    assert [check.source for check in section.checks] == ["assert y == 1", ""]
    assert section.is_measured
    assert plan_judge(section, NAMES) == JudgePlan("", "", ("y",))
    assert not sections(cell("y = 1", JUDGE, "assert y"))[0].is_measured


def test_what_only_a_measured_line_reads_is_observed_or_given_too() -> None:
    (section,) = sections(cell("n = 3", "y = solve(1)", JUDGE, MEASURED, "# assert wall_s < n * y"))
    assert plan_judge(section, NAMES) == JudgePlan("", "n = 3", ("y",))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((JUDGE, "assert y", MEASURED, "assert wall_s < 1"), "no comment"),
        ((JUDGE, "assert y", MEASURED, "# assert wall_s", "assert y"), "no comment"),
        ((JUDGE, "assert y", MEASURED, "# assert wall_s", MEASURED, "# assert wall_s"), "two '### MEASURED'"),
        ((JUDGE, "assert y", MEASURED), "nothing stands"),
        ((JUDGE, "assert y", MEASURED, "#", "# # a note"), "nothing stands"),
        ((JUDGE, "assert y", MEASURED, "# it has to be fast"), "no plain Python"),
        ((JUDGE, "assert y", "### MEASURED wall_s < 1"), "not of its form"),
        ((JUDGE, "if y:", "    ### MEASURED", "    pass"), "not of its form"),
        ((MEASURED, "# assert wall_s < 1", JUDGE, "assert y"), "above '### JUDGE'"),
        ((MEASURED, "# assert wall_s < 1"), "above '### JUDGE'"),
        (("### REPORTED y: only it knows",), "does not stand above"),
        ((JUDGE, "### REPORTED y: only it knows", "assert y"), "does not stand above"),
        (("### REPORTED y", JUDGE, "assert y"), "not of its form"),
        (("### REPORTED y:", JUDGE, "assert y"), "not of its form"),
        (("### REPORTED: y", JUDGE, "assert y"), "not of its form"),
        (("### IN PROCESS",), "not of its form"),
        (("### IN PROCESS: ",), "not of its form"),
    ],
)  # fmt: skip
def test_a_line_to_the_grader_that_is_out_of_place_is_refused_by_the_tests_name(
    lines: tuple[str, ...], message: str
) -> None:
    with pytest.raises(BadSource, match=f"test_f.*{message}"):
        sections(cell("y = solve(1)", *lines), "test_f")


@pytest.mark.parametrize(
    "lines",
    [
        ("wall_s = solve(1)", JUDGE, "assert wall_s", MEASURED, "# assert wall_s < 1"),
        ("y = solve(1)", JUDGE, "assert y < wall_s", MEASURED, "# assert wall_s < 1"),
        ("y = solve(1)", JUDGE, "assert y", MEASURED, "# wall_s = 0"),
    ],
)
def test_a_name_of_what_is_measured_has_no_other_use(lines: tuple[str, ...]) -> None:
    with pytest.raises(BadSource, match=r"test_f.*'wall_s'"):
        plan_judge(sections(cell(*lines))[0], NAMES, "test_f")


def test_reported_names_are_those_that_are_observed() -> None:
    source = cell("### REPORTED y, z: nobody else knows", "y, z = solve(1)", JUDGE, "assert y and z")
    assert sections(source)[0].reported == ("y", "z")
    with pytest.raises(BadSource, match=r"test_f.*'x'"):
        plan_judge(sections(cell("### REPORTED x: so it is", "x = 1", JUDGE, "assert x"))[0], NAMES, "test_f")
    with pytest.raises(BadSource, match=r"test_f.*'x'"):
        plan_judge(sections(cell("### REPORTED x: so it is", "y = solve(1)", JUDGE, "assert y"))[0], NAMES, "test_f")


def test_a_reason_to_run_beside_student_code_is_read_and_told_to_no_student() -> None:
    source = cell("### IN PROCESS: it looks at the source", "### REPORTED y: so it is", "y = solve(1)", JUDGE, "y")
    assert reason_in_process(source) == "it looks at the source"
    assert reason_in_process("assert solve(1)") == ""
    assert without_private(source) == cell("y = solve(1)", JUDGE, "y")
    assert without_private("# a\n### IN PROCESS: it looks") == "# a\n"


def test_hints_are_read_kept_from_releases_and_belong_to_a_check_that_is_there() -> None:
    checks = ("y = solve(1)", JUDGE, "### CHECK ones (2): wrong", "assert y == 1", "### HINT ones: Count again.")
    source = cell("### HINT: Begin with one.", *checks)
    assert hints_of(source) == (Hint("Begin with one."), Hint("Count again.", "ones"))
    assert "HINT" not in without_private(source)
    assert len(sections(source)) == 1
    for wrong in ("### HINT twos: Count again.", "### HINT", "### HINT ones two: Count."):
        with pytest.raises(BadSource, match=r"HINT|hint"):
            sections(cell(*checks, wrong))


def test_a_hint_may_stand_in_a_hidden_part_and_is_no_part_of_the_test() -> None:
    hinted = cell("assert solve(1)", BEGIN, "### HINT: Mind the zero.", "assert solve(0)", END)
    assert hints_of(hinted) == (Hint("Mind the zero."),)
    assert "HINT" not in visible_source(hinted)
