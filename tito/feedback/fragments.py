"""Parts of a page, made of texts and outputs: Markdown, code, and what cells have shown. All of it is hostile.

Texts of the course are alike on every page and rendered once in a process; a student's are rendered within budgets of
time and room, and what is beyond them stands there as it was written, or is said to be left out.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

from bleach.html5lib_shim import Filter
from markupsafe import Markup
from nbconvert.filters import strip_ansi
from nbconvert.filters.markdown_mistune import MarkdownWithMath

from tito.bridge.formulas import Renderer
from tito.bridge.safe_html import MOST, clean
from tito.feedback.elements import element
from tito.feedback.glyphs import GlyphBudget
from tito.feedback.highlight import highlighted
from tito.grade.whitelist import PICTURES

LONGEST_TEXT = 20_000  # characters of Markdown: some of it takes time with the square of its length
LONGEST_OUTPUT = 6_000  # characters of what a cell printed
LARGEST_HTML = 20_000  # characters of a table or the like that a cell displayed, as it is cleaned
LARGEST_PICTURE = 80_000  # characters of its base64
TEXTS_S = 2.0  # of a processor, for all of a student's texts and tables on a page
HEADINGS = {f"h{level}" for level in range(1, 7)}


@dataclass(frozen=True)
class Fragment:
    """A part of a page, and the letters of formulas that it needs there."""

    html: Markup
    letters: frozenset[str] = frozenset()

    @property
    def size(self) -> int:
        return len(self.html.encode())


class _Accessible(Filter):  # type: ignore[misc]  # bleach: no types
    """A page has its own headings, in their order: those of a text only look like some. A picture says that it is one,
    and a table can be moved where it is wider than the page."""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for token in super().__iter__():
            name, is_start = token.get("name"), token["type"] == "StartTag"
            if name == "table" and is_start:
                yield _tag("StartTag", "div", {"class": "wide", "tabindex": "0"})
            if name in HEADINGS:
                token = (
                    token | {"name": "div", "data": {(None, "class"): name}} if is_start else token | {"name": "div"}
                )
            if name == "img" and not token["data"].get((None, "alt")):
                token["data"][None, "alt"] = "a picture without a description"
            yield token
            if name == "table" and token["type"] == "EndTag":
                yield _tag("EndTag", "div", {})


def _tag(kind: str, name: str, attributes: dict[str, str]) -> dict[str, Any]:
    data = {(None, key): value for key, value in attributes.items()}
    return {"type": kind, "name": name, "namespace": "http://www.w3.org/1999/xhtml", "data": data}


def cleaned(html: str) -> str:
    """HTML as a page may have it."""
    return clean(html, filters=(_Accessible,))


def markdown(source: str, attachments: dict[str, dict[str, str]] | None = None) -> Fragment:
    """Markdown as a part of a page, however long it takes."""
    budget = GlyphBudget()
    renderer = Renderer(
        budget,
        escape=False,
        attachments={name: data for name, data in (attachments or {}).items() if _fits(data)},
        embed_images=False,  # a path would be one of the grader's files
        path="",
        anchor_link_text="",
        exclude_anchor_links=True,
    )
    html = cleaned(str(MarkdownWithMath(renderer=renderer).render(source)))
    return Fragment(Markup(budget.with_pictures(html)), frozenset(budget.letters))


def _fits(bundle: dict[str, str]) -> bool:
    return all(len(data) <= LARGEST_PICTURE for data in bundle.values())


@lru_cache(maxsize=4000)
def course_text(source: str) -> Fragment:
    """A text of the course's."""
    return markdown(source)


@lru_cache(maxsize=4000)
def course_code(source: str) -> Fragment:
    """Code of the course's."""
    return Fragment(element("code", code=highlighted(source)))


@dataclass
class StudentTexts:
    """Renders what is a student's, within the time that a page has for it."""

    seconds: float = TEXTS_S
    left_out: list[str] = field(default_factory=list)

    def text(self, source: str, attachments: dict[str, dict[str, str]] | None = None) -> Fragment:
        """Markdown."""
        return self._in_time(partial(markdown, attachments=attachments), source, LONGEST_TEXT)

    def code(self, source: str) -> Fragment:
        """Code."""

        def as_code(text: str) -> Fragment:
            return Fragment(element("code", code=highlighted(text)))

        return self._in_time(as_code, source, LONGEST_TEXT)

    def output(self, output: Any) -> Fragment | None:
        """What a cell has shown, of which nothing may be left."""
        match output.output_type:
            case "stream":
                return _printed(output.text, "errors" if output.name == "stderr" else "")
            case "error":
                lines = "\n".join(output.traceback) or f"{output.ename}: {output.evalue}"
                return _printed(lines, "errors")
        return self._displayed(output.data, output.metadata)

    def _displayed(self, data: dict[str, str], sizes: dict[str, dict[str, int]]) -> Fragment | None:
        """The richest of the kinds that it is there in, as nbconvert has them."""
        for kind, show in self._kinds.items():
            if (text := data.get(kind, "")) and kind in PICTURES:
                return _picture(kind.removeprefix("image/"), text, sizes.get(kind, {}).get("width", 0))
            if text:
                return show(text)
        return None

    @property
    def _kinds(self) -> dict[str, Callable[[str], Fragment]]:
        return {
            "text/html": lambda text: self._in_time(_table, text, LARGEST_HTML),
            "text/markdown": self.text,
            "image/svg+xml": lambda text: _picture("svg+xml", base64.b64encode(text.encode()).decode()),
            **{kind: partial(_picture, kind.removeprefix("image/")) for kind in PICTURES},
            "text/latex": self.text,
            "text/plain": partial(_printed, kind=""),
        }

    def _in_time(self, render: Callable[[str], Fragment], text: str, longest: int) -> Fragment:
        if self.seconds <= 0 or len(text) > longest:
            return Fragment(element("as_written", text=text[:longest], rest=len(text) - longest))
        began = time.thread_time()
        rendered = render(text)
        self.seconds -= time.thread_time() - began
        return rendered


def _table(html: str) -> Fragment:
    assert len(html) <= MOST
    return Fragment(Markup(cleaned(html)))


def _printed(text: str, kind: str) -> Fragment:
    text = strip_ansi(text)
    return Fragment(element("printed", text=text[:LONGEST_OUTPUT], rest=len(text) - LONGEST_OUTPUT, kind=kind))


def _picture(kind: str, data: str, width: int = 0) -> Fragment:
    if len(data) > LARGEST_PICTURE:
        return Fragment(element("left_out", what="A picture", kb=len(data) * 3 // 4096))
    return Fragment(element("picture", kind=kind, data=data, width=width))
