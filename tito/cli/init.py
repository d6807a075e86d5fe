"""The command init: a course.toml for the nbgrader course that is there, or a small new course."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tito.cli.common import Settings, is_watched, print_text, say
from tito.course.settings import SETTINGS_FILE

if TYPE_CHECKING:
    from tito.author.adopt import Imports
    from tito.course.course import Course

WIDTH = 12  # of the names of what is found


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False)
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
@click.option("--yes", is_flag=True, help="Write without asking.")
@click.option(
    "--packages", "look_again", is_flag=True, help="In a course of tito's: add what its assignments import by now."
)
@click.pass_obj
def init(settings: Settings, folder: Path | None, dry_run: bool, yes: bool, look_again: bool) -> None:
    """Set up a course here, or in FOLDER: an nbgrader course as it is, or a small new one.

    Of an nbgrader course nothing is changed: a course.toml says where its gradebook and its exchange are, and names the
    packages that its assignments import. Where there is a course.toml already, nothing is done.
    """
    from tito.course.nbgrader_course import looks_like_nbgraders, require_no_other_course

    root = (settings.folder / (folder or Path())).resolve()
    if (root / SETTINGS_FILE).exists():
        _again(root, look_again, dry_run)
        return
    require_no_other_course(root)
    write = _Writer(root, dry_run, yes)
    (_adopt if looks_like_nbgraders(root) else _fresh)(root, write)


class _Writer:
    """Writes files, or shows them."""

    def __init__(self, root: Path, dry_run: bool, yes: bool) -> None:
        self.root = root
        self.dry_run = dry_run
        self._asks = not yes

    def __call__(self, files: dict[Path, str]) -> bool:
        """Write them where a person agrees, or only show them; whether they were written."""
        if self.dry_run:
            for name, text in files.items():
                print_text(f"--- {self.root / name}\n{text}")
            say("This was a dry run: nothing was written.")
            return False
        names = ", ".join(map(str, files))
        if self._asks and is_watched() and not click.confirm(f"Write {names}?", default=True, err=True):
            say("Nothing was written.")
            return False
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:  # over nothing, whatever came there meanwhile
                file.write(text)
        return True


# ---- a course of nbgrader's -------------------------------------------------------------------------


def _adopt(root: Path, write: _Writer) -> None:
    from tito.author.adopt import course_file, course_imports, description, require_ours
    from tito.author.files_beside import patterns_beside
    from tito.bridge.nbgrader_facts import read_facts
    from tito.course.course import Course
    from tito.course.settings import FolderSettings

    facts = read_facts(root)
    require_ours(facts, root)
    course = Course(root, facts.course_id, folders=FolderSettings(**facts.folders))
    imports = course_imports(course)
    say(f"An nbgrader course in {root}:")
    for name, text in [*description(facts, root, course.assignments), ("packages", ", ".join(imports.packages))]:
        say(f"   {name:{WIDTH}} {text}")
    _say_imports(imports)
    beside = patterns_beside(course)
    for assignment, patterns in beside.items():
        say(f"   {'handed in':{WIDTH}} {assignment}: {', '.join(patterns)}, beside the notebook")
    if write({Path(SETTINGS_FILE): course_file(facts, root, imports.packages, beside)}):
        _say_what_now(root, course)


def _say_imports(imports: Imports) -> None:
    for each in imports.imports:
        if each.is_installed:
            name = "" if each.module == each.package else f"as {each.module} "
            say(f"   {'':{WIDTH}} {each.package}: imported {name}in {each.where}")
    for missing in imports.missing:
        say(
            f"MISSING  {missing.where} imports {missing.module}, which is not installed here. "
            f"Run 'pip install {missing.package}' and 'tito init --packages'."
        )
    for assignment, language in imports.others:
        say(f"NOT PYTHON  {assignment} is in {language}: nbgrader itself grades it, and tito refuses to.")
    for assignment, problem in imports.unread:
        say(f"UNREAD  {assignment}: {problem}")


def _say_what_now(root: Path, course: Course) -> None:
    from tito.course.nbgrader_course import RECORDS
    from tito.doctor import nbgraders_engine

    say(f"Wrote {root / SETTINGS_FILE}, and nothing else.")
    engine = nbgraders_engine()
    if engine.ok:
        say("In this folder 'nbgrader autograde' and formgrader's button now grade with tito's engine, in a sandbox.")
    else:
        say(f"nbgrader's commands do not grade with tito's engine yet: {engine.detail} {engine.hint}")
    first = next((assignment.id for assignment in course.assignments), "NAME")
    say(f"What nbgrader has graded stays as it is, until 'tito autograde {first} --force' grades it anew.")
    say(f"Next: 'tito doctor' says whether all is there, 'tito autograde {first}' grades what has been handed in.")
    say(
        f"To go back, delete {SETTINGS_FILE}: nbgrader goes on with the same gradebook. {RECORDS} then hold what only "
        "tito reads."
    )


# ---- a new course -----------------------------------------------------------------------------------


def _fresh(root: Path, write: _Writer) -> None:
    from tito.author.new_course import MODULE, is_fresh, new_course
    from tito.errors import UsageError

    if not is_fresh(root):
        raise UsageError(
            f"{root} is neither empty nor an nbgrader course: there is no nbgrader_config.py, no gradebook.db and no "
            "source/NAME/*.ipynb in it.",
            hint="Change into the course's folder, or make a new course in a folder of its own: 'tito init NAME'.",
        )
    files = new_course(root)
    say(f"A new course in {root}: {_summary(files)}.")
    if write(files):
        number = MODULE.partition("_")[0]
        change = "" if root == Path.cwd() else f"cd {root} && "
        say(
            f"Wrote them. Next: '{change}tito check {number}' proves that the module is fit for release, "
            f"'tito release {number}' hands it to the exchange, 'tito demo' plays all of it with simulated students."
        )


# ---- a new module ------------------------------------------------------------------------------------


@click.command()
@click.argument("module", metavar="NN_NAME")
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def new(settings: Settings, module: str, *, dry_run: bool, yes: bool) -> None:
    """Make a module that works, to be made into yours: a script, right solutions and wrong ones.

    The script has warm-ups, an exercise with tests that are seen and hidden ones, and a question. `tito check` on it
    holds from the beginning.
    """
    from tito.author.new_course import new_module

    course = settings.course()
    files = new_module(course, module)
    say(f"A new module in {course.root}: {_summary(files)}.")
    if _Writer(course.root, dry_run, yes)(files):
        say(
            f"Wrote them. Next: 'tito check {module}' proves that it is fit for release. Then change the exercise, its "
            "tests and the solutions, and check again."
        )


def _summary(files: dict[Path, str]) -> str:
    """Files, those of one folder together."""
    folders: dict[Path, list[str]] = {}
    for path in files:
        folders.setdefault(path.parent, []).append(path.name)
    return ", ".join(
        str(folder / names[0]) if len(names) == 1 else f"{len(names)} in {folder}" for folder, names in folders.items()
    )


# ---- a course of tito's ------------------------------------------------------------------------------


def _again(root: Path, look_again: bool, dry_run: bool) -> None:
    """Nothing is changed, but for packages where these are asked for; what does not fit is said."""
    from tito.author.adopt import course_imports, differences
    from tito.bridge.nbgrader_facts import read_facts
    from tito.course.course import load_course
    from tito.course.nbgrader_course import config_of

    course = load_course(root)
    if look_again:
        _add_packages(course, course_imports(course), dry_run)
        return
    say(f"{root} is a course of tito's already: {SETTINGS_FILE} says '{course.id}'. Nothing was changed.")
    if config_of(root) is not None:
        for difference in differences(course, read_facts(root)):
            say(f"DIFFERENT  {difference}. What {SETTINGS_FILE} says counts.")
    say("'tito doctor' says whether all is there; 'tito init --packages' looks for packages again.")


def _add_packages(course: Course, imports: Imports, dry_run: bool) -> None:
    from tito.author.adopt import with_packages_line
    from tito.course.course import load_course
    from tito.errors import BadSource

    _say_imports(imports)
    path = course.root / SETTINGS_FILE
    named = {name.lower() for name in course.sandbox.packages}
    fresh = [name for name in imports.packages if name.lower() not in named and name != "matplotlib"]
    if not fresh:
        say(f"{SETTINGS_FILE} names all that is installed here of what the assignments import. Nothing was changed.")
        return
    before = path.read_text(encoding="utf-8")
    wanted = (*course.sandbox.packages, *fresh)
    text = with_packages_line(before, wanted)
    if dry_run:
        print_text(text)
        say("This was a dry run: nothing was written.")
        return
    path.write_text(text, encoding="utf-8")
    expected = replace(course, sandbox=replace(course.sandbox, packages=wanted))
    if replace(load_course(course.root), named=course.named) != expected:
        path.write_text(before, encoding="utf-8")
        raise BadSource(f"{path} cannot be changed by itself.", hint=f"Add to [sandbox] packages: {', '.join(fresh)}.")
    say(f"Added to [sandbox] packages in {path}: {', '.join(fresh)}.")
