"""The autograder zip for Otter: what is in it and what is not, its test files, and what cannot be made into one."""

from __future__ import annotations

import json
import warnings
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
from click.testing import CliRunner
from tiny import ASSIGNMENT, CELLS, HIDDEN_TEXT, MARK_SCHEME, SOLUTION_TEXT, script

from tito.author.release import publish
from tito.cli import cli
from tito.course.cells import read_cells
from tito.course.course import Assignment, Course, load_course
from tito.course.script import read_script, source_notebooks
from tito.errors import BadSource, GateFailed, PlatformError, UsageError
from tito.otter import zip as otter_zip
from tito.otter.zip import PARTS, all_or_nothing_tests, find_zip_leaks, test_file, unmeasured_tests, write_otter_zip
from tito.plan.plan import TestPlan
from tito.plan.planning import plan_notebook

CHECKED = """\
found = double([1.0])
### JUDGE
first = found[0]
### CHECK kind (1): return floats
assert isinstance(first, float)
### CHECK value (3)
assert first == 2.0, "twice one is two"
### BEGIN HIDDEN TESTS
assert double([]) is not None
### END HIDDEN TESTS
"""


def contents(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


@pytest.fixture(scope="module")
def zipped(released_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    course = load_course(released_once.resolve())
    return write_otter_zip(course, course.assignment(ASSIGNMENT), tmp_path_factory.mktemp("zip") / "a" / "otter.zip")


def plan_of(source: str, points: float = 4) -> TestPlan:
    """The plan of a test cell of its own, beside a solution that defines `double`."""
    facts: dict[str, Any] = {"schema_version": 3, "solution": False, "task": False}
    solution = facts | {"grade": False, "solution": True, "locked": False, "grade_id": "double"}
    test = facts | {"grade": True, "locked": True, "grade_id": "test_double", "points": points}
    cells = [
        nbformat.v4.new_code_cell("def double(x): ...", metadata={"nbgrader": solution}),
        nbformat.v4.new_code_cell(source, metadata={"nbgrader": test}),
    ]
    return plan_notebook("doubling", cells).tests["test_double"]


def cases_of(text: str) -> tuple[list[Any], dict[str, Any]]:
    """The test cases of a test file, and its globals."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Otter's own, from what it imports
        from otter.test_files.exception_test import test_case
    namespace: dict[str, Any] = {}
    exec(compile(text, "test_double.py", "exec"), namespace)
    return [value for value in namespace.values() if isinstance(value, test_case)], namespace


def outcome(case: Any, **env: Any) -> str:
    """What a test case says of a namespace: "" when it passes."""
    try:
        case.call_func(env)
    except Exception as error:  # noqa: BLE001  (as Otter calls it)
        return f"{type(error).__name__}: {error}"
    return ""


# ---- what is in it ---------------------------------------------------------------------------------


def test_the_zip_holds_tests_files_and_the_plugin(zipped: Path) -> None:
    files = contents(zipped)
    assert {name for name in files if name.startswith("tests/")} == {"tests/test_double.py", "tests/test_halve.py"}
    assert "files/tinypack/base.py" in files
    assert {f"tito/{part}" for part in PARTS} == {name for name in files if name.startswith("tito/")}
    assert {"setup.sh", "run_autograder", "run_otter.py", "environment.yml", "otter_config.json"} <= set(files)
    assert "numpy==" in files["environment.yml"]


def test_no_solution_is_in_the_zip_and_hidden_tests_are_in_its_tests_alone(zipped: Path) -> None:
    for name, text in contents(zipped).items():
        assert SOLUTION_TEXT not in text, name
        assert MARK_SCHEME not in text, name
        assert "SECRET_OF_A_LATER_MODULE" not in text, name
        if not name.startswith("tests/"):
            assert not any(word in text for word in HIDDEN_TEXT), name
    assert any(HIDDEN_TEXT[0] in text for text in contents(zipped).values())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tests/test_double.py", "{solution}"),
        ("files/notes.txt", "{solution}"),
        ("files/notes.txt", "{hidden}"),
        ("more.json", "{json}"),
    ],
)
def test_a_secret_in_the_wrong_file_of_a_zip_is_found(
    zipped: Path, released: Course, tmp_path: Path, name: str, text: str
) -> None:
    (notebook,) = source_notebooks(released, released.assignment(ASSIGNMENT)).values()
    sources = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell.source for cell in notebook.cells}
    solution = sources["double"].split("### BEGIN SOLUTION")[1].split("### END SOLUTION")[0].strip("\n")
    hidden = sources["test_double"].split("### BEGIN HIDDEN TESTS")[1].split("### END")[0].strip("\n")
    copy = tmp_path / "copy.zip"
    copy.write_bytes(zipped.read_bytes())
    assert find_zip_leaks(copy, read_cells(notebook.cells)) == []
    with zipfile.ZipFile(copy, "a") as archive:
        archive.writestr(name.replace("double", "other"), text.format(
            solution=solution, hidden=hidden, json=json.dumps({"cells": [{"source": solution}]})
        ))  # fmt: skip
    assert find_zip_leaks(copy, read_cells(notebook.cells))


def test_what_given_code_shares_with_a_solution_is_no_secret_of_the_zip(released: Course, tmp_path: Path) -> None:
    """The release gate warns of it, and lets it pass."""
    shared = "numbers_as_floats = np.asarray(values, dtype=np.float64)"
    longer = (
        "largest = float(np.max(np.abs(numbers_as_floats)))\n    assert largest < 1e300\n    return numbers_as_floats"
    )
    setup = f"values = [1.0]\n{shared}\nwarm_start = numbers_as_floats.sum()\n"
    cells = {"double": CELLS["double"].replace("return numbers_as_floats", longer), "more": f"# %%\n{setup}"}
    released.step("source", f"{ASSIGNMENT}.py").write_text(script(**cells), encoding="utf-8")
    publish(released, released.assignment("7"))
    assert write_otter_zip(released, released.assignment("7"), tmp_path / "otter.zip").is_file()


# ---- what cannot be made ---------------------------------------------------------------------------


def test_a_module_that_was_not_released_says_so(course: Course, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has not been released\. Run 'tito release"):
        write_otter_zip(course, course.assignment("7"), tmp_path / "otter.zip")
    assert not (tmp_path / "otter.zip").exists()


def test_a_release_with_other_tests_than_the_source_says_so(released: Course, tmp_path: Path) -> None:
    path = released.step("source", f"{ASSIGNMENT}.py")
    path.write_text(path.read_text(encoding="utf-8").replace("### JUDGE", "extra = 1\n### JUDGE", 1), encoding="utf-8")
    with pytest.raises(UsageError, match="other tests than its source"):
        write_otter_zip(released, released.assignment("7"), tmp_path / "otter.zip")


def test_a_release_that_shows_a_solution_is_not_zipped(released: Course, tmp_path: Path) -> None:
    path = released.step("release", ASSIGNMENT, "notes.txt")
    cells = read_script(released.step("source", f"{ASSIGNMENT}.py")).notebook.cells
    (solution,) = [cell.source for cell in cells if SOLUTION_TEXT in cell.source][:1]
    path.write_text(solution, encoding="utf-8")
    with pytest.raises(GateFailed, match=r"notes\.txt has"):
        write_otter_zip(released, released.assignment("7"), tmp_path / "otter.zip")
    assert not (tmp_path / "otter.zip").exists()


def test_without_otter_the_command_says_what_to_install(
    released: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otter_zip.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(PlatformError, match="pip install 'otter-grader"):
        write_otter_zip(released, released.assignment("7"), tmp_path / "otter.zip")


def test_an_assignment_of_two_notebooks_is_refused(released: Course, tmp_path: Path) -> None:
    folder = released.step("source", "two")
    folder.mkdir()
    for name in ("one", "other"):
        nbformat.write(nbformat.v4.new_notebook(), folder / f"{name}.ipynb")
    with pytest.raises(UsageError, match="has 2 notebooks, and Otter grades one"):
        write_otter_zip(released, Assignment("two"), tmp_path / "otter.zip")


def test_a_test_that_is_no_python_is_refused() -> None:
    with pytest.raises(BadSource, match="test_double: a part of the test is no plain Python"):
        test_file("07", plan_of("await double(1)"))
    with pytest.raises(BadSource, match="holds no statement"):
        test_file("07", plan_of("# nothing"))


# ---- test files ------------------------------------------------------------------------------------


def test_a_test_is_worth_its_points_all_or_nothing() -> None:
    text = test_file(
        "07", plan_of("assert double(1) == 2\n### BEGIN HIDDEN TESTS\nassert double(2) == 4\n### END HIDDEN TESTS")
    )
    cases, facts = cases_of(text)
    assert [(case.points, case.hidden) for case in cases] == [(4, False), (0, True)]
    assert facts["all_or_nothing"] is True
    assert facts["name"] == "test_double"


def test_named_checks_have_their_points_and_messages() -> None:
    cases, facts = cases_of(test_file("07", plan_of(CHECKED)))
    assert [(case.name, case.points, case.hidden, case.failure_message) for case in cases] == [
        ("test_double kind", 1, False, "return floats"),
        ("test_double value", 3, False, None),
        ("test_double hidden 2", 0, True, None),
    ]
    assert facts["all_or_nothing"] is False


def test_named_checks_all_run_whatever_becomes_of_the_others() -> None:
    cases, _ = cases_of(test_file("07", plan_of(CHECKED)))
    kind, value, _ = (outcome(case, double=lambda x: [2]) for case in cases)
    assert kind == "AssertionError: "
    assert value == ""


def test_what_is_observed_is_run_once_and_its_error_fails_every_check() -> None:
    calls = []

    def double(values: list[float]) -> list[float]:
        calls.append(values)
        raise SystemExit(3)

    cases, _ = cases_of(test_file("07", plan_of(CHECKED)))
    outcomes = [outcome(case, double=double) for case in cases[:2]]
    assert outcomes == ["RuntimeError: SystemExit: 3"] * 2
    assert len(calls) == 1


def test_a_judge_half_has_its_own_builtins_and_leaves_nothing_behind() -> None:
    source = "found = double(1)\n### JUDGE\nwanted = max(1, 2)\nassert found == wanted"
    (case,), _ = cases_of(test_file("07", plan_of(source)))
    env: dict[str, Any] = {"double": lambda x: 2, "max": "the student's"}
    case.call_func(env)
    assert env["found"] == 2
    assert "wanted" not in env


def test_a_hidden_part_binds_nothing_in_the_notebook() -> None:
    source = "### BEGIN HIDDEN TESTS\nsecret = double(1)\nassert secret == 2\n### END HIDDEN TESTS"
    (case,), _ = cases_of(test_file("07", plan_of(source)))
    env: dict[str, Any] = {"double": lambda x: 2}
    case.call_func(env)
    assert "secret" not in env


def test_a_students_function_sees_what_a_hidden_part_sets_and_what_was_there_afterwards() -> None:
    """As under nbgrader, where a test runs in the notebook: right answers can stand in for the student's own."""
    source = "### BEGIN HIDDEN TESTS\nhalf = lambda x: x / 2\nassert double(3) == 6\n### END HIDDEN TESTS"
    (case,), _ = cases_of(test_file("07", plan_of(source)))
    env: dict[str, Any] = {}
    exec("def half(x): return None\ndef double(x): return 4 * half(x)", env)
    half = env["half"]
    case.call_func(env)
    assert env["half"] is half


@pytest.mark.parametrize("text", ['"""', "'''", "\\", "\\n", '"', "ü", 'a"""\\"""b'])
def test_a_source_is_the_same_in_a_test_file(text: str) -> None:
    source = f"found = double({text!r})\nassert found == {text!r}, {text!r}"
    (case,), _ = cases_of(test_file("07", plan_of(source)))
    assert outcome(case, double=lambda x: x) == ""
    assert outcome(case, double=lambda x: None) == f"AssertionError: {text}"


def test_magics_are_translated() -> None:
    (case,), _ = cases_of(test_file("07", plan_of("%precision 3\nassert double(1) == 2")))
    assert "get_ipython" in outcome(case, double=lambda x: 2)


def test_the_command_writes_the_zip_into_the_course_and_says_what_it_is_not(released: Course) -> None:
    done = CliRunner().invoke(cli, ["--course", str(released.root), "otter", "7"])
    assert done.exit_code == 0, done.output
    path = released.root / "autograder" / f"{ASSIGNMENT}.zip"
    assert path.is_file()
    assert f"Wrote {path}. Grades are not forge-proof there." in done.stderr


def test_measured_lines_are_skipped_and_the_command_says_where_points_differ(
    module: Assignment, released: Course
) -> None:
    script = released.step("source", f"{ASSIGNMENT}.py")
    lines = "### MEASURED\n# assert wall_s < 2, 'too slow'\n### BEGIN HIDDEN TESTS\nHIDDEN_SEED"
    script.write_text(script.read_text().replace("### BEGIN HIDDEN TESTS\nHIDDEN_SEED", lines))
    assert unmeasured_tests(released, module) == ["test_double"]
    (notebook,) = source_notebooks(released, module).values()
    text = test_file("7", plan_notebook("doubling", notebook.cells).tests["test_double"])
    assert "wall_s" not in text
    publish(released, module)
    result = CliRunner().invoke(cli, ["--course", str(released.root), "otter", "7"])
    assert result.exit_code == 0, result.output
    assert "points can differ: test_double." in result.stderr


def test_the_command_names_tests_whose_partial_credit_otter_does_not_give(module: Assignment, released: Course) -> None:
    script = released.step("source", f"{ASSIGNMENT}.py")
    script.write_text(script.read_text().replace('such as -919.5"', 'such as -919.5"\n3.0'))
    assert all_or_nothing_tests(released, module) == ["test_halve"]
    publish(released, module)
    result = CliRunner().invoke(cli, ["--course", str(released.root), "otter", "7"])
    assert result.exit_code == 0, result.output
    assert "give all of them there: test_halve." in result.stderr
