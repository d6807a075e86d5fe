"""One submission through repair, observation and judging, in a real sandbox."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny import ASSIGNMENT, HIDDEN_TEXT, MARK_SCHEME, released_notebook, solved, submit

from tito.course.cells import kind_of
from tito.course.course import Course, load_course
from tito.grade.causes import HIDDEN_FAILED
from tito.grade.submission import Graded, grade_submission
from tito.gradebook.records import to_json
from tito.judge.judge import Judge, judging
from tito.models import CellKind, CellVerdict, Evidence, Fingerprint, Verdict
from tito.plan.plan import AssignmentPlan
from tito.plan.planning import plan_assignment
from tito.sandbox.bubblewrap import Bubblewrap
from tito.sandbox.unconfined import Unconfined
from tito.sandbox.zygote_client import Sandbox

Grade = Callable[..., Graded]


@pytest.fixture(scope="module")
def course(released_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Course:
    root = tmp_path_factory.mktemp("observe") / "course"
    shutil.copytree(released_once, root)
    return load_course(root.resolve())


@pytest.fixture(scope="module")
def plan(course: Course) -> AssignmentPlan:
    return plan_assignment(course, course.assignment(ASSIGNMENT))


@pytest.fixture(scope="module")
def judge(plan: AssignmentPlan) -> Iterator[Judge]:
    with judging(Bubblewrap(), plan) as judge:
        yield judge


@pytest.fixture(scope="module")
def sandbox(plan: AssignmentPlan) -> Iterator[Sandbox]:
    with Sandbox(Bubblewrap(), plan.spec) as sandbox:
        yield sandbox


@pytest.fixture
def grade(
    course: Course, plan: AssignmentPlan, judge: Judge, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> Grade:
    """Grade the solved notebook with some cells replaced, or a notebook given whole."""
    monkeypatch.setattr("tito.sandbox.time_allowance.GRACE_S", 0.5)

    def run(
        notebook: Any = None,
        cell_timeout_s: float = 4.0,
        notebook_timeout_s: float = 60.0,
        using: Sandbox | None = None,
        **cells: str,
    ) -> Graded:
        folder = submit(course, "ada", notebook if notebook is not None else solved(course, **cells))
        chosen = using or sandbox
        limits = replace(plan.spec.limits, cell_timeout_s=cell_timeout_s, notebook_timeout_s=notebook_timeout_s)
        monkeypatch.setattr(chosen, "spec", replace(plan.spec, limits=limits))
        return grade_submission(plan, "ada", folder, chosen, judge, Fingerprint("", "", ""))

    return run


def verdicts(graded: Graded) -> dict[str, Verdict]:
    return {cell.grade_id: cell.verdict for cell in graded.record.cells if cell.verdict is not Verdict.MANUAL}


def cell(graded: Graded, grade_id: str) -> CellVerdict:
    return next(cell for cell in graded.record.cells if cell.grade_id == grade_id)


def feedback_of(graded: Graded) -> str:
    """All that a student may read: messages, and the outputs of the notebook but for what is the TA's."""
    outputs = [
        {key: value for key, value in output.items() if key != "traceback" or kind_of(cell) is not CellKind.TEST}
        for notebook in graded.notebooks.values()
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    ]
    notes = [note for notebook in graded.record.notebooks for note in notebook.notes]
    return json.dumps([outputs, notes, [cell.message for cell in graded.record.cells]])


def test_a_solved_notebook_earns_its_points_and_written_answers_wait(grade: Grade) -> None:
    graded = grade()
    assert verdicts(graded) == {"test_double": Verdict.PASSED, "test_halve": Verdict.PASSED}
    assert [cell.points for cell in graded.record.cells] == [4.0, 3.0, None, None]
    assert cell(graded, "test_double").evidence is Evidence.JUDGED
    assert cell(graded, "test_halve").evidence is Evidence.IN_PROCESS
    assert graded.record.sandbox == "bubblewrap"
    assert not graded.record.platform_fault


def test_the_untouched_release_earns_nothing(grade: Grade, course: Course) -> None:
    assert not any(cell.points for cell in grade(released_notebook(course)).record.cells)


def test_a_wrong_answer_fails_its_own_test_only_and_the_visible_message_is_told_whole(grade: Grade) -> None:
    graded = grade(double="def double(values):\n    return 3 * values")
    assert verdicts(graded) == {"test_double": Verdict.FAILED, "test_halve": Verdict.PASSED}
    assert cell(graded, "test_double").message == "double([1, 2]) must be [2, 4], got [3.0, 6.0]"
    assert cell(graded, "test_double").points == 0.0


def test_of_a_hidden_check_only_the_authors_constant_text_is_told(grade: Grade) -> None:
    wrong_far = "def double(values):\n    return np.clip(2 * values, -1000, 1000)"
    result = cell(grade(double=wrong_far), "test_double")
    assert (result.verdict, result.message) == (Verdict.FAILED, "large and negative numbers must be doubled too")
    wrong_near = "def double(values):\n    return np.round(2 * values)"
    result = cell(grade(double=wrong_near), "test_double")
    assert (result.verdict, result.message) == (Verdict.FAILED, "small numbers: … should be …")
    assert "[" in result.detail


def test_of_a_hidden_check_beside_student_code_not_even_the_message_is_told(grade: Grade) -> None:
    result = cell(grade(halve="def halve(value):\n    return abs(value) / 2"), "test_halve")
    assert (result.verdict, result.message) == (Verdict.FAILED, HIDDEN_FAILED)


def test_an_error_in_a_visible_part_is_told_and_of_a_hidden_part_only_that_it_failed(grade: Grade) -> None:
    graded = grade(
        double="def double(values):\n    if len(values) > 2: raise ValueError(f'got {values}')\n    return 2 * values",
        halve="def halve(value):\n    return valu / 2",
    )
    result = cell(graded, "test_double")
    assert (result.verdict, result.message) == (Verdict.ERROR, HIDDEN_FAILED)
    assert result.detail.startswith("ValueError: got ")
    result = cell(graded, "test_halve")
    assert (result.verdict, result.message) == (Verdict.ERROR, "NameError: name 'valu' is not defined")


@pytest.mark.parametrize("statement", [
    "raise ValueError(1)", "raise KeyError(1)", "raise type('X706173', (Exception,), {})('far_away')",
    "raise NameError(\"name 'spare' is not defined\")", "return object()", "return 'text'", "return np.zeros(7)",
    "import os; os._exit(7)", "raise SystemExit",
])  # fmt: skip
def test_how_a_hidden_check_fails_is_not_told_to_who_chooses_it(statement: str, grade: Grade) -> None:
    source = f"def double(values):\n    if len(values) > 2: {statement}\n    return 2 * values"
    own = "spare = undefined"  # a cell of the student's own that fails, and would have set that name
    result = cell(grade(double=source, halve=f"{own}\ndef halve(value):\n    return value / 2"), "test_double")
    assert result.points == 0
    assert result.message in (HIDDEN_FAILED, "large and negative numbers must be doubled too")
    if statement.startswith(("raise", "import")):
        assert (result.verdict, result.message) == (Verdict.ERROR, HIDDEN_FAILED)


def test_a_value_that_cannot_cross_loses_the_test_and_says_why(grade: Grade) -> None:
    result = cell(grade(double="def double(values):\n    return object()"), "test_double")
    assert result.verdict is Verdict.FAILED
    assert "cannot cross" in result.message


def test_a_lying_array_is_judged_by_its_numbers(grade: Grade) -> None:
    liar = (
        "class Liar(np.ndarray):\n    def __eq__(self, other): return True\n"
        "    def tolist(self): return [2.0, 4.0]\n"
        "np.allclose = lambda *a, **k: True\n"
        "def double(values):\n    return (0 * values).view(Liar)"
    )
    assert cell(grade(double=liar), "test_double").verdict is Verdict.FAILED


# ---- time, memory, death -----------------------------------------------------------------------


def test_an_endless_loop_costs_its_own_test_and_later_cells_still_run(grade: Grade) -> None:
    graded = grade(double="def double(values):\n    while True: pass", cell_timeout_s=0.5)
    assert verdicts(graded) == {"test_double": Verdict.TIMEOUT, "test_halve": Verdict.PASSED}
    assert "time limit" in cell(graded, "test_double").message


def test_an_endless_loop_at_the_top_of_a_cell_is_stopped_there(grade: Grade) -> None:
    graded = grade(double="while True: pass", cell_timeout_s=0.5)
    assert verdicts(graded) == {"test_double": Verdict.ERROR, "test_halve": Verdict.PASSED}
    assert "CellTimeout" in feedback_of(graded)


def test_a_loop_that_cannot_be_stopped_costs_what_comes_after_it_and_nothing_before(grade: Grade) -> None:
    graded = grade(halve="def halve(value):\n    return sum(range(10**13))", cell_timeout_s=0.5)
    assert verdicts(graded) == {"test_double": Verdict.PASSED, "test_halve": Verdict.TIMEOUT}


def test_too_much_memory_is_told_as_that(grade: Grade) -> None:
    graded = grade(double="def double(values):\n    return [0] * (1 << 40)")
    assert cell(graded, "test_double").verdict is Verdict.MEMORY
    graded = grade(double="def double(values):\n    return np.zeros(1 << 32) + 1")
    assert cell(graded, "test_double").verdict is Verdict.MEMORY


@pytest.fixture
def patient(grade: Grade, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a cell that was stopped the time to say so itself, on a busy machine too."""
    monkeypatch.setattr("tito.sandbox.time_allowance.GRACE_S", 20.0)


def notes(graded: Graded) -> list[str]:
    return [note for notebook in graded.record.notebooks for note in notebook.notes]


def test_a_cell_that_is_stopped_is_named_and_so_it_is_in_the_tests_that_it_costs(grade: Grade, patient: None) -> None:
    graded = grade(double="while True: pass", cell_timeout_s=0.5)
    assert notes(graded) == ["cell 'double' was stopped at its time limit"]
    assert "(cell 'double' was stopped at its time limit.)" in cell(graded, "test_double").message


def test_a_cell_that_raised_is_named_in_the_tests_that_it_costs(grade: Grade) -> None:
    graded = grade(double="1 / 0\ndef double(values):\n    return 2 * values", halve="def halve(value) return 1")
    assert notes(graded) == ["cell 'double' raised ZeroDivisionError", "cell 'halve' raised SyntaxError"]
    assert "(cell 'double' raised ZeroDivisionError.)" in cell(graded, "test_double").message
    assert "(cell 'halve' raised SyntaxError.)" in cell(graded, "test_halve").message


def test_a_cell_that_had_to_be_killed_is_named_and_says_so_itself(grade: Grade) -> None:
    graded = grade(halve="sum(range(10**13))", cell_timeout_s=1)
    assert cell(graded, "test_double").verdict is Verdict.PASSED
    ended = "the notebook ended at cell 'halve': it was stopped at its time limit"
    assert cell(graded, "test_halve").message == f"Not run: {ended}."
    assert notes(graded) == ["cell 'halve' was stopped at its time limit", f"{ended}; later cells were not run"]
    (outputs,) = [cell.outputs for cell in graded.notebooks["doubling"].cells if cell.id == "halve"]
    assert [output.evalue for output in outputs] == ["This cell was stopped at its time limit."]


def test_the_cell_at_which_the_notebooks_time_was_used_up_is_named(grade: Grade, patient: None) -> None:
    graded = grade(double="import time\ntime.sleep(60)", cell_timeout_s=30, notebook_timeout_s=5.0)
    ended = "the notebook ended at cell 'double': the notebook's time was used up"
    assert cell(graded, "test_double").message == cell(graded, "test_halve").message == f"Not run: {ended}."
    assert notes(graded) == ["cell 'double' was stopped at its time limit", f"{ended}; later cells were not run"]


def test_a_tests_time_and_memory_are_recorded(grade: Grade) -> None:
    """A hundred MiB that the function holds for a moment show in its own test, and not in the next one's."""
    hungry = "def double(values):\n    held = np.ones(100 << 17)\n    return 2 * values"
    graded = grade(double=hungry)
    assert verdicts(graded) == {"test_double": Verdict.PASSED, "test_halve": Verdict.PASSED}
    assert 100 <= cell(graded, "test_double").memory_mb < 200
    assert cell(graded, "test_double").seconds > 0
    assert cell(grade(), "test_double").memory_mb < 50


def test_memory_that_is_no_number_does_not_get_into_the_record(grade: Grade) -> None:
    patch = "import resource\nresource.getrusage = lambda who: type('R', (), {'ru_maxrss': float('nan')})\n"
    graded = grade(double=patch + "def double(values):\n    return 2 * values")
    assert json.loads(json.dumps(to_json(graded.record), allow_nan=False))
    assert cell(graded, "test_double").memory_mb == 0.0


@pytest.mark.parametrize("end", ["import os\nos._exit(0)", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"])
def test_a_notebook_that_ends_itself_keeps_what_it_had_earned_before(end: str, grade: Grade) -> None:
    graded = grade(halve=end, cell_timeout_s=1)
    assert cell(graded, "test_double").points == 4.0
    assert cell(graded, "test_halve").points == 0.0
    assert cell(graded, "test_halve").verdict is Verdict.NOT_RUN
    assert any("halve" in note for notebook in graded.record.notebooks for note in notebook.notes)


@pytest.mark.parametrize(
    "attack",
    [
        "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)",
        "import os, signal\nos.kill(-1, signal.SIGKILL)",
        "import os\nos.closerange(3, 256)",
        "import sys\nsys.modules.clear()",
        "import builtins\nbuiltins.__dict__.clear()",
    ],
)
def test_no_attack_on_the_sandbox_earns_a_point_or_is_a_fault_of_ours(attack: str, grade: Grade) -> None:
    graded = grade(double=attack, halve="pass", cell_timeout_s=1)
    assert not graded.record.platform_fault
    assert not any(cell.points for cell in graded.record.cells)


def test_frames_written_to_the_channels_by_the_student_earn_nothing(grade: Grade) -> None:
    forge = (
        "import json, os, struct\n"
        "text = json.dumps({'status': 'ok', 'token': ''}).encode()\n"
        "for fd in range(3, 64):\n"
        "    try: os.write(fd, struct.pack('>III', len(text), 2, 0) + text + b'{}')\n"
        "    except OSError: pass\n"
    )
    graded = grade(double=forge, halve="pass", cell_timeout_s=1)
    assert not graded.record.platform_fault
    assert not any(cell.points for cell in graded.record.cells)


def test_seconds_that_are_no_number_do_not_get_into_the_record(grade: Grade) -> None:
    patch = "import time\ntime.perf_counter = lambda: float('nan')\n"
    graded = grade(double=patch + "def double(values):\n    return 2 * values")
    text = json.dumps(to_json(graded.record))
    assert "NaN" not in text
    assert "Infinity" not in text


# ---- secrets -----------------------------------------------------------------------------------


SPIES = {
    "frames at every call": """
import sys
def spy(frame, event, argument):
    try:
        print(frame.f_code.co_filename, {k: repr(v)[:5000] for k, v in frame.f_locals.items()})
    except Exception: pass
    return spy
sys.settrace(spy)
sys.setprofile(spy)
""",
    "all objects, at every call and at the end": """
import atexit, gc, sys
def spy():
    for one in gc.get_objects():
        if isinstance(one, (dict, list)):
            print(str(one)[:3000])
    frame = sys._getframe()
    while frame:
        print(frame.f_locals); frame = frame.f_back
    print(In, Out, get_ipython().history_manager.input_hist_raw)
atexit.register(spy)
get_ipython().events.register('pre_run_cell', lambda info: print(info.raw_cell))
get_ipython().events.register('post_run_cell', lambda result: spy())
""",
    "a thread that goes on": """
import sys, threading, time
def spy():
    while True:
        for frame in sys._current_frames().values():
            while frame:
                print(str(frame.f_locals)[:3000]); frame = frame.f_back
        time.sleep(0.002)
threading.Thread(target=spy, daemon=True).start()
""",
    "the channel and the shell, patched": """
import os, sys
from tito.sandbox.inside import codec
from tito.sandbox.inside import runner
receive = codec.Channel.receive
def spying(self, *rest):
    found = receive(self, *rest)
    print(found); os.write(1, str(found).encode()); os.write(2, str(found).encode())
    open('/tmp/kept', 'a').write(str(found))
    return found
codec.Channel.receive = spying
run = runner.run
def running(shell, source, limit_s):
    reply = run(shell, source, limit_s)
    reply['evalue'] = reply['ename'] = source
    reply['outputs'] = [{'output_type': 'stream', 'name': 'stdout', 'text': source}]
    reply['seconds'] = 12345.0
    reply['refused'] = {source: source}
    return reply
runner.run = running
""",
    "an error that quotes its caller": """
import inspect, sys
def double(values):
    if len(values) > 2:
        raise ValueError(''.join(map(str, inspect.stack())) + str(sys._getframe(1).f_globals.get('HIDDEN' + '_SEED')))
    return 2 * values
def halve(value):
    raise AssertionError(str(value) + str(inspect.stack()))
""",
    "what earlier branches left": """
import glob
def double(values):
    open('/tmp/left', 'a').write(str(globals().get('HIDDEN' + '_SEED')) + repr(In))
    return 2 * values
def halve(value):
    text = ''.join(open(name).read() for name in glob.glob('/tmp/*') if open(name))
    print(text)
    raise KeyError(text)
""",
}


@pytest.mark.parametrize("spy", SPIES.values(), ids=SPIES)
def test_nothing_that_a_student_reads_holds_a_hidden_test(spy: str, grade: Grade) -> None:
    fallback = "if 'double' not in globals():\n    double = lambda values: 2 * values"
    graded = grade(double=f"{spy}\n{fallback}", halve="pass", cell_timeout_s=1)
    text = feedback_of(graded)
    for secret in (*HIDDEN_TEXT, MARK_SCHEME, "BEGIN HIDDEN"):
        assert secret not in text


def test_what_one_submissions_hidden_check_saw_is_not_told_by_the_next_submission(grade: Grade) -> None:
    hoard = (
        "import os, sys\ndef double(values):\n    text = str(sys._getframe(1).f_globals.get('In'))\n"
        "    for folder in ('/tmp', '/dev/shm', '/', '/opt', '/opt/notebook', '/home', '/var/tmp', '/dev'):\n"
        "        try: open(folder + '/hoard', 'a').write(text)\n        except OSError: pass\n    return 2 * values"
    )
    grade(double=hoard)
    find = (
        "import os\nfor folder, _, names in os.walk('/'):\n    if 'hoard' in names:\n"
        "        print(open(folder + '/hoard').read())\n        os.remove(folder + '/hoard')"
    )
    text = feedback_of(grade(double=find))
    for secret in HIDDEN_TEXT:
        assert secret not in text


# ---- what is no notebook, and what we cannot do ------------------------------------------------


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"\x00" * 100, b"[" * 100_000], ids=["empty", "no cells", "nul", "deep"]
)
def test_what_is_no_notebook_waits_for_a_person_and_says_so(content: bytes, grade: Grade) -> None:
    graded = grade(content)
    assert {cell.verdict for cell in graded.record.cells} == {Verdict.MANUAL}
    assert all(cell.points is None and "Nothing could be run" in cell.message for cell in graded.record.cells)
    assert all(notebook.unread for notebook in graded.record.notebooks)
    assert not graded.record.platform_fault


ODD_SOURCES = {
    "the same argument twice": "def double(a, a):\n    return 2 * a",
    "a long sum": "x = " + "+".join(["1"] * 20_000),
    "deeply nested": "x = " + "-" * 50_000 + "1",
    "a lone surrogate": "x = '\udc80'\nprint(x)",
    "a lone surrogate in an output": "print(chr(0xDC80))\ndef double(values):\n    raise ValueError(chr(0xD800))",
    "control characters": "print('\\x00\\x01\\x1b[31m')\n\x0cx = 1",
    "five megabytes": "x = '" + "y" * (5 << 20) + "'",
}


@pytest.mark.parametrize("source", ODD_SOURCES.values(), ids=ODD_SOURCES)
def test_no_cell_stops_the_grading(source: str, grade: Grade) -> None:
    graded = grade(double=source)
    assert cell(graded, "test_double").points == 0.0
    assert not graded.record.platform_fault


def test_a_judge_that_gives_no_answer_is_our_fault_and_only_its_tests_have_no_number(
    grade: Grade, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("nobody there")

    monkeypatch.setattr(Judge, "_frame", fail)
    graded = grade()
    result = cell(graded, "test_double")
    assert (result.verdict, result.points) == (Verdict.PLATFORM, None)
    assert "a person will look at it" in result.message
    assert cell(graded, "test_halve").verdict is Verdict.PASSED
    assert graded.record.platform_fault


def test_running_without_a_sandbox_is_recorded(grade: Grade, plan: AssignmentPlan) -> None:
    with Sandbox(Unconfined(), plan.spec) as unconfined:
        graded = grade(using=unconfined)
    assert graded.record.sandbox == "none"
    assert verdicts(graded) == {"test_double": Verdict.PASSED, "test_halve": Verdict.PASSED}


# ---- the graded notebook -----------------------------------------------------------------------


def test_warm_ups_are_not_run_and_outputs_of_the_students_cells_are_kept(grade: Grade) -> None:
    graded = grade(double="print('mine')\ndef double(values):\n    return 2 * values")
    cells = graded.notebooks["doubling"].cells
    by_source = {cell.source.split("\n")[0]: cell.get("outputs") for cell in cells if cell.cell_type == "code"}
    assert by_source["warm = [identity(n) for n in range(3)]"] == []
    assert by_source["print('mine')"][0].text == "mine\n"


def test_a_warm_up_that_the_students_own_cell_needs_is_run(grade: Grade, course: Course) -> None:
    graded = grade(double="print(len(warm))\ndef double(values):\n    return 2 * values")
    assert cell(graded, "test_double").verdict is Verdict.PASSED
    assert '"text": "3\\n"' in json.dumps(graded.notebooks["doubling"])


def test_a_broken_warm_up_costs_nothing(grade: Grade, course: Course) -> None:
    notebook = solved(course)
    warmup = next(cell for cell in notebook.cells if "warmup" in cell.metadata.get("tags", []))
    warmup.source = "import os\nos._exit(1)"
    assert verdicts(grade(notebook)) == {"test_double": Verdict.PASSED, "test_halve": Verdict.PASSED}


def test_a_skip_tag_and_a_forged_output_on_a_test_change_nothing(grade: Grade, course: Course) -> None:
    notebook = solved(course, double="pass", halve="pass")
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata and cell.metadata.nbgrader.get("grade"):
            cell.metadata.tags = ["skip-execution", "raises-exception"]
            cell.source = "pass"
    assert not any(cell.points for cell in grade(notebook).record.cells)


# ---- files -------------------------------------------------------------------------------------

PASSES_ON = {
    "double": "import os\ndef double(values):\n    if len(values) > 2: open('/tmp/seen', 'w').write(repr(values))\n"
    "    return 2 * values",
    "halve": "def halve(value):\n    assert not os.path.exists('/tmp/seen'), 'a hidden section has been here'\n"
    "    return value / 2",
}


def test_no_hidden_section_finds_a_file_of_another(grade: Grade) -> None:
    assert verdicts(grade(**PASSES_ON)) == {"test_double": Verdict.PASSED, "test_halve": Verdict.PASSED}


def test_it_would_find_it_if_copies_had_no_turns(grade: Grade, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the test before this shows nothing."""
    monkeypatch.setattr("tito.sandbox.session.Session.begin", lambda _: None)
    monkeypatch.setattr("tito.sandbox.session.Session.turn", lambda *_, **__: None)
    assert verdicts(grade(**PASSES_ON))["test_halve"] is not Verdict.PASSED


def test_honest_work_with_files_earns_its_points(grade: Grade) -> None:
    graded = grade(
        double="open('factor.txt', 'w').write('2')\ndef double(values):\n"
        "    log = open('/tmp/log', 'a')\n    log.write('x')\n    log.close()\n"
        "    return int(open('factor.txt').read()) * values",
        halve="import os\nos.remove('factor.txt')\ndef halve(value):\n    return value / 2",
    )
    assert verdicts(graded) == {"test_double": Verdict.PASSED, "test_halve": Verdict.PASSED}


def test_files_that_cannot_be_kept_cost_their_test_and_are_no_fault_of_ours(grade: Grade) -> None:
    deep = "import os\nfor _ in range(150):\n    os.mkdir('d')\n    os.chdir('d')\nos.chdir(os.environ['HOME'])\n"
    graded = grade(double=f"{deep}def double(values):\n    return 2 * values")
    assert cell(graded, "test_double").verdict is Verdict.ERROR
    assert cell(graded, "test_double").message == "The notebook's folders are nested more than 100 deep."
    assert not graded.record.platform_fault
