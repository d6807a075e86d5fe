"""Outputs as they are gathered beside student code: as many as may be, and what is cut is said."""

from __future__ import annotations

import pytest

from tito.sandbox.inside.outputs import CUT_NOTE, Outputs


@pytest.mark.parametrize("lengths", [[7, 1], [8], [5, 2, 1], [5, 4], [9], [8, 1, 1]])
def test_what_fits_is_shown_and_what_is_cut_is_said_once(lengths: list[int]) -> None:
    """Eight characters are allowed: a text that fits is shown whole, whatever its length."""
    outputs = Outputs(8)
    for length in lengths:
        outputs.stream("stdout", "x" * length)
    (output,) = outputs.items
    assert output["text"] == "x" * min(sum(lengths), 8) + CUT_NOTE * (sum(lengths) > 8)
