"""Formulas of a page as pictures in it. nbconvert leaves them to MathJax from a server elsewhere: a site without a way
out sees TeX, and so does every student, for JupyterLab runs no scripts of a page that is opened in it.

matplotlib draws the TeX that is usual in text. What it does not know stays TeX.
"""

from __future__ import annotations

import base64
import io
import re
import secrets
import time
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any, ClassVar

from jinja2 import BaseLoader, Environment, FileSystemLoader, pass_context
from markupsafe import Markup
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import InvalidNotebook, IPythonRenderer, MarkdownWithMath
from traitlets import default

from tito.bridge.elements import TEMPLATES, element, template

FONT = "stix"
SIZE_PT = 12  # looks as large as the text around it
DEEPEST_PX = 99  # the classes of pictures hold how far they go below the line
# What a page may have drawn, and what a formula may be: some are a student's, and drawing takes the time of others.
MOST = 500
MOST_S = 4.0  # of a processor; what was drawn for an earlier page costs nothing
LONGEST = 500
DATA = "data:image/svg+xml;base64,"
NESTED = 12
PX_PER_PT = 96 / 72
SIZES = re.compile(r"\\[bB]igg?[lrm]?(?![A-Za-z])")  # of brackets
UNKNOWN = {r"\lbrack": "[", r"\rbrack": "]", r"\dfrac": r"\frac", r"\tfrac": r"\frac", r"\lvert": "|", r"\rvert": "|"}
FORMULA_TEMPLATES = TEMPLATES / "formulas"


@dataclass(frozen=True)
class Drawing:
    """A formula as data of a picture, and how far it goes below the line."""

    data: str
    below_px: int


@dataclass
class Budget:
    """What may still be drawn for a page."""

    formulas: int = MOST
    seconds: float = MOST_S
    drawn: dict[str, str] = field(default_factory=dict)  # data of pictures, by what stands for them until the end
    token: str = field(default_factory=lambda: secrets.token_hex(8))  # which no text of a student's can hold

    def element(self, tex: str) -> str:
        """A formula as an element of the page; nothing where it cannot be drawn, or where the budget is spent.

        It holds a short name in the place of the data, which is many times as long: what cleans a text reads all of it.
        """
        if self.formulas <= 0 or self.seconds <= 0:
            return ""
        self.formulas -= 1
        began = time.thread_time()
        shown = self._shown(tex)
        self.seconds -= time.thread_time() - began
        return shown

    def _shown(self, tex: str) -> str:
        drawing = picture(tex)
        if drawing is None:
            return ""
        name = f"{DATA}{self.token}-{len(self.drawn)}-"
        self.drawn[name] = drawing.data
        return element("formula", tex=tex, below_px=drawing.below_px, data=name)

    def with_pictures(self, text: str) -> str:
        """A text with the data in the place of their names."""
        return re.sub(rf"{re.escape(DATA)}{self.token}-\d+-", lambda name: self.drawn.get(name[0], ""), text)


class Renderer(IPythonRenderer):  # type: ignore[misc]
    """nbconvert's renderer of text, with formulas as pictures."""

    def __init__(self, budget: Budget, **how: Any) -> None:
        super().__init__(**how)
        self._budget = budget

    def inline_math(self, body: str) -> str:
        return self._drawn(body) or str(super().inline_math(body))

    def block_math(self, body: str) -> str:
        drawn = self._drawn(body)
        return element("displayed", formula=Markup(drawn)) if drawn else str(super().block_math(body))

    def _drawn(self, tex: str) -> str:
        return self._budget.element(" ".join(tex.split()))

    def _embed_image_or_attachment(self, source: str) -> str:
        """The address of a picture. One that is not attached has none: nbconvert would make no page at all."""
        try:
            return str(super()._embed_image_or_attachment(source))
        except InvalidNotebook:
            return ""


class FormulaExporter(HTMLExporter):  # type: ignore[misc]
    """Pages that need nothing from elsewhere for their formulas. Who cleans a text puts the pictures in afterwards."""

    # Where templates are looked for before nbconvert's, by the same names.
    folders: ClassVar[tuple[Path, ...]] = (FORMULA_TEMPLATES,)

    @default("extra_loaders")  # type: ignore[untyped-decorator]
    def _loaders(self) -> list[BaseLoader]:
        return [FileSystemLoader(self.folders)]

    def _create_environment(self) -> Environment:
        environment: Environment = super()._create_environment()
        environment.globals["deepest_px"] = DEEPEST_PX
        return environment

    def from_notebook_node(self, nb: Any, resources: Any = None, **how: Any) -> tuple[str, Any]:
        self.budget = Budget()
        page: tuple[str, Any] = super().from_notebook_node(nb, resources, **how)
        return page

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """As nbconvert's own, with our renderer."""
        renderer = Renderer(
            self.budget,
            escape=False,
            attachments=context.get("cell", {}).get("attachments", {}),
            embed_images=self.embed_images,
            path=context.get("resources", {}).get("metadata", {}).get("path", ""),
            anchor_link_text=self.anchor_link_text,
            exclude_anchor_links=self.exclude_anchor_links,
        )
        return str(MarkdownWithMath(renderer=renderer).render(source))


@cache
def formula_style() -> str:
    """The style of formulas, and of tables: what these bring with them is taken away."""
    return template("formulas/formulas.css").render(deepest_px=DEEPEST_PX)


@lru_cache(maxsize=2000)
def picture(tex: str) -> Drawing | None:
    """A formula as a picture; None where matplotlib cannot draw it."""
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties
    from matplotlib.mathtext import MathTextParser

    text, font = as_mathtext(tex), FontProperties(size=SIZE_PT, math_fontfamily=FONT)
    if not text:
        return None
    try:
        width, height, depth, *_ = MathTextParser("path").parse(text, dpi=72, prop=font)
    except (ValueError, RecursionError):  # the first is its word for TeX that it does not know
        return None
    if not width or not height:
        return None
    figure = Figure(figsize=(width / 72, height / 72))
    figure.text(0, depth / height, text, fontproperties=font)
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=72, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    below = min(round(depth * PX_PER_PT), DEEPEST_PX)
    return Drawing(f"{DATA}{base64.b64encode(drawn.getvalue()).decode()}", below)


def as_mathtext(tex: str) -> str:
    """A formula as matplotlib has it; nothing where it would take long to draw."""
    if len(tex) > LONGEST or tex.count("{") > NESTED * 4 or _depth(tex) > NESTED:
        return ""
    return f"${_renamed(tex)}$"


def _renamed(tex: str) -> str:
    """What TeX and matplotlib name differently; a brace below a term becomes the words below it."""
    tex = SIZES.sub("", tex)
    for theirs, known in UNKNOWN.items():
        tex = re.sub(rf"{re.escape(theirs)}(?![A-Za-z])", known.replace("\\", r"\\"), tex)
    while (at := tex.find(r"\underbrace{")) >= 0:
        body, after = _group(tex, at + len(r"\underbrace"))
        below, rest = _group(tex, after + 1) if tex[after : after + 2] == "_{" else ("", after)
        tex = f"{tex[:at]}\\underset{{{below}}}{{{body}}}{tex[rest:]}" if below else f"{tex[:at]}{{{body}}}{tex[rest:]}"
    return tex


def _depth(tex: str) -> int:
    """How deep braces are in braces."""
    return max(accumulate({"{": 1, "}": -1}.get(letter, 0) for letter in tex), default=0)


def _group(tex: str, at: int) -> tuple[str, int]:
    """What stands in the braces that open at `at`, and where it goes on behind them."""
    deep = 0
    for place in range(at, len(tex)):
        deep += {"{": 1, "}": -1}.get(tex[place], 0) if tex[place - 1] != "\\" else 0
        if deep == 0:
            return tex[at + 1 : place], place + 1
    return tex[at + 1 :], len(tex)
