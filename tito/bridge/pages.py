"""Pages that are made of graded notebooks: feedback, and what formgrader shows. Whoever opens one is a target.

Three walls, each of which would do alone: the notebook is made anew of what is on a list (`whitelist`), its HTML is
cleaned (`safe_html`), and the page's own Content-Security-Policy lets no script run but those of the template, which
carry a nonce; a feedback page has none. The policy stands in the page itself: feedback is opened as a file.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, pass_context
from nbconvert.filters import strip_files_prefix

from tito.bridge.elements import TEMPLATES, element
from tito.bridge.formulas import FORMULA_TEMPLATES, FormulaExporter
from tito.bridge.safe_html import MOST, clean
from tito.grade.whitelist import allowed_notebook

NOTHING_RUNS = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'"
)
LONGEST_TEXT = 20_000  # characters of Markdown: some of it takes time with the square of its length
TEXTS_S = 10.0  # of a processor, for all texts of a page; what comes after that stands there as it was written
SCRIPT = re.compile(r"<script\b")
HEAD = "<head>"
PAGE_TEMPLATES, SCORING_TEMPLATES = TEMPLATES / "page", TEMPLATES / "scoring"
CLICK = re.compile(r"\bonclick=\"(\w+)\((\w*)\);?\"", re.IGNORECASE)


class GuardedLoader(BaseLoader):
    """Templates as they are, with what a policy asks of them: a nonce at each script, and no script in an attribute.

    It works on templates, before anything of a student's is in them: what a student smuggles into a page has no nonce.
    """

    def __init__(self, templates: BaseLoader) -> None:
        self._templates = templates

    def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, Callable[[], bool] | None]:
        source, path, fresh = self._templates.get_source(environment, template)
        return (source if template.endswith(".css") else guarded(source)), path, fresh


def guarded(source: str) -> str:
    """The source of a template, with a nonce at each script, the policy in its head, and clicks named in attributes."""
    source = SCRIPT.sub('<script nonce="{{ csp_nonce() }}"', source)
    source = source.replace(HEAD, HEAD + "{{ csp_meta() }}")
    return CLICK.sub(r'data-call="\1" data-with="\2"', source)


def meta(policy: str) -> str:
    """The element of a page's head that holds its policy, where the page has none from a server."""
    return policy and element("policy", content=policy)


class CleanExporter(FormulaExporter):
    """Pages of notebooks as nbgrader's templates make them, without anything of theirs that a browser would run.

    nbconvert's own switch cleans outputs only, as nbgrader's templates render text cells themselves; and it takes away
    paragraphs and headings.
    """

    sanitize_html = True
    links = True  # whether those of a notebook lead anywhere
    texts_s = TEXTS_S
    folders: ClassVar[tuple[Path, ...]] = (PAGE_TEMPLATES, FORMULA_TEMPLATES)

    def default_filters(self) -> Iterator[tuple[str, Callable[..., Any]]]:
        yield from super().default_filters()
        yield "clean_html", self.cleaned
        yield "strip_files_prefix", lambda text: self.cleaned(strip_files_prefix(text))

    def from_notebook_node(self, nb: Any, resources: Any = None, **how: Any) -> tuple[str, Any]:
        self.texts_s = TEXTS_S
        page: tuple[str, Any] = super().from_notebook_node(allowed_notebook(nb), resources, **how)
        return page

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """Markdown as HTML, or as it was written where that would take long."""
        return self._in_time(partial(super().markdown2html, context), source, LONGEST_TEXT)

    def cleaned(self, text: str) -> str:
        """HTML without what is not on the list, or as text where that would take long."""
        return self.budget.with_pictures(self._in_time(partial(clean, links=self.links), text, MOST))

    def _in_time(self, render: Callable[[str], str], text: str, longest: int) -> str:
        if self.texts_s <= 0 or len(text) > longest:
            return element("as_written", text=text[:longest])
        began = time.thread_time()
        rendered = render(text)
        self.texts_s -= time.thread_time() - began
        return rendered

    def _create_environment(self) -> Environment:
        environment = super()._create_environment()
        nbgraders = FileSystemLoader(self.template_paths)
        named = PrefixLoader({"nbgrader": nbgraders, "tito": FileSystemLoader(TEMPLATES)})
        environment.loader = ChoiceLoader([*self.extra_loaders, named, nbgraders])
        return environment


class ScoringExporter(CleanExporter):
    """For formgrader as nbgrader's own server extension has it, whose pages cannot have a policy of ours."""

    links = False
    folders = (SCORING_TEMPLATES, *CleanExporter.folders)


class PageExporter(CleanExporter):
    """Pages with a policy."""

    policy = NOTHING_RUNS
    nonce = ""

    def _create_environment(self) -> Environment:
        environment = super()._create_environment()
        environment.globals |= {"csp_nonce": lambda: self.nonce, "csp_meta": lambda: meta(self.policy)}
        assert environment.loader is not None
        environment.loader = GuardedLoader(environment.loader)
        return environment
