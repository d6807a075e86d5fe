"""In a judge's process: notes how near a judge half came to saying no. Its text goes there, and knows nothing of ours.

`tito.author.survivors` writes calls of `_compared` and `_bounded` into a judge half, in the place of its comparisons,
and `_noted` at its end: for each line the largest deviation, and the tolerance that allowed it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import numpy as np

MOST_NOTED = 25  # lines that are told of
DEFAULTS = {  # of rtol and atol, as numpy has them
    "allclose": (1e-5, 1e-8),
    "isclose": (1e-5, 1e-8),
    "assert_allclose": (1e-7, 0.0),
}
NO_NUMBERS = (TypeError, ValueError, ArithmeticError, IndexError)  # of what is no array of numbers, or of another shape
_NOTES: dict[str, tuple[float, float, float]] = {}


def _note_worst(line: str, deviations: Any, tolerances: Any) -> None:
    """Note the element that came nearest to its tolerance, if it came nearer than any has on that line."""
    deviations, tolerances = np.broadcast_arrays(deviations, tolerances)
    if not deviations.size:
        return
    shares = np.where(tolerances > 0, deviations / np.where(tolerances > 0, tolerances, 1.0), 0.0)
    worst = np.unravel_index(np.argmax(shares), shares.shape)
    deviation, tolerance = float(deviations[worst]), float(tolerances[worst])
    share = deviation / tolerance if tolerance > 0 else 0.0 if deviation == 0 else float("inf")
    if share == share and share >= _NOTES.get(line, (0.0, 0.0, -1.0))[2]:
        _NOTES[line] = (deviation, tolerance, share)


def _compared(line: str, name: str, function: Any, actual: Any, desired: Any, *rest: Any, **options: Any) -> Any:
    """Call a function that compares, and note by how much its arguments differ."""
    rtol, atol = DEFAULTS[name]
    rtol = rest[0] if rest else options.get("rtol", rtol)
    atol = rest[1] if len(rest) > 1 else options.get("atol", atol)
    with suppress(*NO_NUMBERS):
        first, second = np.asarray(actual, dtype=np.float64), np.asarray(desired, dtype=np.float64)
        _note_worst(line, np.abs(first - second), atol + rtol * np.abs(second))
    return function(actual, desired, *rest, **options)


def _bounded(line: str, left: Any, right: Any, is_strict: bool) -> Any:
    """Compare what deviates with what bounds it, and note both."""
    with suppress(*NO_NUMBERS):
        _note_worst(line, np.asarray(left, np.float64), np.asarray(right, np.float64))
    return left < right if is_strict else left <= right


def _noted() -> str:
    worst = sorted(_NOTES.items(), key=lambda item: -item[1][2])[:MOST_NOTED]
    return json.dumps([[line, deviation, tolerance] for line, (deviation, tolerance, _) in worst])
