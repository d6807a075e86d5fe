"""Hostile values in the place of a true one: other than it, of every kind that is promised, and never the same."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tito.author.hostile_values import alike, differs, replacements
from tito.sandbox.inside.codec import pack

ARRAY = np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]])


def replaced_in(value: Any, **inputs: Any) -> dict[str, Any]:
    return dict(replacements(value, inputs))


@pytest.mark.parametrize(
    ("true", "other"),
    [
        (1.0, 1.1), (1, True), (0, False), (np.float32(2), 2.0), (ARRAY, ARRAY * 1.2), ([1, 2], (1, 2)),
        (ARRAY, ARRAY.tolist()),
        (math.nan, math.nan), (math.inf, math.inf), ({"a": 1.0}, {"a": 1.0001}), (np.zeros(0), np.zeros(0)), ("a", "a"),
        (np.array([1.0, math.nan]), np.array([1.1, math.nan])), (None, None), (np.array(["a"]), np.array(["a"])),
    ],
)  # fmt: skip
def test_what_is_the_same_within_tolerance_is_no_forgery(true: Any, other: Any) -> None:
    assert not differs(true, other)


@pytest.mark.parametrize(
    ("true", "other"),
    [
        (1.0, 2.0), (1.0, -1.0), (0, 1), (0.0, 1e-9), (1, None), (1, "1"), (True, False), (ARRAY, ARRAY.T),
        (ARRAY, ARRAY[:, :2]),
        (1.0, math.nan), (math.nan, 1.0), (math.inf, -math.inf), (math.inf, 1.0), ([1], []), ([], {}), ({"a": 1}, {}),
        ({"a": 1}, {"a": 9}), ("a", "b"), ("a", b"a"), (None, 0), ([ARRAY], [ARRAY + 9]),
        (np.array(["a"]), np.array(["b"])),
        ({1}, {2}), (ARRAY, 1.0), (b"a", b"b"), (1.7e308, -1.7e308), (np.array([1.7e308j]), np.array([-1.7e308j])),
    ],
)  # fmt: skip
def test_what_differs_by_more_is_one(true: Any, other: Any) -> None:
    assert differs(true, other)


def test_an_array_is_replaced_in_every_promised_way() -> None:
    replaced = replaced_in(ARRAY, x=np.arange(6.0))
    assert set(replaced) >= {
        "nothing (None)", "an empty one of its kind", "NaN", "zero", "one", "text", "bytes", "an empty list", "a dict",
        "reversed", "transposed", "permuted", "longer", "shorter", "zeros", "ones", "NaNs", "negated", "shifted",
        "scaled", "the input `x`",
    }  # fmt: skip
    assert replaced["transposed"].tolist() == ARRAY.T.tolist()
    assert replaced["longer"].shape == (3, 3)
    assert replaced["shorter"].shape == (1, 3)
    assert replaced["an empty one of its kind"].shape == (0, 3)


def test_numbers_keep_their_kind_and_do_not_overflow_by_accident() -> None:
    replaced = replaced_in(np.array([100, -128], dtype=np.int8))
    assert {replacement.dtype for name, replacement in replaced.items() if name in ("zeros", "negated", "shifted")} == {
        np.dtype(np.int8)
    }
    assert {
        type(replacement)
        for name, replacement in replaced_in(7).items()
        if name in ("zeros", "negated", "shifted", "scaled")
    } == {int}
    assert replaced_in(True)["flipped"] is False
    assert replaced_in(np.array([True, False]))["flipped"].tolist() == [False, True]


def test_elements_of_containers_are_replaced_singly_and_all() -> None:
    replaced = replaced_in([1.0, {"a": ARRAY, "b": "word"}, None])
    assert replaced["zeros"] == [0.0, {"a": replaced["zeros"][1]["a"], "b": "word"}, None]
    assert not replaced["zeros"][1]["a"].any()
    assert replaced["one with element 0: negated"][0] == -1.0
    assert replaced["one with element 1: one with element 'b': text"][1]["b"] == "forged"
    assert "b" not in replaced["one with element 1: one without the key 'b'"][1]
    assert replaced["one with element 1: one with elements 'a' and 'b' exchanged"][1]["a"] == "word"
    assert replaced["one with elements 0 and 1 exchanged"][1] == 1.0
    assert replaced["one with element 2: zero"][2] == 0


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-100, 100) | st.floats(allow_infinity=True) | st.text(max_size=3)
    | st.builds(np.array, st.lists(st.integers(-9, 9), max_size=4))
    | st.builds(lambda numbers: np.array(numbers, dtype=np.float32), st.lists(st.floats(-9, 9, width=32), max_size=4)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    | st.tuples(inner, inner),
    max_leaves=6,
)  # fmt: skip


@given(VALUES)
def test_whatever_the_value_all_replacements_differ_from_it_and_cross_and_leave_it_as_it_was(value: Any) -> None:
    before = pack({"v": value})
    replaced = list(replacements(value, {"x": np.ones(3)}))
    assert len(replaced) >= 8
    for _, replacement in replaced:
        assert differs(value, replacement)
        pack({"v": replacement})
    assert pack({"v": value}) == before
    assert not differs(value, value)
    assert set(alike(value, {})) <= {name for name, _ in replaced}
