"""Formgrader's templates: where they lie, and those of pages that are ours from head to foot.

nbgrader/       by nbgrader's names, before its own: pages of formgrader's
submission/     by nbconvert's names: a submission where it is scored
notebook/       by nbconvert's names: a notebook that is only shown
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, Template

TEMPLATES = Path(__file__).with_name("templates")
NBGRADERS, SUBMISSION, NOTEBOOK = (TEMPLATES / name for name in ("nbgrader", "submission", "notebook"))


def render(template: str, **values: Any) -> str:
    """A template of ours with these values, escaped unless they are Markup. It is compiled once."""
    return _template(template).render(**values)


@cache
def _template(name: str) -> Template:
    return _environment().get_template(name)


@cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
