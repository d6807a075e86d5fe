"""Looks at the machine and the course: what is there, what is missing, what still works without it."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tito import bridge
from tito.bridge.guard import PLAIN_VARIABLE, plain_nbgrader
from tito.course.course import Course, find_course
from tito.course.nbgrader_course import CONFIG_FILE, config_of, looks_like_nbgraders
from tito.course.settings import SETTINGS_FILE, SandboxSettings
from tito.errors import NotACourse, SandboxUnavailable, TitoError
from tito.plan.sandbox_specs import notebook_spec, own_bytes
from tito.sandbox.backends import backend
from tito.sandbox.bubblewrap import Bubblewrap
from tito.sandbox.environment import environment
from tito.sandbox.metering import UNMETERED, WATCHDOG, mechanism
from tito.sandbox.obstacles import obstacles
from tito.sandbox.spec import SandboxSpec
from tito.sandbox.unprivileged import Unprivileged
from tito.sandbox.zygote_client import Sandbox

PACKAGES = ("nbgrader", "ipykernel", "numpy", "matplotlib", "jupytext")
GUARD_FILE = "jupyter_config.py"
FREE_MB = 500
MAKERS = {"bubblewrap": Bubblewrap, "landlock": Unprivileged}
WEAKER = {
    "landlock": ", but with no disk quota, and without multiprocessing's locks and pools in notebooks",
}


@dataclass(frozen=True)
class Diagnosis:
    """One thing that was looked at: whether it is as it should be, and what to do where it is not."""

    name: str
    ok: bool
    detail: str = ""
    hint: str = ""


def examine(folder: Path) -> list[Diagnosis]:
    """All diagnoses, those of the machine first; those of the course only where there is one."""
    diagnoses = [_python(), *map(_package, PACKAGES), _kernel()]
    try:
        course = find_course(folder)
    except TitoError as error:
        machine = [*diagnoses, nbgraders_engine(), *_sandboxes(SandboxSettings.backend)]
        return [*machine, _no_course(folder.resolve(), error)]
    return [
        *diagnoses,
        nbgraders_engine(course),
        *_sandboxes(course.sandbox.backend),
        Diagnosis("course", True, f"{course.id} in {course.root}"),
        _packages(course),
        _files(course),
        _gradebook(course),
        _exchange(course),
        *_nbgraders_settings(course),
        _disk(course),
        _private(course),
    ]


def _no_course(folder: Path, error: TitoError) -> Diagnosis:
    if isinstance(error, NotACourse) and looks_like_nbgraders(folder):
        detail = f"{folder} is an nbgrader course; nbgrader grades it with its own engine, student code unprotected."
        return Diagnosis("course", False, detail, hint="Run 'tito init', which changes nothing of it.")
    return Diagnosis("course", False, error.message, hint=error.hint)


def _python() -> Diagnosis:
    number = ".".join(map(str, sys.version_info[:3]))
    return Diagnosis("python", sys.version_info >= (3, 11), number, hint="Use Python 3.11 or newer.")


def _package(name: str) -> Diagnosis:
    try:
        return Diagnosis(name, True, version(name))
    except PackageNotFoundError:
        return Diagnosis(name, False, "not installed.", hint="Run 'make setup'.")


def _kernel() -> Diagnosis:
    from jupyter_client.kernelspec import KernelSpecManager

    installed = "python3" in KernelSpecManager().find_kernel_specs()
    detail = "python3" if installed else "no kernel 'python3'."
    return Diagnosis(
        "kernel", installed, detail, hint="tito works without; plain nbgrader does not: pip install ipykernel."
    )


def nbgraders_engine(course: Course | None = None) -> Diagnosis:
    """Whether nbgrader's commands, as they would be run from here, grade courses of ours with our engine."""
    name = "nbgrader's engine"
    try:
        if plain_nbgrader():
            return Diagnosis(name, True, f"its own, as {PLAIN_VARIABLE} says: it runs student code unprotected, as you")
    except TitoError as error:
        return Diagnosis(name, False, error.message, hint=error.hint)
    problem, hint = _bypass()
    where = f"in {course.root}" if course is not None else f"wherever there is a {SETTINGS_FILE}"
    detail = f"nbgrader's commands and formgrader grade with tito's engine {where}"
    return Diagnosis(name, not problem, problem or detail, hint=hint)


def _bypass() -> tuple[str, str]:
    """What keeps our guard (`bridge/guard.py`) out of nbgrader's commands, and what to do; or "" twice."""
    from jupyter_core.paths import jupyter_config_path

    scripts = Path(sys.executable).parent
    command = shutil.which("nbgrader")
    if command is not None and Path(command).parent.resolve() != scripts.resolve():
        return (
            f"'nbgrader' is {command}, of another environment than tito's.",
            f"Run {scripts / 'nbgrader'}, or put {scripts} first on PATH.",
        )
    if os.environ.get("JUPYTER_NO_CONFIG"):
        return (
            "JUPYTER_NO_CONFIG is set, so nbgrader's commands see our engine only where a course has an "
            "nbgrader_config.py, and that is right.",
            "Unset it.",
        )
    ours = Path(bridge.__file__).with_name(GUARD_FILE).read_bytes()
    installed = [path for path in (Path(folder, GUARD_FILE) for folder in jupyter_config_path()) if path.is_file()]
    if all(path.read_bytes() != ours for path in installed):
        place = Path(sys.prefix, "etc", "jupyter", GUARD_FILE)
        state = "is not this version's" if place in installed else "is not there"
        return f"{place} {state}; only a course's nbgrader_config.py leads to our engine.", "Install tito again."
    return "", ""


def _sandboxes(used: str) -> list[Diagnosis]:
    """A line for each way to isolate. Only the one that is used has to work."""
    problems = {name: _problem(name) for name in ("bubblewrap", "landlock")}
    diagnoses = []
    for name, problem in problems.items():
        line = "sandbox" if name == used else f"sandbox {name}"
        if not problem:
            diagnoses.append(Diagnosis(line, True, f"{name} isolates{WEAKER.get(name, '')}"))
        elif name == used:
            hint = _way_out(name, problems)
            diagnoses.append(Diagnosis(line, False, " ".join([problem, *_causes(name)]), hint=hint))
        else:
            diagnoses.append(Diagnosis(line, True, f"not used here; it would not work: {problem}"))
    if used == "none":
        diagnoses.append(Diagnosis("sandbox", True, "none: student code runs as you, as course.toml says"))
    return [*diagnoses, _memory(used)]


def _memory(used: str) -> Diagnosis:
    """What limits the memory of a notebook with all that it starts, and measures it from outside."""
    means = "" if used in UNMETERED else mechanism()
    if not means:
        alone = "only that of each process by itself is limited, and no test can be measured from outside"
        return Diagnosis("memory", True, f"the memory of a session's processes together is not limited here: {alone}")
    detail = f"that of a session's processes together is limited and measured by {means}"
    if means == WATCHDOG:
        detail += ", which looks 4 to 20 times a second: not by the kernel, and not what pipes and sockets hold"
    return Diagnosis("memory", True, detail)


def _files(course: Course) -> Diagnosis:
    """Whether sessions can change all files of each assignment. Where there are too many to be copied, a sandbox tells
    whether they have to be."""
    most_mb = min(course.files.copied_mb, course.limits.scratch_mb)
    specs = {assignment.id: notebook_spec(course, assignment) for assignment in course.assignments}
    large = {name: _read_only(course, spec) for name, spec in specs.items() if own_bytes(spec) > most_mb << 20}
    listed = "; ".join(f"{name}: {', '.join(files)}" for name, files in large.items() if files)
    if not listed:
        return Diagnosis("files", True, "each submission can change those of its assignment, for itself")
    return Diagnosis(
        "files",
        False,
        f"these are larger than what each submission may have of its own here, and can only be read: {listed}.",
        hint="Raise [files] copied_mb, or, where the kernel has overlayfs for it (Linux 5.11), [limits] scratch_mb.",
    )


def _read_only(course: Course, spec: SandboxSpec) -> tuple[str, ...]:
    try:
        with Sandbox(backend(course.sandbox.backend), spec) as sandbox:
            sandbox.wait()
            return sandbox.read_only
    except SandboxUnavailable:
        return ()  # another line says so


def _problem(name: str) -> str:
    """Why a backend cannot work on this machine, or "" when it can."""
    try:
        MAKERS[name]()
    except SandboxUnavailable as error:
        return error.message if name == "bubblewrap" else str(error)
    return ""


def _causes(name: str) -> list[str]:
    """What keeps namespaces from bubblewrap, and what to do."""
    return [f"{obstacle.cause} {obstacle.remedy}" for obstacle in obstacles()] if name == "bubblewrap" else []


def _way_out(name: str, problems: dict[str, str]) -> str:
    """What to do without a backend that does not work; `problems` has "" for one that does."""
    install = "Install it (Debian: apt-get install bubblewrap). " if "no 'bwrap'" in problems[name] else ""
    works = [f"'--sandbox {other}' (works here{WEAKER.get(other, '')})" for other in problems if not problems[other]]
    instead = " or ".join([*works, "'--sandbox none' (no protection)"])
    return (
        f"{install}Without it collect, feedback, grades and status work; check, release and autograde refuse, unless "
        f"told {instead}."
    )


def _gradebook(course: Course) -> Diagnosis:
    from tito.course.settings import SQLITE
    from tito.gradebook.contents import contents

    is_file = course.db_url.startswith(SQLITE)
    where = course.db_url.removeprefix(SQLITE) if is_file else "a database server"  # whose URL may hold a password
    try:
        held = contents(course.db_url)
    except TitoError as error:
        return Diagnosis("gradebook", False, error.message, hint=error.hint)
    return Diagnosis("gradebook", True, f"{where}: {held or 'none yet; the first release makes it'}")


def _packages(course: Course) -> Diagnosis:
    """Whether notebooks can have the packages that the course names."""
    try:
        versions = environment(course.sandbox.packages).versions_of(course.sandbox.packages)
    except TitoError as error:
        return Diagnosis("packages", False, error.message, hint=error.hint)
    return Diagnosis("packages", True, ", ".join(f"{name} {number}" for name, number in versions))


def _nbgraders_settings(course: Course) -> list[Diagnosis]:
    """Whether the nbgrader_config.py that the course brought along means what course.toml does."""
    if config_of(course.root) is None:
        return []
    from tito.author.adopt import differences
    from tito.bridge.nbgrader_facts import read_facts

    try:
        different = differences(course, read_facts(course.root))
    except TitoError as error:
        return [Diagnosis("nbgrader's settings", False, error.message, hint=error.hint)]
    detail = f"{'; '.join(different)}." if different else f"{CONFIG_FILE} and {SETTINGS_FILE} name the same gradebook"
    hint = f"What {SETTINGS_FILE} says counts, for nbgrader's commands too: make both the same."
    return [Diagnosis("nbgrader's settings", not different, detail, hint=hint)]


def _exchange(course: Course) -> Diagnosis:
    if course.exchange_kind == "service" and course.exchange_url:
        return _exchange_service(course.exchange_url)
    if course.exchange_kind == "nbgrader":
        return Diagnosis("exchange", True, f"what {CONFIG_FILE} names; nbgrader's own commands reach it, tito's do not")
    whose = "nbgrader's own in" if course.exchange_kind == "filesystem" else "tito's in"
    root = course.exchange_root
    if root.is_dir():
        usable = os.access(root, os.W_OK | os.X_OK)
        return Diagnosis(
            "exchange",
            usable,
            f"{whose} {root}{'' if usable else ', which is not writable.'}",
            hint=f"Make {root} yours." if course.exchange_kind == "service" else f"Make {root} writable for all.",
        )
    if root.is_relative_to(course.root):
        return Diagnosis("exchange", True, f"{whose} {root}: none yet; the first release makes it")
    return Diagnosis(
        "exchange",
        False,
        f"{whose} {root}, which does not exist.",
        hint="Create it. Without it, 'release --no-exchange' and all else works.",
    )


def _exchange_service(url: str) -> Diagnosis:
    import httpx

    try:
        answer = httpx.get(f"{url.rstrip('/')}/health", timeout=5)
        works = answer.status_code == 200 and answer.json().get("status") == "ok"
        state = "answers" if works else f"HTTP {answer.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        works, state = False, type(error).__name__
    hint = "Start the exchange service, or correct exchange.url in course.toml."
    return Diagnosis("exchange", works, f"{url}: {state}{'' if works else '.'}", hint=hint)


def _private(course: Course) -> Diagnosis:
    """Whether other accounts of the machine can read what is the course's alone. One's own machine has none."""
    names = (course.folders.source, *course.folders.handed_in, course.gradebook_dir.name)
    readable = [name for name in names if _open_to_others(course.root / name)]
    if not readable:
        return Diagnosis("private", True, "no other account of this machine can read the course")
    listed = ", ".join(f"{name}/" for name in readable)
    return Diagnosis(
        "private", True, f"other accounts of this machine can read {listed}; to close it: chmod o= {course.root}"
    )


def _open_to_others(folder: Path) -> bool:
    """Whether they may enter it, and every folder above it."""
    return folder.is_dir() and all(path.stat().st_mode & stat.S_IXOTH for path in (folder, *folder.parents))


def _disk(course: Course) -> Diagnosis:
    free = shutil.disk_usage(course.root).free >> 20
    return Diagnosis("disk", free >= FREE_MB, f"{free} MiB free", hint="Make room: grading a cohort needs some.")
