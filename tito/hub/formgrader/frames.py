"""A submission on formgrader's page: nbgrader's own page with what the student made of it in sandboxed frames.

nbgrader puts boxes for points among the student's cells, in one document with scripts that may change grades. So each
text and the outputs of each cell are a document of their own: no script runs in it, whatever is in it, no form is sent,
no link leads out, and what formgrader's scripts look for by name is out of its reach. It has the page's policy too. A
script of the page gives each frame the height of its content, which it may look at (`allow-same-origin`).
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import pass_context
from markupsafe import Markup
from nbconvert.filters import strip_files_prefix
from nbgrader.server_extensions.formgrader import handlers
from pygments.formatters import HtmlFormatter

from tito.bridge.formulas import FORMULA_TEMPLATES, formula_style
from tito.bridge.pages import SCORING_TEMPLATES, PageExporter
from tito.hub.formgrader.own_templates import SUBMISSION, render

BOOTSTRAP = Path(handlers.static_path) / "node_modules" / "bootstrap" / "dist" / "css" / "bootstrap.min.css"
SANDBOX = "allow-same-origin"


class FormgraderExporter(PageExporter):
    """Renders a submission for formgrader, whose server sends the policy of the page."""

    policy = ""
    links = False
    folders = (SUBMISSION, SCORING_TEMPLATES, FORMULA_TEMPLATES)

    def default_filters(self) -> Iterator[tuple[str, Callable[..., Any]]]:
        yield from super().default_filters()
        yield "framed", self.framed
        yield "strip_files_prefix", self.text_in_a_frame

    def from_notebook_node(self, nb: Any, resources: Any = None, **how: Any) -> tuple[str, Any]:
        """The page. nbgrader writes names of people and files into it as they are."""
        shown = {name: html.escape(value) if isinstance(value, str) else value for name, value in resources.items()}
        return super().from_notebook_node(nb, shown, **how)

    @pass_context
    def framed(self, context: Any, content: str) -> Markup:
        """Something of the student's in a document of its own; nothing where there is nothing to see."""
        if not content.strip():
            return Markup()
        base = f"{context['resources']['base_url']}/formgrader"
        document = render("document.html", base=base, version=style_version(), body=Markup(content))
        return Markup(render("frame.html", sandbox=SANDBOX, document=document))

    @pass_context
    def text_in_a_frame(self, context: Any, text: str) -> Markup:
        """A text cell, as nbgrader's template renders it: this filter is the last that it goes through."""
        return self.framed(context, self.cleaned(strip_files_prefix(text)))


@cache
def student_style() -> str:
    """The style of what is in frames: one file, as each of a page's many frames asks for all of it."""
    code = HtmlFormatter(style="default").get_style_defs(".highlight")
    return f"{BOOTSTRAP.read_text(encoding='utf-8')}\n{code}\n{formula_style()}\n{render('student.css')}\n"


@cache
def style_version() -> str:
    """What the address of the style ends with, so that a browser can keep it for as long as it stays the same."""
    return hashlib.sha256(student_style().encode()).hexdigest()[:16]
