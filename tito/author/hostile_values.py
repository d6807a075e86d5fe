"""Hostile values that could be sent in the place of a true one: what a judge half must say no to.

    whole       nothing, an empty one, NaN, zero, one, text, bytes, a list, a dict, each input of the test
    shape       reversed, transposed, permuted, longer, shorter
    elements    zeros, ones, negated, shifted, scaled, flipped, NaN, None: all of them, and in containers each by itself
    dicts       a key dropped, values exchanged

A value that is the true one within TOLERANCE is no forgery, and is left out.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

TOLERANCE = 0.25  # of the largest number in a value: tests may be as loose as that
MOST_ELEMENTS = 12  # of a container that are replaced singly: the first and the last
DEPTH = 3  # of containers in containers
SAME = object()  # what a recipe gives where it does not apply
Recipe = Callable[[Any], Any]


# ---- when a value is another ---------------------------------------------------------------------


def differs(true: Any, other: Any) -> bool:
    """Whether a judge has to tell the two apart."""
    if _is_number(true) and _is_number(other):
        return _numbers_differ(np.asarray(true), np.asarray(other))
    if isinstance(true, list | tuple) and isinstance(other, list | tuple):
        return len(true) != len(other) or any(map(differs, true, other))
    if isinstance(true, dict) and isinstance(other, dict):
        return true.keys() != other.keys() or any(differs(true[key], other[key]) for key in true)
    if isinstance(true, np.ndarray | list | tuple) and isinstance(other, np.ndarray | list | tuple):
        return differs(_listed(true), _listed(other))
    if isinstance(true, np.ndarray) and isinstance(other, np.ndarray):
        return bool(true.shape != other.shape or (true != other).any())
    return bool(type(true) is not type(other) or true != other)


def _listed(value: Any) -> list[Any]:
    return list(value) if not isinstance(value, np.ndarray) or value.ndim else [value[()]]


def _is_number(value: Any) -> bool:
    if isinstance(value, np.ndarray | np.generic):
        return value.dtype.kind in "biufc"
    return isinstance(value, bool | int | float | complex)


def _numbers_differ(true: Any, other: Any) -> bool:
    if true.shape != other.shape:
        return True
    if not true.size:
        return False
    true, other = true.astype(complex), other.astype(complex)
    if not np.array_equal(np.isnan(true), np.isnan(other)):
        return True
    known = np.isfinite(true) & np.isfinite(other)
    if not np.array_equal(true[~known & ~np.isnan(true)], other[~known & ~np.isnan(true)]):
        return True
    if not known.any():
        return False
    true, other = true[known] / 4, other[known] / 4  # what the largest numbers differ by is a number, too
    return bool(np.abs(true - other).max() > TOLERANCE * np.abs(true).max())


# ---- recipes ------------------------------------------------------------------------------------------


def _filled(number: Any) -> Recipe:
    def fill(value: Any) -> Any:
        if not _is_number(value) or isinstance(value, bool | np.bool_):
            return SAME
        if isinstance(value, np.ndarray):
            return np.full_like(value, number) if value.dtype.kind != "b" else SAME
        return type(value)(number)

    return fill


def _not_a_number(value: Any) -> Any:
    if isinstance(value, float | np.floating):
        return type(value)(math.nan)
    if isinstance(value, np.ndarray) and value.dtype.kind in "fc":
        return np.full_like(value, math.nan)
    return np.full(value.shape, math.nan) if isinstance(value, np.ndarray) and value.dtype.kind in "iu" else SAME


def _negated(value: Any) -> Any:
    if isinstance(value, str | bytes):
        return value[::-1]
    return _calculated(value, lambda numbers: -numbers)


def _shifted(value: Any) -> Any:
    if isinstance(value, str):
        return f"{value}x"
    return _calculated(value, lambda numbers: numbers + 1 + 2 * _size(numbers))


def _scaled(value: Any) -> Any:
    return _calculated(value, lambda numbers: 2 * numbers)


def _size(numbers: Any) -> Any:
    finite = np.abs(numbers)[np.isfinite(numbers)] if isinstance(numbers, np.ndarray) else abs(numbers)
    return (finite.max() if finite.size else 0) if isinstance(numbers, np.ndarray) else finite


def _calculated(value: Any, change: Recipe) -> Any:
    """In a type that is wide enough, and then in the value's own."""
    if not _is_number(value) or isinstance(value, bool | np.bool_):
        return SAME
    if isinstance(value, np.ndarray | np.generic):
        if value.dtype.kind == "b":
            return SAME
        wide = value.astype({"i": np.int64, "u": np.int64}.get(value.dtype.kind, value.dtype))
        with np.errstate(all="ignore"):
            changed = np.asarray(change(wide)).astype(value.dtype)
        return changed if isinstance(value, np.ndarray) else changed[()]
    return change(value) if not isinstance(value, float | complex) or np.isfinite(value) else SAME


def _flipped(value: Any) -> Any:
    if isinstance(value, bool | np.bool_):
        return not value
    return ~value if isinstance(value, np.ndarray) and value.dtype.kind == "b" else SAME


def _empty(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value[:0] if value.ndim else np.zeros(0, value.dtype)
    return type(value)() if isinstance(value, list | tuple | dict | set | str | bytes) else SAME


def _reversed(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return np.flip(value) if value.ndim else SAME
    return value[::-1] if isinstance(value, list | tuple | str | bytes) else SAME


def _transposed(value: Any) -> Any:
    return np.ascontiguousarray(value.T) if isinstance(value, np.ndarray) and value.ndim > 1 else SAME


def _permuted(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        order = np.random.default_rng(706173).permutation(value.size)
        return value.ravel()[order].reshape(value.shape)
    if isinstance(value, list | tuple):
        order = np.random.default_rng(706173).permutation(len(value))
        return type(value)(value[at] for at in order)
    return SAME


def _longer(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return np.concatenate([value, value[-1:]]) if value.ndim and len(value) else SAME
    if isinstance(value, list | tuple):
        return type(value)((*value, *value[-1:])) if value else type(value)((None,))
    return value | {"forged"} if isinstance(value, set) else SAME


def _shorter(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value[:-1] if value.ndim else SAME
    if isinstance(value, dict):
        return dict(list(value.items())[:-1])
    return type(value)(list(value)[:-1]) if isinstance(value, list | tuple | set) else SAME


WHOLE: dict[str, Recipe] = {
    "nothing (None)": lambda _: None,
    "an empty one of its kind": _empty,
    "NaN": lambda _: math.nan,
    "zero": lambda _: 0,
    "one": lambda _: 1,
    "text": lambda _: "forged",
    "bytes": lambda _: b"forged",
    "an empty list": lambda _: [],
    "a dict": lambda _: {"forged": 1},
}
SHAPE: dict[str, Recipe] = {
    "reversed": _reversed,
    "transposed": _transposed,
    "permuted": _permuted,
    "longer": _longer,
    "shorter": _shorter,
}
ELEMENTS: dict[str, Recipe] = {
    "zeros": _filled(0),
    "ones": _filled(1),
    "NaNs": _not_a_number,
    "negated": _negated,
    "shifted": _shifted,
    "scaled": _scaled,
    "flipped": _flipped,
}
NOTHINGS: dict[str, Recipe] = {"all None": lambda _: None}


def everywhere(value: Any, recipe: Recipe) -> Any:
    """The value with the recipe applied to all that is no container in it; SAME where it applies to nothing."""
    if isinstance(value, list | tuple):
        parts = [everywhere(element, recipe) for element in value]
        if all(part is SAME for part in parts):
            return SAME
        return type(value)(old if new is SAME else new for old, new in zip(value, parts, strict=True))
    if isinstance(value, dict):
        changed = {key: everywhere(element, recipe) for key, element in value.items()}
        if all(element is SAME for element in changed.values()):
            return SAME
        return {key: value[key] if element is SAME else element for key, element in changed.items()}
    return recipe(value)


def alike(value: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Replacements by the name of a recipe that can be applied to several values at once."""
    replaced = {name: recipe(value) for name, recipe in (WHOLE | SHAPE).items()}
    replaced |= {name: everywhere(value, recipe) for name, recipe in (ELEMENTS | NOTHINGS).items()}
    replaced |= {f"the input `{name}`": other for name, other in inputs.items()}
    return {name: other for name, other in replaced.items() if other is not SAME and differs(value, other)}


def replacements(value: Any, inputs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """All hostile values in the place of one value, each with what it is."""
    yield from alike(value, inputs).items()
    yield from _inside(value, DEPTH)


def _inside(value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """The value with one element of a container in it replaced, or two exchanged."""
    if depth == 0 or not isinstance(value, list | tuple | dict):
        return
    places = list(value) if isinstance(value, dict) else list(range(len(value)))
    if len(places) > MOST_ELEMENTS:
        places = places[: MOST_ELEMENTS // 2] + places[-MOST_ELEMENTS // 2 :]
    for place in places:
        true = value[place]
        for name, other in (*alike(true, {}).items(), *_inside(true, depth - 1)):
            yield f"one with element {place!r}: {name}", _with(value, {place: other})
        if isinstance(value, dict):
            yield f"one without the key {place!r}", {key: element for key, element in value.items() if key != place}
    for first, second in itertools.pairwise(places):
        if differs(value[first], value[second]):
            exchanged = _with(value, {first: value[second], second: value[first]})
            yield f"one with elements {first!r} and {second!r} exchanged", exchanged


def _with(value: Any, changed: dict[Any, Any]) -> Any:
    if isinstance(value, dict):
        return value | changed
    return type(value)(changed.get(at, element) for at, element in enumerate(value))
