"""The templates of feedback pages, which escape what they are given."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

TEMPLATES = Path(__file__).with_name("templates")


def element(macro: str, **values: Any) -> Markup:
    """An element of HTML, by the name of its macro in `templates/elements.html`."""
    return Markup(getattr(template("elements.html").module, macro)(**values))


@cache
def template(name: str) -> Template:
    """A template, compiled once."""
    return _environment().get_template(name)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
