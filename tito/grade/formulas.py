"""Formulas of a page as pictures in it. nbconvert leaves them to MathJax from a server elsewhere: a site without a way
out sees TeX, and so does every student, for JupyterLab runs no scripts of a page that is opened in it.

matplotlib draws the TeX that is usual in text. What it does not know stays TeX.
"""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from typing import Any

from jinja2 import DictLoader, pass_context
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from traitlets import default

SIZE_PT = 12  # looks as large as the text around it
DEEPEST_PX = 99
MOST = 500  # of a page, and what a formula may be: some are a student's, and drawing them takes the time of others
LONGEST = 500
NESTED = 12
PX_PER_PT = 96 / 72
SIZES = re.compile(r"\\[bB]igg?[lrm]?(?![A-Za-z])")  # of brackets
UNKNOWN = {r"\lbrack": "[", r"\rbrack": "]", r"\dfrac": r"\frac", r"\tfrac": r"\frac", r"\lvert": "|", r"\rvert": "|"}
# In the place of nbconvert's, whose macro loads MathJax. The classes hold how far a picture goes below the line;
# formgrader's script waits for MathJax to say that it is done.
MACRO = """
{%- macro mathjax(url="") -%}
<style>.fb{text-align:center}__DEPTHS__</style>
<script>
window.MathJax = window.MathJax || {Hub: {Startup: {signal: {Interest: function (told) { told("End"); }}}}};
</script>
{%- endmacro %}
""".replace("__DEPTHS__", "".join(f".f{n}{{vertical-align:-{n}px}}" for n in range(1, DEEPEST_PX + 1)))


class Renderer(IPythonRenderer):  # type: ignore[misc]
    """nbconvert's renderer of text, with formulas as pictures."""

    def __init__(self, most: Iterator[int], **how: Any) -> None:
        super().__init__(**how)
        self._most = most

    def inline_math(self, body: str) -> str:
        return self._drawn(body) or str(super().inline_math(body))

    def block_math(self, body: str) -> str:
        drawn = self._drawn(body)
        return f'<p class="fb">{drawn}</p>' if drawn else str(super().block_math(body))

    def _drawn(self, tex: str) -> str:
        return picture(" ".join(tex.split())) if next(self._most, 0) else ""


class FormulaExporter(HTMLExporter):  # type: ignore[misc]
    """Pages that need nothing from elsewhere for their formulas."""

    most: Iterator[int] = iter(())

    @default("extra_loaders")  # type: ignore[untyped-decorator]
    def _loader(self) -> list[DictLoader]:
        return [DictLoader({"mathjax.html.j2": MACRO})]

    def from_notebook_node(self, nb: Any, resources: Any = None, **how: Any) -> tuple[str, Any]:
        self.most = iter(range(MOST, 0, -1))
        made: tuple[str, Any] = super().from_notebook_node(nb, resources, **how)
        return made

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """As nbconvert's own, with our renderer."""
        renderer = Renderer(
            self.most,
            escape=False,
            attachments=context.get("cell", {}).get("attachments", {}),
            embed_images=self.embed_images,
            path=context.get("resources", {}).get("metadata", {}).get("path", ""),
            anchor_link_text=self.anchor_link_text,
            exclude_anchor_links=self.exclude_anchor_links,
        )
        return str(MarkdownWithMath(renderer=renderer).render(source))


@lru_cache(maxsize=2000)
def picture(tex: str) -> str:
    """A formula as an element of a page; nothing where matplotlib cannot draw it."""
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties
    from matplotlib.mathtext import MathTextParser

    if len(tex) > LONGEST or tex.count("{") > NESTED * 4 or _depth(tex) > NESTED:
        return ""
    text, font = f"${_as_mathtext(tex)}$", FontProperties(size=SIZE_PT, math_fontfamily="stix")
    try:
        width, height, depth, *_ = MathTextParser("path").parse(text, dpi=72, prop=font)
    except (ValueError, RecursionError):  # the first is its word for TeX that it does not know
        return ""
    if not width or not height:
        return ""
    figure = Figure(figsize=(width / 72, height / 72))
    figure.text(0, depth / height, text, fontproperties=font)
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=72, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    below = min(round(depth * PX_PER_PT), DEEPEST_PX)
    data = base64.b64encode(drawn.getvalue()).decode()
    return f'<img class="f{below}" alt="{html.escape(tex)}" src="data:image/svg+xml;base64,{data}">'


def _as_mathtext(tex: str) -> str:
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
    return max(accumulate({"{": 1, "}": -1}.get(one, 0) for one in tex), default=0)


def _group(tex: str, at: int) -> tuple[str, int]:
    """What stands in the braces that open at `at`, and where it goes on behind them."""
    deep = 0
    for place in range(at, len(tex)):
        deep += {"{": 1, "}": -1}.get(tex[place], 0) if tex[place - 1] != "\\" else 0
        if deep == 0:
            return tex[at + 1 : place], place + 1
    return tex[at + 1 :], len(tex)
