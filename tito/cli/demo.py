"""The whole flow on a simulated cohort, in a course folder of its own: what a new user runs first.

Nothing is pretended: the students are the module's variants, their notebooks go through nbgrader's exchange, and
every figure that is printed is read back from what the flow wrote.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count, islice, zip_longest
from pathlib import Path

import nbformat

from tito.author.gates import run_gates
from tito.author.release import publish
from tito.author.variants import FOR_GATES_ALONE, KINDS, read_variants, submission
from tito.bridge.exchange_actions import exchange, hand_to_exchange, require_exchange
from tito.bridge.generate import quiet
from tito.cli.assignments import line, require
from tito.cli.cohort import print_verdicts, summary
from tito.course.course import Assignment, Course, load_course
from tito.course.nbgrader_course import CONFIG_FILE
from tito.course.nbgrader_settings import settings
from tito.course.script import source_notebooks
from tito.course.settings import AUTOTESTS_FILE, LOCAL, SETTINGS_FILE
from tito.errors import PlatformError, UsageError
from tito.exports.tables import write_table
from tito.feedback.pages import write_pages
from tito.grade.cohort import autograde, prepare
from tito.gradebook.store import gradebook
from tito.models import Variant
from tito.policy.time_policy import TimePolicy
from tito.sandbox.backends import backend

MARK = ".tito-demo"
CELL_TIMEOUT_S = 5
PEOPLE = (
    "Ada Lovelace", "Alan Turing", "Barbara Liskov", "Claude Shannon", "Donald Knuth", "Edsger Dijkstra",
    "Frances Allen", "Grace Hopper", "John Backus", "Katherine Johnson", "Leslie Lamport", "Mary Keller",
)  # fmt: skip


@dataclass(frozen=True)
class Player:
    """A simulated student, and the variant that they submit."""

    id: str
    first_name: str
    last_name: str
    variant: Variant


def run(course: Course, assignment: Assignment, into: Path, students: int, say: Callable[[str], None]) -> None:
    """Make a demo course in `into` and take a cohort of so many students, or fewer, from source to CSV.

    Raises:
        UsageError: `into` holds something that is no demo, or the module has no variants.
        GateFailed: the module is not fit for release.
    """
    cohort = _cohort(course, assignment, students)
    demo = _demo_course(course, assignment, into)
    isolation = backend(demo.sandbox.backend)
    with _timed("1. check: the release gates", say):
        require(run_gates(demo, assignment, isolation, for_release=True, progress=lambda gate: say(f"   {line(gate)}")))
    with _timed("2. release", say):
        require_exchange(demo)
        publish(demo, assignment)
        prepare(demo, assignment, isolation)
        hand_to_exchange(demo, assignment)
    with _timed(f"3. a cohort of {len(cohort)} fetches, works and submits through nbgrader's exchange", say):
        _enrol(demo, cohort)
        for player in cohort:
            _submit(demo, assignment, player)
        exchange(demo, assignment, "Collect", update=True, check_owner=False)  # all of them are this one user
    with _timed(f"4. autograde in the {isolation.name} sandbox", say):
        result = autograde(demo, assignment, isolation, progress=lambda record: say(f"   {summary(record)}"))
    with _timed("5. feedback and grades", say):
        pages = write_pages(demo, assignment).pages
        table, rows = write_table(demo, [assignment], "student")
    with _timed("6. the hostile submission under plain nbgrader, for comparison", say):
        compared = [
            (player, *_both_scores(demo, assignment, player)) for player in cohort if player.variant.kind == "hostile"
        ]
    say("")
    print_verdicts(result.records, dict(zip(rows["student_id"], rows["status"], strict=True)))
    _tell(cohort, compared, table, pages, say)


def first_module(course: Course) -> str:
    """The first module that has simulated students.

    Raises:
        UsageError: none has any.
    """
    for assignment in course.assignments:
        if any(course.step("variants", assignment.id).glob("*.py")):
            return assignment.id
    raise UsageError(f"No module of {course.root} has simulated students.", hint="Write some in variants/NN_name/.")


def _tell(
    cohort: list[Player],
    compared: list[tuple[Player, float, float]],
    table: Path,
    pages: list[Path],
    say: Callable[[str], None],
) -> None:
    say("\nWho played what:")
    for player in cohort:
        say(f"   {player.id:10} {player.variant.title}")
    for player, ours, theirs in compared:
        say(f"\n{player.id} is hostile ({player.variant.title}): {theirs:g} points by plain nbgrader, {ours:g} here.")
    say(f"\nGrades:   {table}\nFeedback: {pages[0]}")


@contextlib.contextmanager
def _timed(title: str, say: Callable[[str], None]) -> Iterator[None]:
    say(f"\n{title}")
    started = time.perf_counter()
    yield
    say(f"   ({time.perf_counter() - started:.1f} s)")


def cast(variants: Sequence[Variant], students: int) -> list[Variant]:
    """So many of the variants that students may play: of each kind in turn, until there are enough; in their order."""
    kinds = [kind for kind in KINDS if kind not in FOR_GATES_ALONE]
    by_kind = [[variant for variant in variants if variant.kind == kind] for kind in kinds]
    in_turn = chain.from_iterable(zip_longest(*by_kind))
    chosen = set(islice((variant.name for variant in in_turn if variant is not None), students))
    return [variant for variant in variants if variant.name in chosen]


def _cohort(course: Course, assignment: Assignment, students: int) -> list[Player]:
    variants = cast(read_variants(course, assignment), students)
    if not variants:
        raise UsageError(
            f"There are no variants of {assignment.id} to play students.",
            hint=f"Write some in variants/{assignment.id}/.",
        )
    others = (f"Student{number} Other" for number in count(len(PEOPLE) + 1))
    names = (name.split() for name in chain(PEOPLE, others))
    return [
        Player(first.lower(), first, last, variant) for variant, (first, last) in zip(variants, names, strict=False)
    ]


def _demo_course(course: Course, assignment: Assignment, into: Path) -> Course:
    """A course folder with this module and its variants, and short time limits."""
    if into.exists() and any(into.iterdir()) and not (into / MARK).exists():
        raise UsageError(f"{into} holds something that is no demo.", hint="Name another folder with --into.")
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    (into / MARK).touch()
    text = (course.root / SETTINGS_FILE).read_text(encoding="utf-8")
    text = re.sub(r"(?m)^cell_timeout_s = .*$", f"cell_timeout_s = {CELL_TIMEOUT_S}", text)
    text = _without_dates(_with_a_gradebook_of_its_own(_with_an_exchange_of_its_own(text)))
    (into / SETTINGS_FILE).write_text(text, encoding="utf-8")
    if (course.root / CONFIG_FILE).is_file():
        shutil.copy(course.root / CONFIG_FILE, into)
    if course.reference is not None:
        shutil.copytree(course.reference, into / course.reference.name, ignore=shutil.ignore_patterns("__pycache__"))
    assert assignment.script is not None
    (into / "source").mkdir()
    shutil.copy(assignment.script, into / "source")
    shutil.copytree(course.step("variants", assignment.id), into / "variants" / assignment.id)
    return load_course(into.resolve())


def _with_an_exchange_of_its_own(text: str) -> str:
    """Settings with the exchange in the demo's folder, whatever exchange the class has: its students are no users of a
    hub."""
    text = re.sub(r"(?ms)^\[exchange\].*?(?=^\[|\Z)", "", text)
    return f'{text.rstrip()}\n\n[exchange]\nurl = "{LOCAL}"\n'


def _without_dates(text: str) -> str:
    """Settings without the class's deadlines: they are of modules that the demo lacks, and may be over."""
    tables = r"deadlines|cutoffs|extensions"
    text = re.sub(rf"(?m)^({tables})\..*\n?", "", text)
    return re.sub(rf"(?ms)^\[({tables})(\..*?)?\].*?(?=^\[|\Z)", "", text)


def _with_a_gradebook_of_its_own(text: str) -> str:
    """Settings with the gradebook in the demo's folder, whatever database the class has."""
    text = re.sub(r"(?m)^db_url = .*\n", "", text)
    own = f'[gradebook]\ndb_url = "{Course.db_url}"\n'
    return text.replace("[gradebook]\n", own, 1) if "[gradebook]\n" in text else f"{text}\n{own}"


def _enrol(demo: Course, cohort: list[Player]) -> None:
    with gradebook(demo) as opened:
        for player in cohort:
            opened.update_or_create_student(
                player.id, first_name=player.first_name, last_name=player.last_name, email=f"{player.id}@example.edu"
            )


def _submit(demo: Course, assignment: Assignment, player: Player) -> None:
    """Fetch, replace the student's cells, submit: each student in a home folder of their own."""
    home = demo.root / "homes" / player.id
    home.mkdir(parents=True)
    traits = {"assignment_dir": str(home), "cache": str(home / ".cache")}
    exchange(demo, assignment, "FetchAssignment", **traits)
    for name, source in source_notebooks(demo, assignment).items():
        path = home / assignment.id / f"{name}.ipynb"
        released = nbformat.read(path, as_version=4)
        nbformat.write(submission(player.variant, source, released), path)
    exchange(demo, assignment, "Submit", student=player.id, **traits)


def _both_scores(demo: Course, assignment: Assignment, player: Player) -> tuple[float, float]:
    """Raw scores of one submission: as the gradebook has it, and as plain nbgrader's autograde gives it."""
    with gradebook(demo) as opened:
        ours = float(opened.find_submission(assignment.id, player.id).score)
    return ours, plain_nbgrader_scores(demo, assignment, (player.id,))[player.id]


def plain_nbgrader_scores(
    course: Course, assignment: Assignment, students: tuple[str, ...], keep: Path | None = None
) -> dict[str, float]:
    """Scores of submissions by nbgrader's own autograde, in a scratch course: no sandbox, its own gradebook.

    Args:
        keep: where to put the `autograded/` that it has written.

    Raises:
        PlatformError: nbgrader gave up.
    """
    from nbgrader.converters import Autograde
    from nbgrader.coursedir import CourseDirectory

    with tempfile.TemporaryDirectory(prefix="tito-plain-") as folder:
        root = Path(folder)
        plain = replace(course, root=root, db_url=f"sqlite:///{root / 'gradebook' / 'gradebook.db'}")
        (root / "source").mkdir()
        shutil.copytree(course.step("source", assignment.id), plain.step("source", assignment.id))
        if (templates := course.root / AUTOTESTS_FILE).is_file():
            shutil.copy(templates, root)
        publish(replace(plain, policy=TimePolicy()), assignment)
        scores: dict[str, float] = {}
        for student in students:
            shutil.copytree(
                course.step("submitted", student, assignment.id),
                plain.step("submitted", student, assignment.id),
            )
            config = settings(plain)
            config.CourseDirectory.assignment_id = assignment.id
            config.CourseDirectory.student_id = student
            del config["Autograde"]  # nbgrader's own engine, and not ours
            config.ExecutePreprocessor.timeout = 60
            config.Execute.extra_arguments = ["--log-level=CRITICAL"]
            try:
                with quiet(), warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # nbgrader's own, from SQLAlchemy
                    Autograde(coursedir=CourseDirectory(config=config), config=config).start()
            except Exception as error:  # nbgrader and nbclient raise anything; this is the one seam
                raise PlatformError(f"plain nbgrader could not grade {student}: {error}") from error
            with gradebook(plain) as opened:
                scores[student] = float(opened.find_submission(assignment.id, student).score)
        if keep is not None:
            shutil.copytree(plain.step("autograded"), keep)
    return scores
