"""What `tito init` and `tito new` write: a small course that works, or a module that does, from templates."""

from __future__ import annotations

import re
from pathlib import Path

from tito.course.course import Course
from tito.errors import BadSource, UsageError

TEMPLATES = Path(__file__).with_name("templates")
SUFFIX = ".tpl"
COURSE_ID = "COURSE_ID"
MODULE = "01_sums"
NAME = re.compile(r"(?P<number>\d\d)_(?P<name>[a-z][a-z0-9_]*)")


def new_course(folder: Path) -> dict[Path, str]:
    """The files of the course, by their place in it."""
    course_id = _id_from(folder)
    return _files(TEMPLATES / "course", {COURSE_ID: course_id}) | new_module(Course(folder, course_id), MODULE)


def new_module(course: Course, module: str) -> dict[Path, str]:
    """The files of a module, by their place in the course.

    Args:
        module: number and name, as in 07_sums.

    Raises:
        UsageError: it is no such name.
        BadSource: the course has a module of that number or name, or what stands in the way of one.
    """
    match = NAME.fullmatch(module)
    if match is None:
        raise UsageError(
            f"'{module}' is no name of a module.", hint="Two digits, an underscore and a name: 'tito new 07_sums'."
        )
    for assignment in course.assignments:
        number, _, name = assignment.id.partition("_")
        if match["number"] == number or match["name"] == name:
            raise BadSource(f"The course has {assignment.id} already.", hint="Take another number, and another name.")
    words = {
        "MODULE_NUMBER": str(int(match["number"])),
        "MODULE_NAME": match["name"],
        "MODULE_TITLE": match["name"].replace("_", " ").capitalize(),
    }
    variants = course.step("variants", module).relative_to(course.root)
    source = course.step("source", module).relative_to(course.root).with_name(f"{module}.py")
    places = {Path("source.py"): source}
    files = _files(TEMPLATES / "module", words)
    placed = {places.get(path, variants / path.name): text for path, text in files.items()}
    for path in placed:
        if (course.root / path).exists():
            raise BadSource(f"{course.root / path} is there already.", hint="Move it away, or take another name.")
    return placed


def is_fresh(folder: Path) -> bool:
    """Whether nothing is in a folder that a course could be in the way of."""
    if not folder.exists():
        return True
    harmless = re.compile(r"\..*|(readme|license|licence)(\..*)?", re.IGNORECASE)
    return all(harmless.fullmatch(path.name) for path in folder.iterdir())


def _files(templates: Path, words: dict[str, str]) -> dict[Path, str]:
    """Templates, by their place, with words filled in."""
    files = {}
    for path in sorted(templates.rglob(f"*{SUFFIX}")):
        text = path.read_text(encoding="utf-8")
        for word, filled in words.items():
            text = text.replace(word, filled)
        files[path.relative_to(templates).with_suffix("")] = text
    return files


def _id_from(folder: Path) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", folder.name).strip("-.") or "course"
