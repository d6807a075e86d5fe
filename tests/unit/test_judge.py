"""The judge: passes, failures and faults, and what a student may read of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from judges import judge_beside

from tito.errors import JudgeFailed
from tito.judge.judge import Answers, Judge, Judgement, Question
from tito.judge.worker import NO_VALUE, UNSAID, judge
from tito.models import JudgePlan, Measured, Section
from tito.sandbox.inside.codec import pack


def ask(
    code: str,
    *,
    hidden: bool = True,
    imports: str = "",
    setup: str = "",
    checks: tuple[str, ...] = (),
    of_measured: tuple[str, ...] = (),
    measured: dict[str, float] | None = None,
    **observed: Any,
) -> dict[str, Any]:
    of_measured = of_measured or ("",) * (1 + len(checks))
    request = {"imports": imports, "given": setup, "judge": code, "checks": list(checks), "hidden": hidden}
    request["observed"] = list(observed)
    request["measured"] = list(of_measured)
    return judge(request, pack(observed), measured)


def test_a_judge_that_does_not_object_says_yes() -> None:
    assert ask("assert r == n", imports="import math", setup="n = math.floor(2.5)", r=2) == {
        "yes": True, "message": "", "detail": "", "fault": "", "checks": [],
    }  # fmt: skip


def test_observed_values_win_over_given_ones() -> None:
    assert ask("assert n == 2", setup="n = 1", n=2)["yes"]


def test_each_question_has_a_namespace_of_its_own() -> None:
    ask("left_over = 1")
    assert not ask("assert left_over")["yes"]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("assert r == 1, 'must be one'", "must be one"),
        ("assert r == 1, f'must be {1}, got {r}'", "must be …, got …"),
        ("assert r == 1, 'must be ' + 'one'", "must be one"),
        ("assert r == 1, 'got ' + str(r)", "got "),
        ("assert r == 1, str(r)", UNSAID),
        ("assert r == 1, text", UNSAID),
        ("assert r == 1, 'got %s' % r", UNSAID),
        ("assert r == 1", UNSAID),
        ("raise AssertionError(f'secret {r}')", UNSAID),
        ("np.testing.assert_equal(r, 1)", UNSAID),
        ("np.testing.assert_equal(r, 1, err_msg='they differ')", "they differ"),
        ("np.testing.assert_allclose(r, 1, err_msg=f'differs from {1}')", "differs from …"),
        ("def check(v):\n    assert v == 1, 'must be one'\ncheck(r)", "must be one"),
        ("for v in [1, r]:\n    if v:\n        assert v == 1, (\n            'on '\n            'two lines'\n        )",
         "on two lines"),
    ],
)  # fmt: skip
def test_of_a_hidden_check_only_constant_text_is_told(code: str, message: str) -> None:
    answer = ask(code, imports="import numpy as np", r=706173, text="706173")
    assert not answer["yes"]
    assert answer["message"] == message
    assert "706173" not in answer["message"]
    assert answer["fault"] == ""


def test_of_a_visible_check_all_is_told() -> None:
    assert ask("assert r == 1, f'got {r}'", hidden=False, r=7)["message"] == "got 7"
    assert "Mismatched" in ask(
        "np.testing.assert_equal(r, [1])", hidden=False, imports="import numpy as np", r=np.array([7])
    )["message"]  # fmt: skip


def test_the_detail_for_the_ta_holds_the_values() -> None:
    assert "706173" in ask("assert r == 1, f'got {r}'", r=706173)["detail"]


@pytest.mark.parametrize(
    "value",
    ["text", None, {}, [[]], 1 << 20_000, float("nan"), np.zeros((0, 3)), b"x"],
    ids=lambda value: type(value).__name__,
)
def test_values_of_an_unexpected_kind_are_a_no_and_no_fault(value: Any) -> None:
    answer = ask("assert r.shape == (2,) and str(r) and r[0] + 1 > 0", r=value)
    assert (answer["yes"], answer["fault"]) == (False, "")
    assert answer["message"] in (NO_VALUE, UNSAID)


@pytest.mark.parametrize(
    ("part", "code"), [("imports", "import no_such_module"), ("given", "1 / 0"), ("judge", "assert (")]
)
def test_a_broken_set_up_is_a_fault_and_neither_yes_nor_no(part: str, code: str) -> None:
    answer = judge(
        {"imports": "", "given": "", "judge": "", "hidden": True, "measured": [""], "checks": []} | {part: code}, {}
    )
    assert answer["fault"]
    assert not answer["yes"]


def test_reading_a_name_that_was_not_observed_is_no_pass() -> None:
    assert not ask("assert never_observed == 1")["yes"]


def test_named_checks_all_run_each_on_names_of_its_own_and_the_first_no_is_told() -> None:
    checks = (
        "assert r == 1, 'one'",
        "mine = 3\nassert r == 2",
        "assert 'mine' not in globals(), 'apart'",
        "assert base",
    )
    answer = ask("base = 5", checks=checks, r=2)
    assert [check["yes"] for check in answer["checks"]] == [False, True, True, True]
    assert (answer["yes"], answer["message"]) == (False, "one")


def test_a_common_part_that_fails_fails_every_check() -> None:
    answer = ask("assert r == 1, 'must be one'", checks=("assert True", "assert True"), r=2)
    assert [(check["yes"], check["message"]) for check in answer["checks"]] == [(False, "must be one")] * 2


def test_the_message_of_a_helper_in_the_common_part_is_told_for_the_check_that_called_it() -> None:
    common = "def must_be_one(v):\n    assert v == 1, 'must be one'"
    answer = ask(common, checks=("x = 1\nassert x, 'unrelated'\nmust_be_one(r)",), r=2)
    assert answer["checks"][0]["message"] == "must be one"


# ---- the process ---------------------------------------------------------------------------------


@pytest.fixture
def process() -> Iterator[Judge]:
    with judge_beside(below="VALUE = 7\n") as judge:
        yield judge


@pytest.fixture
def little_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge that does not answer is given up on soon after its limit."""
    monkeypatch.setattr("tito.sandbox.time_allowance.GRACE_S", 0.5)


def section(code: str) -> Section:
    return Section("", code, True)


def test_values_cross_to_the_judge_and_its_judgement_comes_back(process: Judge) -> None:
    plan = JudgePlan("import below", "n = below.VALUE", ("r",))
    assert process.judgement(Question(section("assert r.sum() == n"), plan, pack({"r": np.array([3, 4])}))).yes
    judgement = process.judgement(
        Question(section("assert r.sum() == n, 'must be seven'"), plan, pack({"r": np.array([3])}))
    )
    assert (judgement.yes, judgement.message) == (False, "must be seven")


@pytest.mark.usefixtures("little_grace")
@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import os\nos._exit(0)", id="exits"),
        pytest.param("import ctypes\nctypes.string_at(0)", id="crashes"),
        pytest.param("while True: pass", id="hangs", marks=pytest.mark.slow),
        pytest.param("sum(range(10 ** 12))", id="hangs in C", marks=pytest.mark.slow),
    ],
)
def test_a_judge_that_dies_or_hangs_has_failed_and_the_next_question_is_answered(code: str, process: Judge) -> None:
    nothing = JudgePlan("", "", ())
    assert process.judgement(Question(section("assert True"), nothing, pack({}))).yes
    with pytest.raises(JudgeFailed, match="no answer"):
        process.judgement(Question(section(code), nothing, pack({})))
    assert process.judgement(Question(section("assert True"), nothing, pack({}))).yes


@pytest.mark.parametrize("code", ["raise SystemExit", "raise KeyboardInterrupt", "exit()"])
def test_a_judge_half_that_is_made_to_leave_says_no(code: str, process: Judge) -> None:
    assert not process.judgement(Question(section(code), JudgePlan("", "", ()), pack({}))).yes


# ---- values that break a judge -------------------------------------------------------------------


BREAKS = {
    "time": "sum(range(n))",
    "a crash (SIGSEGV)": "import ctypes\nctypes.string_at(0 if n else id(n))",
    "an exit": "import os\nos._exit(1) if n else None",
}


def about(code: str, n: int) -> Question:
    return Question(section(code), JudgePlan("", "", ("n",)), pack({"n": n}), test=code)


@pytest.mark.usefixtures("little_grace")
@pytest.mark.parametrize(
    "limit", [pytest.param(limit, marks=pytest.mark.slow if limit == "time" else ()) for limit in BREAKS]
)
def test_values_that_break_judges_at_the_same_limit_twice_are_refused_where_the_references_are_not(
    limit: str, process: Judge
) -> None:
    question = about(BREAKS[limit], 10**13)
    answers = Answers(
        process, [about("assert n == 1", 1), question, about("assert n == 2", 2)], lambda half: pack({"n": 0})
    )
    assert [answers.judgement(asked).yes for asked in answers._questions.values()] == [True, False, True]
    assert answers.judgement(question).broke == limit
    assert answers.broken == [(question, limit)]


def test_the_rest_of_a_test_is_answered_likewise_and_other_tests_are_judged(process: Judge) -> None:
    first, second = about(BREAKS["an exit"], 1), about(BREAKS["an exit"], 2)
    fine = about("assert n == 7", 7)
    answers = Answers(process, [first, second, fine], lambda half: pack({"n": 0}))
    assert [answers.judgement(question).broke for question in (first, second, fine)] == ["an exit", "an exit", ""]
    assert answers.judgement(fine).yes


@pytest.mark.parametrize(
    "reference", [lambda half: None, lambda half: pack({"n": 10**13})], ids=["unknown", "breaks too"]
)
def test_a_judge_that_the_references_values_break_too_is_ours(reference: Any, process: Judge) -> None:
    answers = Answers(process, [about(BREAKS["an exit"], 10**13)], reference)
    with pytest.raises(JudgeFailed, match="no answer"):
        answers.judgement(next(iter(answers._questions.values())))
    assert answers.broken == []


def test_a_judge_that_broke_for_another_reason_than_the_values_answers_the_next_time(
    process: Judge, tmp_path: Path
) -> None:
    mark = str(tmp_path / "seen")  # without isolation judges have the system's files between them
    break_once = f"import os\nif not os.path.exists({mark!r}):\n    open({mark!r}, 'w').close()\n    os._exit(1)\n"
    question = about(break_once + "assert n == 3", 3)
    answers = Answers(process, [question], lambda half: None)
    assert answers.judgement(question).yes
    assert answers.broken == []


def test_a_broken_set_up_has_failed_and_blames_the_test(process: Judge) -> None:
    with pytest.raises(JudgeFailed, match="ZeroDivisionError") as caught:
        process.judgement(Question(section("assert True"), JudgePlan("", "1 / 0", ()), pack({})))
    assert "test itself" in caught.value.hint
    assert process.judgement(Question(section("assert True"), JudgePlan("", "", ()), pack({}))).yes


def test_the_judge_does_not_inherit_the_graders_environment(process: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_TOKEN", "hush")
    code = "import os\nassert 'GRADER_TOKEN' not in os.environ"
    assert process.judgement(Question(section(code), JudgePlan("", "", ()), pack({}))).yes


def test_questions_that_are_asked_together_have_namespaces_of_their_own(process: Judge) -> None:
    plan = JudgePlan("", "", ("r",))
    codes = ("assert r == 1\nleft = r", "assert r == 2, 'two'", "assert 'left' not in dir()", "1 / 0")
    first, second, third, fourth = process.ask(*(Question(section(code), plan, pack({"r": 1})) for code in codes))
    assert isinstance(first, Judgement) and first.yes
    assert isinstance(second, Judgement) and (second.yes, second.message) == (False, "two")
    assert isinstance(third, Judgement) and third.yes
    assert isinstance(fourth, Judgement) and not fourth.yes


def test_a_question_that_brings_the_judge_down_costs_the_others_nothing(process: Judge) -> None:
    plan = JudgePlan("", "", ())
    kills, faulty = JudgePlan("", "import os\nos._exit(1)", ()), JudgePlan("", "1 / 0", ())
    fine, fatal, broken = (
        Question(section("assert True"), judge_plan, pack({})) for judge_plan in (plan, kills, faulty)
    )
    answers = Answers(process, [fine, fatal, broken])
    assert answers.judgement(fine).yes
    with pytest.raises(JudgeFailed, match="no answer"):
        answers.judgement(fatal)
    with pytest.raises(JudgeFailed, match="ZeroDivisionError"):
        answers.judgement(broken)
    assert Answers(process, [fine]).judgement(fine).yes


# ---- what was measured -------------------------------------------------------------------------

TOOK = {"wall_s": 2.5, "cpu_s": 1.5, "peak_mb": 64.0}
SLOW = "assert wall_s < 2, f'took {wall_s} s'"


def test_what_was_measured_is_judged_after_the_parts_own_lines_with_names_of_its_own() -> None:
    measured = ("assert (wall_s, cpu_s, peak_mb) == (2.5, 1.5, 64.0) and r == 2",)
    assert ask("r += 1", of_measured=measured, measured=TOOK, r=1)["yes"]
    answer = ask("assert r == 1", of_measured=(SLOW,), measured=TOOK, r=1)
    assert (answer["yes"], answer["message"], answer["detail"]) == (False, "took … s", "took 2.5 s")
    assert ask("assert r == 1", of_measured=(SLOW,), measured=TOOK, r=1, hidden=False)["message"] == "took 2.5 s"


def test_a_value_that_bears_the_name_of_a_measurement_does_not_stand_for_it() -> None:
    assert not ask("assert wall_s", of_measured=(SLOW,), measured=TOOK, wall_s=0.1)["yes"]


def test_checks_have_measured_lines_of_their_own_and_those_in_common_come_first() -> None:
    parts = ("", SLOW, "assert cpu_s < 2")
    answer = ask("n = 1", checks=("assert n", "assert n == 1"), of_measured=parts, measured=TOOK)
    assert [check["yes"] for check in answer["checks"]] == [False, True]
    answer = ask("n = 1", checks=("assert n",), of_measured=(SLOW, ""), measured=TOOK)
    assert [check["yes"] for check in answer["checks"]] == [False]
    answer = ask("n = 1", checks=("assert wall_s",), of_measured=("assert wall_s", ""), measured=TOOK)
    assert [check["yes"] for check in answer["checks"]] == [False]  # names of what was measured are for measured lines


def test_where_nothing_was_measured_it_is_a_fault_and_no_verdict(process: Judge) -> None:
    answer = ask("assert r == 1", of_measured=(SLOW,), r=1)
    assert answer["fault"] and not answer["yes"]
    measured = Section("", "assert True", True, (), SLOW)
    nothing = JudgePlan("", "", ())
    with pytest.raises(JudgeFailed, match="not measured"):
        process.judgement(Question(measured, nothing, pack({})))
    assert not process.judgement(Question(measured, nothing, pack({}), Measured(2.5, 1.5, 64.0))).yes
    assert process.judgement(Question(measured, nothing, pack({}), Measured(1.5, 1.5, 64.0))).yes
    assert not process.judgement_apart(Question(measured, nothing, pack({}), Measured(2.5, 1.5, 64.0))).yes
