"""A Sphinx extension: what a chapter's header says, at its top, and lists of the chapters of a tier.

```{chapter-card}``` stands below a chapter's title; ```{tier-list} Foundation``` wherever a list is wanted.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from tito.course.course import Course, load_course
from tito.docs.chapters import FILE_NAME, MOST_STARS, TIERS, Chapter, of_title, read_chapters
from tito.docs.warmups import with_warmups
from tito.errors import BadSource


class ChapterCard(SphinxDirective):
    """Tier, difficulty, time, what it builds on and what comes next, and what the reader will be able to do."""

    def run(self) -> list[nodes.Node]:
        chapters = _chapters(self)
        (own,) = [chapter for chapter in chapters if chapter.page == self.env.docname]
        facts = own.facts
        badges = nodes.paragraph(classes=["chapter-badges"])
        badges += nodes.inline(facts.tier, facts.tier, classes=["tier-badge", f"tier-{facts.tier.lower()}"])
        stars = "★" * facts.difficulty + "☆" * (MOST_STARS - facts.difficulty)
        label = f"difficulty {facts.difficulty} of {MOST_STARS}"
        badges += nodes.inline(label, f"{stars} {label}", classes=["difficulty"])
        badges += nodes.inline(facts.time_estimate, facts.time_estimate, classes=["time"])
        about = nodes.paragraph(facts.description, facts.description, classes=["chapter-description"])
        card = nodes.container(classes=["chapter-card"])
        card += [badges, about, self._map(chapters, own)]
        if facts.learning_objectives:
            aims = nodes.bullet_list(classes=["objectives"])
            for text in facts.learning_objectives:
                content, messages = self.state.inline_text(text, self.lineno)
                aims += nodes.list_item("", nodes.paragraph("", "", *content, *messages))
            title = "When you are done you can"
            card += [nodes.paragraph("", "", nodes.strong(title, title)), aims]
        return [card]

    def _map(self, chapters: tuple[Chapter, ...], own: Chapter) -> nodes.Node:
        """What it builds on, the chapter, and what builds on it."""
        try:
            before = [of_title(chapters, title, own.page) for title in own.facts.prerequisites]
            after = [of_title(chapters, title, own.page) for title in own.facts.next_steps]
        except BadSource as error:
            raise self.error(str(error)) from error
        row = nodes.paragraph(classes=["connection-map"])
        for at, links in enumerate((before, [own], after)):
            if at and links and (before or at > 1):
                row += nodes.inline(" → ", " → ", classes=["arrow"])
            for number, chapter in enumerate(links):
                if number:
                    row += nodes.Text(" · ")
                row += nodes.strong(_name(chapter), _name(chapter)) if chapter is own else _link(self, chapter)
        return row


class TierList(SphinxDirective):
    """The chapters of a tier, with what each is about."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        (tier,) = self.arguments
        if tier not in TIERS:
            raise self.error(f"There is no tier '{tier}'; there are {', '.join(TIERS)}.")
        listing = nodes.bullet_list(classes=["tier-list"])
        for chapter in _chapters(self):
            if chapter.facts.tier == tier:
                text = f": {chapter.facts.description}"
                listing += nodes.list_item("", nodes.paragraph("", "", _link(self, chapter), nodes.Text(text)))
        return [listing]


@dataclass(frozen=True)
class CoursePart:
    """What chapters say, and which files it depends on."""

    course: Course
    chapters: tuple[Chapter, ...]
    files: tuple[Path, ...]


COURSE_PARTS: WeakKeyDictionary[Sphinx, CoursePart] = WeakKeyDictionary()


def _course_part(app: Sphinx) -> CoursePart:
    """The course as it was when this build began: scripts are long, and many pages ask.

    Raises:
        BadSource: a chapter says too little of itself, or too much.
    """
    if app not in COURSE_PARTS:
        book = Path(app.srcdir)
        course = load_course(book.parent)
        chapters = read_chapters(book, course)
        scripts = [assignment.script for assignment in course.assignments if assignment.script is not None]
        pages = [book / f"{chapter.page}.md" for chapter in chapters]
        COURSE_PARTS[app] = CoursePart(course, chapters, (*pages, *scripts))
    return COURSE_PARTS[app]


def _chapters(directive: SphinxDirective) -> tuple[Chapter, ...]:
    """All chapters; a page that shows them is read anew when one of them has changed."""
    try:
        part = _course_part(directive.env.app)
    except BadSource as error:
        raise directive.error(str(error)) from error
    for path in part.files:
        directive.env.note_dependency(str(path))
    return part.chapters


def _put_in_warmups(app: Sphinx, docname: str, source: list[str]) -> None:
    """The text of a chapter, before it is read."""
    folder, _, name = docname.rpartition("/")
    match = FILE_NAME.fullmatch(name)
    if folder != "chapters" or match is None:
        return
    course = _course_part(app).course
    number = int(match["number"])
    for assignment in course.assignments:
        if assignment.number == number and assignment.script is not None:
            source[0] = with_warmups(source[0], assignment.script, course)


def _name(chapter: Chapter) -> str:
    return f"{chapter.number:02} {chapter.facts.title}"


def _link(directive: SphinxDirective, chapter: Chapter) -> nodes.Node:
    text = _name(chapter)
    return addnodes.pending_xref(
        text,
        nodes.inline(text, text),
        refdomain="std",
        reftype="doc",
        reftarget=f"/{chapter.page}",
        refdoc=directive.env.docname,
        refexplicit=True,
        refwarn=True,
    )


def setup(app: Sphinx) -> dict[str, Any]:
    """What Sphinx asks an extension for."""
    app.add_directive("chapter-card", ChapterCard)
    app.add_directive("tier-list", TierList)
    app.connect("source-read", _put_in_warmups)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
