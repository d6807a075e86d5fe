"""An nbgrader course as one of tito's: what is found of it, and the one file that is written, its course.toml.

Nothing of the course is changed. The file says where nbgrader's own gradebook and exchange are, so that both work on
the same; taken away, it leaves the course as nbgrader had it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nbformat import ValidationError

from tito.bridge.nbgrader_facts import SQLITE, STRUCTURE, NbgraderFacts
from tito.course.cells import read_cells
from tito.course.course import Assignment, Course
from tito.course.kernels import other_language
from tito.course.nbgrader_course import CONFIG_FILE
from tito.course.script import source_notebooks
from tito.course.settings import GRADEBOOK_VARIABLE, SETTINGS_FILE, SandboxSettings
from tito.errors import BadSource, GradebookUnavailable
from tito.gradebook.contents import contents
from tito.plan.packages import Import, imports_of, with_packages

PASSWORD = re.compile(r"://[^/@:]*:[^/@]+@")
IMPLIED = {  # what pandas imports by itself for some of its functions, where it is installed
    "read_excel(": "openpyxl",
    "to_excel(": "openpyxl",
    "read_parquet(": "pyarrow",
    "to_parquet(": "pyarrow",
    "read_html(": "lxml",
    "to_markdown(": "tabulate",
}
PLAIN_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class Imports:
    """What the assignments of a course import from outside, and which of them are in another language than Python."""

    packages: tuple[str, ...]  # those that a course has anyhow, and those that are installed here
    imports: tuple[Import, ...]
    others: tuple[tuple[str, str], ...] = ()  # an assignment, and its language
    unread: tuple[tuple[str, str], ...] = ()  # an assignment, and why it could not be read

    @property
    def missing(self) -> tuple[Import, ...]:
        return tuple(each for each in self.imports if not each.is_installed)


def course_imports(course: Course) -> Imports:
    """Look through all assignments of a course."""
    places: dict[str, str] = {}
    needed: set[str] = set()
    others, unread = [], []
    for assignment in course.assignments:
        try:
            notebooks = source_notebooks(course, assignment)
            language = next(filter(None, map(other_language, notebooks.values())), "")
            if language:
                others.append((assignment.id, language))
                continue
            cells = {name: read_cells(notebook.cells) for name, notebook in notebooks.items()}
            for module, where in imports_of(course, assignment, cells).items():
                places.setdefault(module, f"{assignment.id}/{where}")
            texts = [cell.source for each in cells.values() for cell in each if cell.is_code]
            needed |= {module for word, module in IMPLIED.items() if any(word in text for text in texts)}
        except (BadSource, OSError, ValueError, AttributeError, ValidationError) as error:  # nbformat's own, too
            unread.append((assignment.id, str(error).strip().partition("\n")[0]))
    imports = tuple(with_packages(places))
    implied = with_packages(dict.fromkeys(needed, ""))
    names = (each.package for each in (*imports, *implied) if each.is_installed)
    packages = _without_repetition((*SandboxSettings().packages, *sorted(names, key=str.lower)))
    return Imports(packages, imports, tuple(others), tuple(unread))


def _without_repetition(names: Iterable[str]) -> tuple[str, ...]:
    by_name: dict[str, str] = {}
    for name in names:
        by_name.setdefault(name.lower().replace("_", "-"), name)
    return tuple(by_name.values())


# ---- what nbgrader's settings say --------------------------------------------------------------------


def require_ours(facts: NbgraderFacts, folder: Path) -> None:
    """Raise where a course is not one that tito can work on beside nbgrader.

    Raises:
        BadSource: says which setting it is, and what to do.
    """
    if Path(facts.root).resolve() != folder:
        raise BadSource(
            f"nbgrader's settings ({', '.join(facts.files)}) say that the course is in {facts.root}, not here.",
            hint=f"Run 'tito init' in {facts.root}.",
        )
    settings = [f"{step}_directory = {name!r}" for step, name in facts.folders.items() if not PLAIN_ID.fullmatch(name)]
    settings += [f"directory_structure = {facts.structure!r}"] if facts.structure != STRUCTURE else []
    if settings:
        raise BadSource(
            f"nbgrader's settings have another structure of folders than nbgrader's own: {', '.join(settings)}.",
            hint="tito works with a folder for each step, in the course's folder. Nothing was written.",
        )
    if facts.course_id and not PLAIN_ID.fullmatch(facts.course_id):
        raise BadSource(
            f"The course's id is {facts.course_id!r}, and tito needs one of letters, digits, '_', '-' and '.'.",
            hint=f"Change CourseDirectory.course_id in {CONFIG_FILE}; the exchange has a folder of that name.",
        )


def course_id_of(facts: NbgraderFacts, folder: Path) -> str:
    """nbgrader's, or where it has none, one that is made of the folder's name."""
    return facts.course_id or re.sub(r"[^A-Za-z0-9_.-]+", "-", folder.name).strip("-.") or "course"


def db_url_for_file(facts: NbgraderFacts, folder: Path) -> str:
    """The gradebook's URL as course.toml has it: below the course's folder by its place there; a password that stands
    in no file of the course's is not written into one."""
    path = facts.gradebook
    if path is not None:
        inside = path.is_relative_to(folder)
        return f"{SQLITE}{path.relative_to(folder) if inside else path}"
    config = folder / CONFIG_FILE
    written = config.is_file() and facts.db_url in config.read_text(encoding="utf-8", errors="replace")
    return facts.db_url if written or not PASSWORD.search(facts.db_url) else f"${GRADEBOOK_VARIABLE}"


def exchange_kind_of(facts: NbgraderFacts) -> str:
    return "nbgrader" if facts.exchange_classes else "filesystem"


# ---- the file ------------------------------------------------------------------------------------------


def course_file(
    facts: NbgraderFacts, folder: Path, packages: Iterable[str], beside: Mapping[str, Iterable[str]] | None = None
) -> str:
    """The text of the course.toml; `beside` are patterns of what is handed in beside notebooks, by assignment."""
    lines = [
        f"# Written by 'tito init' for the nbgrader course in this folder, whose {CONFIG_FILE} is still read.",
        f"id = {_text(course_id_of(facts, folder))}",
        "",
        "[gradebook]                     # nbgrader's own",
        f"db_url = {_text(db_url_for_file(facts, folder))}",
        "",
        "[exchange]                      # nbgrader's own",
        f"kind = {_text(exchange_kind_of(facts))}",
    ]
    lines += [f"root = {_text(facts.exchange_root)}"] if exchange_kind_of(facts) == "filesystem" else []
    names = [f"{step} = {_text(name)}" for step, name in facts.folders.items()]
    lines += ["", "[folders]", *names] if names else []
    lines += ["", "[sandbox]", packages_line(packages)]
    megabytes = -(-facts.max_file_kb // 1000)
    lines += ["", "[limits]", f"submission_mb = {megabytes}  # CourseDirectory.max_file_size"] if megabytes else []
    wanted = [f"{_text(name)} = {_list(patterns)}" for name, patterns in (beside or {}).items()]
    lines += (
        ["", "[files.assignments]             # what students hand in beside their notebooks", *wanted]
        if wanted
        else []
    )
    lines += [
        "",
        "[gates]                         # of 'tito check' and 'tito release'; tests here were not written for tito:",
        'forgeable = "warn"              # name tests that student code could forge, and release them all the same',
        'mutation = "off"                # do not ask whether tests catch wrong solutions',
    ]
    return "\n".join(lines) + "\n"


def packages_line(packages: Iterable[str]) -> str:
    """What notebooks can import, as a line of the file."""
    return f"packages = {_list(packages)}  # what notebooks can import, with what these need"


def _list(values: Iterable[str]) -> str:
    return f"[{', '.join(map(_text, values))}]"


def _text(value: str) -> str:
    """A basic string of TOML."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


PACKAGES = re.compile(r"^(packages[ \t]*=[ \t]*)\[[^\]]*\]", re.MULTILINE)
SANDBOX = re.compile(r"^\[sandbox\][^\n]*$", re.MULTILINE)


def with_packages_line(text: str, packages: Iterable[str]) -> str:
    """The text of a course.toml with other packages in it; all else stays as it is."""
    packages = tuple(packages)
    line = packages_line(packages)
    if PACKAGES.search(text):
        return PACKAGES.sub(lambda head: f"{head[1]}{_list(packages)}", text, count=1)
    if SANDBOX.search(text):
        return SANDBOX.sub(lambda head: f"{head[0]}\n{line}", text, count=1)
    return f"{text.rstrip()}\n\n[sandbox]\n{line}\n"


# ---- what a person is told ------------------------------------------------------------------------------


def description(facts: NbgraderFacts, folder: Path, assignments: Iterable[Assignment]) -> list[tuple[str, str]]:
    """What was found, by name."""
    files = [path.removeprefix(f"{folder}/") for path in facts.files]
    names = ", ".join(assignment.id for assignment in assignments)
    return [
        ("settings", ", ".join(files) or f"no {CONFIG_FILE}: nbgrader's defaults"),
        ("course id", facts.course_id or f"none in nbgrader's settings; {course_id_of(facts, folder)}, by the folder"),
        ("gradebook", _gradebook(facts, folder) + _from_the_environment(facts, folder)),
        ("exchange", exchange_in_words(facts)),
        *[("folders", ", ".join(f"{name}/ for {step}/" for step, name in facts.folders.items()))] * bool(facts.folders),
        ("assignments", names or f"none in {facts.folders.get('source', 'source')}/ yet"),
    ]


def exchange_in_words(facts: NbgraderFacts) -> str:
    """Which exchange nbgrader has, and whether it is there."""
    if facts.exchange_classes:
        classes = ", ".join(sorted(set(facts.exchange_classes.values())))
        return f"{classes}: left to nbgrader's own commands, 'tito collect' and 'tito release' do not reach it"
    there = "" if Path(facts.exchange_root).is_dir() else ", which is not there: nothing can be released to it"
    return f"nbgrader's own in {facts.exchange_root}{there}"


def _from_the_environment(facts: NbgraderFacts, folder: Path) -> str:
    if not db_url_for_file(facts, folder).startswith("$"):
        return ""
    return f". Its URL holds a password that {CONFIG_FILE} does not: have {GRADEBOOK_VARIABLE} set to it for tito"


def _gradebook(facts: NbgraderFacts, folder: Path) -> str:
    path = facts.gradebook
    where = "on a database server" if path is None else str(path).removeprefix(f"{folder}/")
    try:
        held = contents(facts.db_url)
    except GradebookUnavailable as error:
        return f"{where}. {error}"
    return f"{where}: {held or 'none yet; the first release makes it'}"


def differences(course: Course, facts: NbgraderFacts) -> list[str]:
    """Where course.toml and nbgrader's own settings mean different things; course.toml is what counts."""
    theirs = facts.gradebook
    gradebook = facts.db_url if theirs is None else f"{SQLITE}{theirs}"
    lines = []
    if gradebook != course.db_url:
        shown = [PASSWORD.sub("://…@", url) for url in (gradebook, course.db_url)]
        lines.append(f"the gradebook: nbgrader's settings say {shown[0]}, {SETTINGS_FILE} {shown[1]}")
    if facts.course_id and facts.course_id != course.id:
        lines.append(f"the course's id: nbgrader's settings say {facts.course_id}, {SETTINGS_FILE} {course.id}")
    if course.exchange_kind == "filesystem" and str(course.exchange_root) != facts.exchange_root:
        lines.append(
            f"the exchange: nbgrader's settings say {facts.exchange_root}, {SETTINGS_FILE} {course.exchange_root}"
        )
    return lines
