"""Chapters of the book's course part: what their headers say, in order.

A module with a script says it there; of the others, the front matter of the chapter does. It stands nowhere else:
`cards` shows it at the top of each chapter, and in the list of a tier.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import yaml

from tito.course.course import Assignment, Course
from tito.course.script import read_script
from tito.errors import BadSource
from tito.models import ModuleInfo
from tito.validation import NO_OTHERS, Between, adapter, near, wrong_setting

FRONT_MATTER = re.compile(r"\A---\n(?P<yaml>.*?)\n---\n", re.DOTALL)
FILE_NAME = re.compile(r"(?P<number>\d\d)-[a-z-]+")
OF_THE_NOTEBOOK = ("jupytext", "kernelspec")  # facts for those who run the page
TIERS = ("Foundation", "Architecture", "Optimization", "Capstone")
MOST_STARS = 5


@dataclass(frozen=True)
class ChapterFacts:
    """What a chapter's front matter says of it. `prerequisites` and `next_steps` are titles of chapters."""

    __pydantic_config__ = NO_OTHERS

    title: str
    description: str
    tier: str
    difficulty: Annotated[int, Between(1, MOST_STARS)]
    time_estimate: str
    prerequisites: tuple[str, ...] = ()
    next_steps: tuple[str, ...] = ()
    learning_objectives: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chapter:
    """A chapter: its number, its page in the book (without suffix), and its facts."""

    number: int
    page: str
    facts: ChapterFacts


def read_chapters(book: Path, course: Course) -> tuple[Chapter, ...]:
    """All chapters of the book, in order.

    Raises:
        BadSource: a chapter that says too little or too much of itself, or names one that there is none of.
    """
    headers = {info.number: info for info in map(_header, course.assignments) if info is not None}
    chapters = []
    for path in sorted((book / "chapters").glob("[0-9][0-9]-*.md")):
        match = FILE_NAME.fullmatch(path.stem)
        if match is None:
            raise BadSource(f"{path}: a chapter is called NN-name.md.", hint="Rename it.")
        number = int(match["number"])
        facts = _front_matter(path)
        if number in headers:
            facts = _with_header(path, facts, headers[number])
        chapters.append(Chapter(number, f"chapters/{path.stem}", _checked(path, facts)))
    return tuple(chapters)


def _header(assignment: Assignment) -> ModuleInfo | None:
    return read_script(assignment.script).info if assignment.script is not None else None


def _front_matter(path: Path) -> dict[str, Any]:
    match = FRONT_MATTER.match(path.read_text(encoding="utf-8"))
    facts = yaml.safe_load(match["yaml"]) if match is not None else None
    if not isinstance(facts, dict):
        raise BadSource(f"{path}: no front matter.", hint="Begin it with YAML between two '---' lines.")
    return {name: fact for name, fact in facts.items() if name not in OF_THE_NOTEBOOK}


def _with_header(path: Path, facts: dict[str, Any], info: ModuleInfo) -> dict[str, Any]:
    """The facts of a chapter whose module has a script."""
    in_script = {
        "title": info.title,
        "description": info.summary,
        "tier": info.tier,
        "difficulty": info.difficulty,
        "time_estimate": info.time,
        "prerequisites": list(info.prerequisites),
    }
    twice = facts.keys() & in_script.keys()
    if twice:
        raise BadSource(f"{path}: '{min(twice)}' stands in the module's script.", hint="Take it out here.")
    return in_script | facts


def _checked(path: Path, facts: dict[str, Any]) -> ChapterFacts:
    from pydantic import ValidationError

    try:
        return adapter(ChapterFacts).validate_python(facts)
    except ValidationError as error:
        raise wrong_setting(error, ChapterFacts, lambda _: str(path), show_values=True) from None


def of_title(chapters: Sequence[Chapter], title: str, where: str) -> Chapter:
    """The chapter of a title.

    Raises:
        BadSource: there is none.
    """
    for chapter in chapters:
        if chapter.facts.title == title:
            return chapter
    titles = [chapter.facts.title for chapter in chapters]
    raise BadSource(f"{where}: there is no chapter '{title}'.", hint=near(title, titles))
