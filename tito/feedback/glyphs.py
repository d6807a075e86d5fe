"""Formulas of a feedback page: drawn from outlines of letters that stand in the page once, however many formulas have
them. As pictures of their own they would be the larger part of a page; and these have the colour of the text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

from tito.bridge.formulas import FONT, Budget, as_mathtext
from tito.feedback.elements import element

EM = 100  # matplotlib's units of outlines
FINER = 4  # what an outline is rounded to, as a part of these
BEGIN, END = 1, 79  # matplotlib's codes of a path
LETTERS = {BEGIN: "M", 2: "L", 3: "Q", 4: "C"}
PARTS = re.compile(r"<[^>]*>|[^<]+")  # tags and texts of cleaned HTML
OUTLINES: dict[str, str] = {}  # of each letter that some formula has, by the name it has in pages


@dataclass(frozen=True)
class Formula:
    """A formula as an element of the page, and the letters that it needs there."""

    svg: str
    letters: frozenset[str]


@dataclass
class GlyphBudget(Budget):
    """What may still be drawn for a page. What stands for a formula until the end is a word that cleaning leaves: in
    tags too, where a picture's description has a formula, and there it is to be read and not drawn."""

    letters: set[str] = field(default_factory=set)
    texts: dict[str, str] = field(default_factory=dict)  # of formulas, by the same words

    def _shown(self, tex: str) -> str:
        drawn = formula(tex)
        if drawn is None:
            return ""
        self.letters |= drawn.letters
        name = f"{self.token}-{len(self.drawn)}-"
        self.drawn[name], self.texts[name] = drawn.svg, html.escape(tex)
        return name

    def with_pictures(self, text: str) -> str:
        name = re.compile(rf"{self.token}-\d+-")

        def in_part(part: re.Match[str]) -> str:
            of = self.texts if part[0].startswith("<") else self.drawn
            return name.sub(lambda match: of.get(match[0], ""), part[0])

        return PARTS.sub(in_part, text)


def outlines(letters: Iterable[str]) -> str:
    """The element that holds these letters."""
    return element("letters", outlines=[(name, OUTLINES[name]) for name in sorted(letters)])


@lru_cache(maxsize=2000)
def formula(tex: str) -> Formula | None:
    """A formula; None where matplotlib cannot draw it."""
    text = as_mathtext(tex)
    if not text:
        return None
    paths, font = _drawing_tools()
    try:
        width, height, depth, *_ = paths.mathtext_parser.parse(text, paths.DPI, font)
        placed, shapes, bars = paths.get_glyphs_mathtext(font, text)
    except (ValueError, RecursionError):  # the first is its word for TeX that it does not know
        return None
    if not width or not height:
        return None
    letters = {name: _known(name, *shapes[name]) for name, *_ in placed}
    svg = element(
        "formula",
        tex=tex,
        letters=[(letters[name], round(x), -round(y), round(scale, 3)) for name, x, y, scale in placed],
        bars=[_path(*bar) for bar in bars],
        width=round(width),
        height=round(height),
        above=round(height - depth),
        below_em=round(depth / EM, 2),
    )
    return Formula(svg, frozenset(letters.values()))


@cache
def _drawing_tools() -> tuple[Any, Any]:
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    return TextToPath(), FontProperties(size=EM, math_fontfamily=FONT)


def _name(name: str) -> str:
    return re.sub(r"[^\w-]", "", name.replace("STIXGeneral-", ""))


def _known(name: str, vertices: Any, codes: Any) -> str:
    """The name of a letter in pages, whose outline is known from now on."""
    short = _name(name)
    if short not in OUTLINES:
        OUTLINES[short] = _path(vertices, codes)
    return short


def _path(vertices: Any, codes: Any) -> str:
    """An outline as SVG writes it, with y going down. Points of the same kind stand behind one letter."""
    parts, last = [], 0
    for (x, y), code in zip(vertices, codes, strict=True):
        if code == END:
            parts.append("Z")
        else:
            parts.append(f"{LETTERS[code] if code != last or code == BEGIN else ' '}{_round(x)} {_round(-y)}")
        last = code
    return "".join(parts)


def _round(number: float) -> str:
    return f"{round(number * FINER) / FINER:g}"
