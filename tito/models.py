"""The records that cross the platform's seams, and their states. No behaviour beyond arithmetic on themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Annotated

from tito.validation import NO_OTHERS, Between

MOST = 1_000_000  # of any number that a course sets: TOML has infinity too


class Verdict(Enum):
    """Outcome of one graded cell. All but the last two are the student's; PLATFORM writes no number."""

    PASSED = "passed"  # the judge said yes, on evidence
    FAILED = "failed"  # the judge said no
    ERROR = "error"  # the student's code raised, exited or died
    TIMEOUT = "timeout"  # the cell was stopped at its time limit
    MEMORY = "memory"  # the cell asked for more memory than it may have
    NOT_RUN = "not run"  # the notebook ended before this cell
    MANUAL = "manual"  # a written answer, or a file that cannot be read: waits for a person
    PLATFORM = "platform fault"  # ours: waits for a person, no number is written


class Evidence(Enum):
    """What a verdict rests on."""

    JUDGED = "judged"  # observations, judged in a process without student code
    REMOTE = "remote"  # the test's own code, run in a process without student code, asking the notebook's objects
    REPORTED = "reported"  # can be forged: judged elsewhere, but by what only the student's process can know
    IN_PROCESS = "in-process"  # can be forged: the test's own asserts, beside student code
    NONE = "none"  # nothing was seen


FORGEABLE = (Evidence.REPORTED, Evidence.IN_PROCESS)


class CellKind(Enum):
    """What nbgrader's metadata make of a cell."""

    PLAIN = "plain"  # no nbgrader metadata: text, warm-ups, the student's own cells
    LOCKED = "locked"  # read-only
    SOLUTION = "solution"  # the student writes here; tests elsewhere grade it
    TEST = "test"  # autograded
    ANSWER = "answer"  # the student writes here and a person grades it
    TASK = "task"  # a person grades what stands around it


class Status(Enum):
    """State of one student's assignment, as the gradebook and the exports tell it."""

    GRADED = "graded"  # all of it; the only one with a final score
    MISSING = "missing"  # nothing was submitted
    EXCUSED = "excused"  # nothing has to be submitted, and nothing is counted
    UNGRADED = "ungraded"  # submitted, not autograded yet
    NEEDS_MANUAL_GRADING = "needs manual grading"  # a written answer, or what cannot be read, waits for a person
    PLATFORM_FAULT = "platform fault"  # we could not say: see `tito status`


@dataclass(frozen=True)
class ModuleInfo:
    """What the header of a module's script says about it; it stands nowhere else."""

    number: int
    name: str
    title: str
    tier: str
    difficulty: int
    time: str
    prerequisites: tuple[str, ...]
    export: str  # dotted path inside the package, or ""
    summary: str
    provides: tuple[str, ...] = ()  # dotted paths: files of its own number that students are given with it


@dataclass(frozen=True)
class NamedCheck:
    """A part of a judge half with points of its own: partial credit."""

    name: str
    points: float
    source: str
    message: str = ""  # for the student; without it, the message of the assert that failed
    measured: str = ""  # statements on what was measured from outside, which run after `source`


@dataclass(frozen=True)
class SectionNames:
    """What names in a section of a test mean where a student has given them another meaning.

    `pythons` are built-in functions that it calls and no cell of the instructor's defines; `shared` are names that it
    sets and the instructor's other cells do too: what it sets is left to them. All other names that it sets are the
    test's alone. `of_tests` are such names that it reads.
    """

    pythons: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    of_tests: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """One run of a graded test: what is observed beside student code, and what judges it elsewhere.

    `judge` is None where the author drew no `### JUDGE` line: then all of it is run by the judge, which asks the
    notebook's objects; or, where that cannot be, in the student's process, where its own asserts are all the evidence
    there is. With `checks`, it is what they have in common. `measured` are statements on what was measured from
    outside, which run after it; `reported` are observed names that the author takes the student's word for.
    `has_last_value`: it ends in what may be the points of the test, see `plan/partial_credit.py`.
    """

    observe: str
    judge: str | None
    hidden: bool
    checks: tuple[NamedCheck, ...] = ()
    measured: str = ""
    reported: tuple[str, ...] = ()
    names: SectionNames = field(default_factory=SectionNames)
    has_last_value: bool = False

    @property
    def is_measured(self) -> bool:
        """Whether it is judged by time or memory, so that somebody has to measure these."""
        return bool(self.measured) or any(check.measured for check in self.checks)


@dataclass(frozen=True)
class Measured:
    """What a section's observe half took, measured from outside of the student's process.

    Time by the clock, processor time of all of the session's processes, and in MiB by how much the session outgrew what
    it held when the section began.
    """

    wall_s: float
    cpu_s: float
    peak_mb: float


@dataclass(frozen=True)
class CompiledCell:
    """A cell as IPython would compile it: its statements, and apart from them a last one whose value is displayed."""

    name: str  # of the file that its lines are shown to come from
    statements: bytes  # marshalled code
    last: bytes  # b"": there is nothing to display
    flags: int  # of __future__: what was taken to hold before it
    sets: int  # and what holds after it


@dataclass(frozen=True)
class JudgePlan:
    """How a judge half gets its names.

    `given` is the source of those statements of the observe half that no student code can influence;
    the judge runs them itself. `observed` are the names that must cross from the student's process.
    `imports` are the notebook's own import statements that the two need.
    """

    imports: str
    given: str
    observed: tuple[str, ...]


@dataclass(frozen=True)
class RemotePlan:
    """How a test without judge halves runs in the judge, asking the notebook's objects.

    `imports` are statements by the name that they bind; `given` is source of the instructor's that the judge runs
    itself: functions and constants. `notebook` are names that the notebook is asked for although the judge has them;
    `mirrored` are those that it is told of when the test sets them, because its functions read them. `sites` is what
    the reference's run has shown: where its objects were asked and changed what (see `judge/call_sites.py`). `modules`
    are those that a test which imports them is handed as the notebook has them. With `files`, the files of the
    notebook's folder are brought to the judge, and what the test writes to the notebook (see `mirrored_files`).
    """

    imports: tuple[tuple[str, str], ...] = ()
    given: str = ""
    notebook: frozenset[str] = frozenset()
    mirrored: frozenset[str] = frozenset()
    keep: bool = False
    modules: frozenset[str] = frozenset()
    files: bool = False
    sites: frozenset[str] | None = None


@dataclass(frozen=True)
class Limits:
    """What one submission may use; sizes are in MiB.

    A notebook's time is by the clock. A cell's is that of its processor, and as much by the clock; where the machine is
    busy with others, a cell that is at work has twice as long by the clock.
    """

    __pydantic_config__ = NO_OTHERS

    # With less than the least not even right work runs: what the sandbox needs itself would be taken for a student's.
    #: of a cell
    cell_timeout_s: Annotated[float, Between(0.1, MOST)] = 30.0
    #: of all cells of a notebook
    notebook_timeout_s: Annotated[float, Between(1, MOST)] = 300.0
    #: of all processes together
    memory_mb: Annotated[int, Between(64, MOST)] = 2048
    #: of files that are written
    scratch_mb: Annotated[int, Between(1, MOST)] = 256
    #: and threads
    processes: Annotated[int, Between(8, MOST)] = 160
    #: that are kept of what a cell prints
    output_kb: Annotated[int, Between(1, MOST)] = 256
    #: of a notebook that is handed in
    submission_mb: Annotated[int, Between(1, MOST)] = 20


@dataclass(frozen=True)
class Stubs:
    """What a release has in the place of a solution, and between which marks that stands: nbgrader's ClearSolutions."""

    code: str = "# YOUR CODE HERE\nraise NotImplementedError()"
    text: str = "YOUR ANSWER HERE"
    begin: str = "BEGIN SOLUTION"
    end: str = "END SOLUTION"


@dataclass(frozen=True)
class CheckVerdict:
    """Outcome of one named check."""

    name: str
    points: float
    max_points: float
    message: str = ""


@dataclass(frozen=True)
class CellVerdict:
    """Verdict on one graded cell. `message` is what the student may read; `detail` is for the TA only.

    `why_in_process` says to the author of a test why it had to run beside student code, and what would change that.
    `seconds` and `memory_mb` are the sandbox's word, and inform: wall time of the test, and by how many MiB the process
    that ran it had outgrown a fresh notebook's at its largest until then, with all that earlier cells hold. A student
    reads the same of the visible parts, which ran before anything hidden did: time and memory can tell what was seen.
    """

    grade_id: str
    verdict: Verdict
    points: float | None
    max_points: float
    evidence: Evidence = Evidence.NONE
    message: str = ""
    detail: str = ""
    seconds: float = 0.0
    checks: tuple[CheckVerdict, ...] = ()
    memory_mb: float = 0.0
    why_in_process: str = ""
    visible_seconds: float = 0.0
    visible_memory_mb: float = 0.0

    @property
    def earned(self) -> bool:
        return self.verdict is Verdict.PASSED

    @property
    def points_forgeable(self) -> float:
        """Points that were earned on evidence that student code can forge."""
        return (self.points or 0.0) if self.evidence in FORGEABLE else 0.0


@dataclass(frozen=True)
class NotebookVerdicts:
    """All that grading one notebook gave: its verdicts, and notes on what was repaired in it. `unread`: a file was
    handed in that cannot be read, so that nothing of it is known, and all of it waits for a person.

    `missing_modules` are imported in it, and are not among the packages of the course."""

    notebook: str
    cells: tuple[CellVerdict, ...]
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    unread: bool = False
    missing_modules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fingerprint:
    """What a verdict depends on: the same three hashes mean that nothing needs to be graded again."""

    submission: str
    tests: str
    environment: str


@dataclass(frozen=True)
class SubmissionRecord:
    """The stored result of grading one submission (the JSON file beside the gradebook)."""

    student: str
    assignment: str
    fingerprint: Fingerprint
    sandbox: str
    graded_at: str
    notebooks: tuple[NotebookVerdicts, ...]
    fault: str = ""  # non-empty: the platform could not grade it
    files: tuple[str, ...] = ()  # paths of what was handed in beside the notebooks and brought into their sessions
    packages: dict[str, str] = field(default_factory=dict)  # those of the course, and Python, with their versions

    @property
    def cells(self) -> tuple[CellVerdict, ...]:
        return tuple(cell for notebook in self.notebooks for cell in notebook.cells)

    @property
    def points_forgeable(self) -> float:
        """Points that were earned on evidence that student code can forge."""
        return sum(cell.points_forgeable for cell in self.cells)

    @property
    def platform_fault(self) -> bool:
        return bool(self.fault) or any(cell.verdict is Verdict.PLATFORM for cell in self.cells)


@dataclass(frozen=True)
class ReleasedCell:
    """A graded cell of an assignment as the gradebook knows it. `label`: its name, with the notebook's before it where
    several notebooks of the assignment have a cell of that name."""

    notebook: str
    name: str
    label: str
    max_points: float


@dataclass(frozen=True)
class GradeRow:
    """One student's grades of an assignment; `cells` are points by the label of a graded cell.

    `late_penalty` is less than nothing where credit was won by being early. `lms_user_id` is what the roster says the
    learning management system calls the student.
    """

    student_id: str
    last_name: str
    first_name: str
    email: str
    cells: dict[str, float | None]
    raw_score: float | None
    late_penalty: float | None
    score: float | None
    max_score: float
    status: Status
    late_tokens: int | None = None  # that are spent on it
    points_forgeable: float | None = None  # of what grading gave: earned on evidence that student code can forge
    lms_user_id: str = ""


@dataclass(frozen=True)
class Gate:
    """What one gate says before a release, one line. A `warning` holds nothing up, and is to be read."""

    name: str
    ok: bool
    detail: str = ""
    where: str = ""
    hint: str = ""
    warning: bool = False


@dataclass
class GateReport:
    """What all gates say of a module, gathered as they run."""

    subject: str
    gates: list[Gate] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return all(gate.ok for gate in self.gates)


@dataclass(frozen=True)
class Variant:
    """A simulated student's solution: cells that replace the reference's (or the stub's), and what must come of it."""

    name: str
    title: str
    kind: str
    base: str
    lost: frozenset[str]
    all_lost: bool
    cells: dict[str, str]
    path: Path
