"""The page of settings: all that a `course.toml` can say, and the hub's."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

from tito.course.course_file import CourseFile
from tito.docs.comments import comments_in
from tito.docs.markdown import code, table
from tito.hub.config.load_settings import known_settings
from tito.policy.credit import CreditStep
from tito.validation import Between

INTRODUCTION = """\
# Settings

## course.toml

All but `id` have a default. What is unknown, or cannot be, is refused by every command before anything is run: the
message names the setting, and the nearest one that there is. Sizes are in MiB, times in seconds.
"""
OF_THE_HUB = """\
## The hub's YAML file

As [The hub](../how-to/hub.md) uses it.
"""


def page() -> str:
    """The whole page, in Markdown."""
    own: list[Field[Any]] = []
    tables: list[Field[Any]] = []
    hints = get_type_hints(CourseFile)
    for each in fields(CourseFile):
        (tables if is_dataclass(hints[each.name]) else own).append(each)
    parts = [INTRODUCTION, _table(CourseFile, own)]
    for each in tables:
        kind = hints[each.name]
        parts += [f"### {code(f'[{each.name}]')}\n", f"{_paragraphs(kind)}\n", _table(kind, list(fields(kind)))]
    parts += [f"### {code('[[credit.ASSIGNMENT]]')}\n", f"{_paragraphs(CreditStep)}\n"]
    parts.append(_table(CreditStep, list(fields(CreditStep))))
    rows = [(code(each.dotted), _shown(each.default), each.description) for each in known_settings()]
    return "\n".join([*parts, OF_THE_HUB, table(("setting", "default", "what it is"), rows)])


def _paragraphs(kind: type) -> str:
    return "\n".join(line.strip() for line in (kind.__doc__ or "").strip().splitlines())


def _table(kind: type, shown: list[Field[Any]]) -> str:
    hints, comments = get_type_hints(kind, include_extras=True), comments_in(kind)
    rows = [(code(each.name), _kind(hints[each.name]), _default(each), comments[each.name]) for each in shown]
    return table(("setting", "is", "default", "what it says"), rows)


def _kind(hint: Any) -> str:
    """What a setting is, as a person says it."""
    if type(None) in get_args(hint):
        (hint,) = (each for each in get_args(hint) if each is not type(None))
    if get_origin(hint) is Literal:
        return " or ".join(code(each) for each in get_args(hint))
    bounds = [each for each in getattr(hint, "__metadata__", ()) if isinstance(each, Between)]
    kind = get_args(hint)[0] if bounds else hint
    words = {int: "whole number", float: "number", str: "text", bool: "true or false"}
    if kind in words:
        return words[kind] + "".join(_range(each) for each in bounds)
    origin = get_origin(kind)
    if origin is tuple:
        return "list of texts"
    return "table" if origin is dict else "text"


def _range(bounds: Between) -> str:
    return f", {bounds.least:g} to {bounds.most:g}" if bounds.most <= 1000 else f", at least {bounds.least:g}"


def _default(each: Field[Any]) -> str:
    if each.default is MISSING:
        return "" if each.default_factory is not MISSING else "**has to be set**"
    return _shown(each.default)


def _shown(default: object) -> str:
    if default is None or default in ("", (), [], {}):
        return ""
    if isinstance(default, bool):
        return code(str(default).lower())
    if isinstance(default, tuple | list):
        return code(", ".join(map(str, default)))
    return code(f"{default:g}" if isinstance(default, float) else str(default))
