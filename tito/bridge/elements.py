"""Elements of HTML that code puts into pages: macros in `templates/elements.html`, which escape what they are given."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, Template

TEMPLATES = Path(__file__).with_name("templates")


@cache
def template(name: str) -> Template:
    """A template of this room, compiled once. Those of whole pages are rendered by exporters."""
    return _environment().get_template(name)


def element(macro: str, **values: Any) -> str:
    """An element, by the name of its macro."""
    return str(getattr(template("elements.html").module, macro)(**values))


@cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
