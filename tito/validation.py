"""What comes from outside, checked by pydantic: settings, answers of a service, stored records. And pydantic's errors
as a person is told them: what is wrong, where, and what to do.

Shapes are frozen dataclasses or pydantic's models. Pydantic is imported when something is read, and not before: that
takes as long as all else that `tito --help` does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

from tito.errors import BadSource

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError

Shape = TypeVar("Shape")
Place = tuple[int | str, ...]
NO_OTHERS = {"extra": "forbid", "allow_inf_nan": False}  # as the __pydantic_config__ of a dataclass

UNKNOWN = frozenset({"extra_forbidden", "unexpected_keyword_argument"})
TABLE, MOMENT = "a table", "a date and time with a zone"
WANTED = {  # where pydantic's own words are a programmer's
    "string_type": "a text",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": TABLE,
    "dataclass_type": TABLE,
    "model_type": TABLE,
    "datetime_type": MOMENT,
    "datetime_parsing": MOMENT,
    "datetime_from_date_parsing": MOMENT,
    "timezone_aware": MOMENT,
    "json_invalid": "JSON",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than_equal": "at most {le:g}",
}
HINTS = {TABLE: "Write its settings below it.", MOMENT: "Write it as 2026-12-07T23:59:00Z."}


@dataclass(frozen=True)
class Between:
    """The bounds of a number, both among what it can be: as an annotation. (Pydantic's own would need pydantic.)"""

    least: float
    most: float

    def __get_pydantic_core_schema__(self, kind: Any, schema_of: Callable[[Any], Any]) -> Any:
        return schema_of(kind) | {"ge": self.least, "le": self.most}


@dataclass(frozen=True)
class InUtc:
    """That a moment has a zone, and is in UTC once it is read: as an annotation."""

    def __get_pydantic_core_schema__(self, kind: Any, schema_of: Callable[[Any], Any]) -> Any:
        from pydantic_core import core_schema

        aware = schema_of(kind) | {"tz_constraint": "aware"}
        return core_schema.no_info_after_validator_function(_in_utc, aware)


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # the last of all dates, as some write "never", or the first, of another zone
        return (datetime.min if moment.year == 1 else datetime.max).replace(tzinfo=UTC)


def adapter(shape: type[Shape]) -> TypeAdapter[Shape]:
    """Pydantic's reader and writer of a shape, made once: that takes milliseconds."""
    hashable: Any = shape  # which a type is, and mypy doubts
    adapted: TypeAdapter[Shape] = _adapter(hashable)
    return adapted


@cache
def _adapter(shape: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(shape)


def from_json(shape: type[Shape], text: str | bytes) -> Shape:
    """What JSON says, of exactly these types.

    Raises:
        ValueError: it is no JSON, or something else. (Pydantic's ValidationError is one.)
    """
    return adapter(shape).validate_json(text, strict=True)


def to_json(value: object) -> str:
    """A dataclass as JSON, which `from_json` reads."""
    return adapter(type(value)).dump_json(value).decode()


def from_environment(shape: type[Shape], environment: Mapping[str, str], variables: Mapping[str, str]) -> Shape:
    """Settings of which each is in a variable of its own, by the field's name; what is empty is not set.

    Raises:
        BadSource: one is missing or does not fit; says which, and not what it is: that may be a secret.
    """
    from pydantic import ValidationError

    data = {name: environment[variable] for name, variable in variables.items() if environment.get(variable)}
    try:
        return adapter(shape).validate_python(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        missing = first["type"] == "missing"
        hint = "The hub sets it for a service that it starts." if missing else "Correct the variable."
        raise BadSource(f"{variables[str(first['loc'][0])]} {must(first)}.", hint=hint) from None


def wrong_setting(
    error: ValidationError, shape: Any, source: Callable[[Place], str], *, show_values: bool
) -> BadSource:
    """The first fault of a file of settings, as the error that a person gets; a name that is not known before all.

    `source` says where a setting stands. Without `show_values` what stands there is not repeated: it may be a secret.
    """
    faults = sorted(error.errors(include_url=False), key=lambda fault: fault["type"] not in UNKNOWN)
    first: Any = faults[0]
    place: Place = first["loc"]
    name = ".".join(map(str, place))
    if first["type"] in UNKNOWN:
        hint = near(str(place[-1]), names_at(shape, place[:-1]))
        return BadSource(f"{source(place)}: there is no setting '{name}'.", hint=hint)
    value = f", not {first['input']!r}" if show_values and first["type"] != "missing" else ""
    return BadSource(f"{source(place)}: '{name}' {must(first)}{value}.", hint=_hint(first))


def must(fault: Any) -> str:
    """What a setting has to be, as the end of a sentence."""
    if fault["type"] == "missing":
        return "is missing"
    words = WANTED.get(fault["type"], "").format(**fault.get("ctx", {}))
    return f"must be {words or str(fault['msg']).removeprefix('Input should be ')}"


def _hint(fault: Any) -> str:
    if fault["type"] == "literal_error" and isinstance(fault["input"], str):
        close = get_close_matches(fault["input"], re.findall("'([^']*)'", fault["ctx"]["expected"]), n=1)
        return f"Did you mean '{close[0]}'?" if close else "Mend the setting."
    return HINTS.get(WANTED.get(fault["type"], ""), "Mend the setting.")


def near(name: str, known: Collection[str]) -> str:
    """What to say of a name that is not known: the one that was probably meant, or all there are."""
    close = get_close_matches(name, known, n=1)
    return f"Did you mean '{close[0]}'?" if close else f"Known: {', '.join(sorted(known)) or 'none'}."


def names_at(shape: Any, place: Place) -> list[str]:
    """The names that can stand at a place of a shape."""
    for part in place:
        inside = _fields(shape)
        shape = inside[str(part)] if inside else [each for each in get_args(shape) if each is not ...][-1]
    return list(_fields(shape))


def _fields(shape: Any) -> dict[str, Any]:
    """The fields of a shape and their shapes; of a dict of names none."""
    if is_dataclass(shape):
        hints = get_type_hints(shape)
        return {field.name: hints[field.name] for field in fields(shape)}
    return {name: field.annotation for name, field in getattr(shape, "model_fields", {}).items()}
