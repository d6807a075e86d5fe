"""A course: its folder, its settings (`course.toml`), its assignments, and its reference package, staged.

Knows that modules have numbers and that a module may use those below it; knows no module by name.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
from collections.abc import Collection
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from tito.course.nbgrader_course import CONFIG_FILE, GRADEBOOK, gradebook_in_config
from tito.course.settings import (
    EXCHANGE_VARIABLE,
    GRADEBOOK_VARIABLE,
    LOCAL,
    RUNNER_PACKAGES,
    SETTINGS_FILE,
    SQLITE,
    ExchangeSettings,
    FileSettings,
    FolderSettings,
    GateSettings,
    PrecheckSettings,
    SandboxSettings,
)
from tito.errors import BadSource, NotACourse, UnknownAssignment
from tito.models import Limits, Stubs
from tito.policy.time_policy import TimePolicy
from tito.validation import near

if TYPE_CHECKING:
    from traitlets.config import Config

SCRIPT_NAME = re.compile(r"(?P<number>\d\d)_(?P<name>[A-Za-z][A-Za-z0-9_]*)")
IGNORED = (".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback")  # nbgrader's CourseDirectory.ignore
MODULE_MARK = re.compile(r"# module: (?P<number>\d\d)_\w+")


@dataclass(frozen=True)
class Assignment:
    """One assignment: `id` names its folder in every step; `script` is its source where it is a module."""

    id: str
    script: Path | None = None

    @property
    def number(self) -> int | None:
        match = SCRIPT_NAME.fullmatch(self.id)
        return int(match["number"]) if match else None


@dataclass(frozen=True)
class Course:
    """A course folder and its settings. Paths are absolute."""

    root: Path
    id: str
    title: str = ""
    package: str = ""
    reference: Path | None = None
    db_url: str = "sqlite:///gradebook/gradebook.db"
    exchange_root: Path = Path("exchange")
    exchange_kind: str = "service"
    exchange_url: str = ""
    exchange_is_named: bool = False  # course.toml says where it is
    folders: FolderSettings = field(default_factory=FolderSettings)
    sandbox: SandboxSettings = field(default_factory=SandboxSettings)
    limits: Limits = field(default_factory=Limits)
    precheck: PrecheckSettings = field(default_factory=PrecheckSettings)
    gates: GateSettings = field(default_factory=GateSettings)
    files: FileSettings = field(default_factory=FileSettings)
    policy: TimePolicy = field(default_factory=TimePolicy)  # of course.toml alone, see `course_policy`
    named: frozenset[str] = frozenset()  # settings that stand in course.toml, as "limits.cell_timeout_s"
    nbgrader: Config | None = None  # nbgrader's own settings, see `nbgrader_options`
    ignored: tuple[str, ...] = IGNORED
    excluded: tuple[str, ...] = ()  # students who are not graded
    stubs: Stubs = field(default_factory=Stubs)
    runs: bool = True  # whether submissions are run when they are graded

    @property
    def gradebook_file(self) -> Path | None:
        """The gradebook's file, where it is one of SQLite's."""
        return Path(self.db_url.removeprefix(SQLITE)) if self.db_url.startswith(SQLITE) else None

    def step(self, name: str, *parts: str) -> Path:
        """Folder of one of nbgrader's steps: source, release, submitted, autograded, feedback."""
        return self.root.joinpath(getattr(self.folders, name, name), *parts)

    @property
    def exchange_place(self) -> str:
        """Where the exchange is, for messages."""
        if self.exchange_kind == "nbgrader":
            return f"that {CONFIG_FILE} names"
        service = self.exchange_kind == "service" and self.exchange_url
        return service or str(self.exchange_root)

    @property
    def gradebook_dir(self) -> Path:
        return self.root / "gradebook"

    @property
    def assignments(self) -> tuple[Assignment, ...]:
        """Scripts `source/NN_name.py` first, then folders that hold notebooks, as nbgrader has them."""
        source = self.step("source")
        scripts = sorted(path for path in source.glob("*.py") if SCRIPT_NAME.fullmatch(path.stem))
        assignments = {path.stem: Assignment(path.stem, path) for path in scripts}
        for folder in sorted(path for path in source.glob("*") if path.is_dir()):
            if folder.name not in assignments and any(folder.glob("*.ipynb")):
                assignments[folder.name] = Assignment(folder.name)
        return tuple(assignments.values())

    def assignment(self, reference: str) -> Assignment:
        """The assignment meant by `7`, `sums` or `07_sums`.

        Raises:
            UnknownAssignment: none, or more than one, is meant by it.
        """
        known = self.assignments
        meant = [assignment for assignment in known if reference in _names_of(assignment)]
        if len(meant) == 1:
            return meant[0]
        if meant:
            raise UnknownAssignment(
                f"'{reference}' could be any of {', '.join(assignment.id for assignment in meant)}.",
                hint="Give the whole name.",
            )
        if reference and Path(reference).name == reference != ".." and self.step("source", reference).is_dir():
            place = f"source/{reference}"
            raise UnknownAssignment(
                f"{place} holds no notebook yet.",
                hint=f"Put one there, such as {place}/{reference}.ipynb; or write a module, source/NN_name.py.",
            )
        close = get_close_matches(reference, [name for assignment in known for name in _names_of(assignment)], n=1)
        listing = ", ".join(assignment.id for assignment in known) or "none: source/ holds no NN_name.py script"
        hint = f"Did you mean '{close[0]}'?" if close else f"This course has: {listing}."
        raise UnknownAssignment(f"No module or assignment '{reference}' in {self.root}.", hint=hint)

    def submissions(self, assignment: str) -> dict[str, Path]:
        """Folder of each student's submission of an assignment, by student."""
        folders = (path for path in self.step("submitted").glob(f"*/{assignment}") if path.is_dir())
        mine = (path for path in folders if not path.is_symlink() and not path.parent.name.startswith("."))
        return {path.parent.name: path for path in sorted(mine)}

    def files_below(self, below: int) -> list[Path]:
        """The files of the reference package that students of module number `below` are given of other modules.

        Raises:
            BadSource: a file of the reference that does not say to which module it belongs.
        """
        if self.reference is None:
            return []
        files = (path for path in sorted(self.reference.rglob("*")) if path.is_file())
        return [path for path in files if "__pycache__" not in path.parts and _is_staged(path, below)]

    def stage(self, below: int | None, into: Path, provided: Collection[Path] = ()) -> Path | None:
        """Copy the reference package, modules below number `below` only, to `into`/<package>; return that folder.

        The files in `provided` are staged as well, whatever their number.

        Every file says in its first line which module it belongs to (`# module: 03_layers`);
        an `__init__.py` may go without, and then is always staged. None where the course has no reference package.

        Raises:
            BadSource: a file of the reference that does not say to which module it belongs.
        """
        if self.reference is None or below is None:
            return None
        target = into / self.package
        for path in [*self.files_below(below), *provided]:
            copy = target / path.relative_to(self.reference)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        for folder in sorted((path for path in target.rglob("*") if path.is_dir()), reverse=True):
            if not any(_is_content(path) for path in folder.rglob("*")):
                shutil.rmtree(folder)
        return target


def keep_private(folder: Path) -> None:
    """What this process makes from now on is closed to other accounts of the machine; open to the group of the folder
    where its mode lets the group write, as graders that share a course have it.

    Compiled modules are not kept then, by it and what it starts: they would be closed to sessions, of another user.
    """
    shared = folder.is_dir() and folder.stat().st_mode & stat.S_IWGRP
    os.umask(0o007 if shared else 0o077)
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"


def _names_of(assignment: Assignment) -> tuple[str, ...]:
    match = SCRIPT_NAME.fullmatch(assignment.id)
    if match is None:
        return (assignment.id,)
    return (assignment.id, match["number"], match["number"].lstrip("0"), match["name"])


def module_number(path: Path) -> int | None:
    """The module that a file of the package says in its first line that it belongs to; None where it does not say."""
    with path.open(encoding="utf-8") as lines:
        match = MODULE_MARK.match(lines.readline())
    return int(match["number"]) if match is not None else None


def _is_staged(path: Path, below: int) -> bool:
    if path.suffix != ".py":
        return path.name == "py.typed" or _data_number(path) < below
    number = module_number(path)
    if number is not None:
        return number < below
    if path.name == "__init__.py":
        return True
    raise BadSource(
        f"{path}: the first line does not say which module the file belongs to.",
        hint="Begin it with e.g. '# module: 03_layers'; it is released only to modules above that one.",
    )


def _data_number(path: Path) -> int:
    """Data goes with the module that its folder's __init__.py names, or with none (and is staged always)."""
    init = path.parent / "__init__.py"
    if not init.exists():
        return -1
    match = MODULE_MARK.match(init.read_text(encoding="utf-8"))
    return int(match["number"]) if match else -1


def _is_content(path: Path) -> bool:
    """Whether a staged file is more than the bare `__init__.py` of a folder whose modules were all left out."""
    if path.is_dir():
        return False
    return path.name != "__init__.py" or MODULE_MARK.match(path.read_text(encoding="utf-8")) is not None


def find_course(start: Path) -> Course:
    """The course that `start` lies in.

    Raises:
        NotACourse: neither `start` nor a folder above it holds a course.toml.
        BadSource: the course.toml there cannot be read.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / SETTINGS_FILE).is_file():
            return load_course(folder)
    raise NotACourse(
        f"{start} is not a course folder: there is no {SETTINGS_FILE} in it or above it.",
        hint="Change into your course, or name it with --course FOLDER; 'tito init' sets one up.",
    )


def load_course(root: Path) -> Course:
    """Read `root`/course.toml.

    Raises:
        BadSource: it is no TOML, lacks `id`, holds a setting that we do not know, or one that cannot be.
    """
    from tito.course.course_file import read_course_file, settings_named_in
    from tito.course.sound_policy import require_sound

    path = root / SETTINGS_FILE
    file = read_course_file(path)
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", file.id):
        raise BadSource(f"{path}: 'id' is no plain name: {file.id!r}.", hint='Write a line such as id = "ml101".')
    _require_runner(path, file.sandbox)
    course = Course(
        root=root,
        id=file.id,
        title=file.id if file.title is None else file.title,
        package=file.package,
        reference=_reference(path, file.reference, file.package),
        db_url=_database_url(path, file.gradebook.db_url),
        exchange_root=root / (file.exchange.root or Course.exchange_root),
        exchange_kind=file.exchange.kind,
        exchange_url=_exchange_url(path, file.exchange),
        exchange_is_named=file.exchange.is_named,
        folders=_folders(path, file.folders),
        sandbox=file.sandbox,
        limits=file.limits,
        precheck=file.precheck,
        gates=file.gates,
        files=file.files,
        policy=file.policy,
        named=settings_named_in(path),
    )
    released = (folder.name for folder in course.step("release").glob("*/"))
    require_sound(path, course.policy, {*(assignment.id for assignment in course.assignments), *released})
    _require_files(path, course)
    return course


def _require_runner(path: Path, sandbox: SandboxSettings) -> None:
    missing = [name for name in RUNNER_PACKAGES if name not in {package.lower() for package in sandbox.packages}]
    if missing:
        raise BadSource(
            f"{path}: 'sandbox.packages' lacks {' and '.join(missing)}, with which notebooks are run.",
            hint="Add it to the list.",
        )


def _folders(path: Path, folders: FolderSettings) -> FolderSettings:
    names = [getattr(folders, step.name) for step in fields(folders)]
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name) or names.count(name) > 1 or name == "gradebook":
            raise BadSource(
                f"{path}: 'folders' has '{name}', which is no plain name of a folder, or is another folder's.",
                hint="Give each step a folder of its own in the course's folder.",
            )
    return folders


def _require_files(path: Path, course: Course) -> None:
    """Refuse patterns that no file could ever fit, and files for which a session has no room."""
    assignments = {assignment.id for assignment in course.assignments}
    assignments |= {folder.name for folder in course.step("release").glob("*/")}
    for name in course.files.assignments:
        if name not in assignments:
            raise BadSource(
                f"{path}: 'files.assignments' names no assignment of this course: '{name}'.",
                hint=near(name, assignments),
            )
    for pattern in (*course.files.submitted, *(each for more in course.files.assignments.values() for each in more)):
        if not pattern.isprintable() or "\\" in pattern or {"", ".", ".."} & set(pattern.split("/")):
            raise BadSource(
                f"{path}: {pattern!r} is no pattern of files that are handed in.",
                hint="Write names and paths below the assignment's folder, such as '*.csv', 'data/*.txt', '**/*.png'.",
            )
    if course.files.total_mb > course.limits.scratch_mb:
        raise BadSource(
            f"{path}: 'files.total_mb' is more than a session has room for, 'limits.scratch_mb'.",
            hint="Correct one of them.",
        )


def _exchange_url(path: Path, exchange: ExchangeSettings) -> str:
    source = f"{path}: 'exchange.url'" if exchange.url else EXCHANGE_VARIABLE
    url = exchange.url or os.environ.get(EXCHANGE_VARIABLE, "")
    if url in ("", LOCAL):
        return ""
    if not re.fullmatch(r"https?://[^/\s]+(/\S*)?", url):
        raise BadSource(f"{source} is no address: '{url}'.", hint=f"Write it as http://host:port, or as '{LOCAL}'.")
    return url


def _reference(path: Path, name: str, package: str) -> Path | None:
    if package and not package.isidentifier():
        raise BadSource(f"{path}: 'package' is no name to import: '{package}'.", hint="Write one word, such as ml101.")
    if not name:
        return None
    folder: Path = (path.parent / name).resolve()
    if not (folder / "__init__.py").is_file():
        raise BadSource(
            f"{path}: the reference package '{name}' is not there: no {folder / '__init__.py'}.",
            hint="Correct `reference`, or take it out when the course has no package of its own.",
        )
    if not package:
        raise BadSource(
            f"{path}: there is a 'reference' and no 'package', the name by which students import it.",
            hint='Add a line such as package = "ml101".',
        )
    return folder


def _database_url(path: Path, url: str) -> str:
    """By default TITO_GRADEBOOK_DB: a URL with a password in it stands in no course file. A relative SQLite path is one
    in the course folder, wherever the command is run from."""
    variable = os.environ.get(GRADEBOOK_VARIABLE, "")
    if url == f"${GRADEBOOK_VARIABLE}":
        if not variable:
            raise BadSource(
                f"{path}: 'gradebook.db_url' is to come from {GRADEBOOK_VARIABLE}, which is not set.",
                hint="Set it to the gradebook's URL; nbgrader_config.py may say which that is.",
            )
        url = ""
    source = f"{path}: 'gradebook.db_url'" if url else GRADEBOOK_VARIABLE
    url = url or variable or _default_database(path)
    if not re.match(r"[a-z0-9]+(\+[a-z0-9_]+)?://", url):  # without its text, which may hold a password
        raise BadSource(
            f"{source} is no URL of a database.", hint=f"Write it as {Course.db_url}, or as SQLAlchemy does."
        )
    return whole_url(url, path.parent)


def whole_url(url: str, root: Path) -> str:
    """The URL of a database; a relative path of SQLite's is one in the course's folder."""
    return f"{SQLITE}{root / url.removeprefix(SQLITE)}" if url.startswith(SQLITE) else url


def _default_database(path: Path) -> str:
    """nbgrader's own gradebook, where the course has one: a second one beside it would be empty, and be graded into.

    Raises:
        BadSource: which of two it is, or what nbgrader_config.py makes it, only a person can say.
    """
    theirs, ours = f"sqlite:///{GRADEBOOK}", Course.db_url
    in_config = gradebook_in_config(path.parent)
    if in_config:
        literal = re.fullmatch(r"""(["'])([^"'@]+)\1""", in_config)  # with no password in it
        line = (
            f'db_url = "{literal[2]}"' if literal else f'db_url = the URL that stands there, or "${GRADEBOOK_VARIABLE}"'
        )
        raise BadSource(
            f"{path} does not say where the gradebook is, and {CONFIG_FILE} beside it does.",
            hint=f"Write below [gradebook] the line: {line}.",
        )
    if not (path.parent / GRADEBOOK).exists():
        return ours
    if (path.parent / ours.removeprefix("sqlite:///")).exists():
        raise BadSource(
            f"{path} does not say which gradebook is the course's: {GRADEBOOK} is nbgrader's, and there is "
            f"{ours.removeprefix('sqlite:///')} too.",
            hint=f'Write below [gradebook] the line db_url = "{theirs}", or db_url = "{ours}".',
        )
    return theirs
