"""What a test's last expression gives: points, where nbgrader would read a number in it (see `plan/partial_credit.py`).

It is put into a name of its own, so that no display hook has a hand in it, and told as the text that a kernel would
show of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

LAST_VALUE = "_last_value_of_test"
LONGEST = 200  # characters that are told
NO_NUMBERS = (str, bytes, bytearray, list, tuple, dict, set, frozenset)  # and they may be long
_text = repr  # as it is when nobody has replaced it


def last_value_text(names: Mapping[str, Any]) -> str:
    """The text of it; "" where a kernel would show nothing."""
    try:
        value = names[LAST_VALUE]
        if value is None:
            return ""
        return type(value).__name__ if isinstance(value, NO_NUMBERS) else str(_text(value))[:LONGEST]
    except Exception:  # noqa: BLE001  (nothing was set, or it is of a student's class, which may raise anything)
        return ""


def shown_text(outputs: Iterable[Mapping[str, Any]]) -> str:
    """The same where IPython had to run the test, and has shown it."""
    shown = (output["data"].get("text/plain", "") for output in outputs if output["output_type"] == "execute_result")
    return str(next(shown, ""))[:LONGEST]


def number_in(text: str) -> float | None:
    """The number that nbgrader reads in what a kernel shows; None where it reads none."""
    try:
        return float(text)
    except ValueError:
        return None
