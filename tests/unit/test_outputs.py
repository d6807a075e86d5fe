"""Outputs of a notebook, made anew of what a runner says that they are: the notebook format takes every one."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tito.grade.submission import _output
from tito.sandbox.outputs import CUT_NOTE, Outputs

pytestmark = pytest.mark.unit

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KINDS = st.sampled_from(["stream", "error", "display_data", "execute_result"])
TYPES = st.sampled_from(["text/plain", "image/png", "application/json", "application/x+json", "text", "a/b/c", ""])
FIELDS = {
    "name": st.sampled_from(["stdout", "stderr", "other"]) | JSON,
    "text": JSON,
    "ename": JSON,
    "evalue": JSON,
    "traceback": JSON,
    "data": st.dictionaries(TYPES, JSON, max_size=3) | JSON,
    "metadata": JSON,
    "execution_count": JSON,
    "more": JSON,
}


@given(st.fixed_dictionaries({"output_type": KINDS | JSON}, optional=FIELDS))
def test_whatever_is_sent_gives_an_output_that_the_format_takes_or_none(item: dict[str, Any]) -> None:
    output = _output(item)
    if output is not None:
        cell = nbformat.v4.new_code_cell("", outputs=[output])
        nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))


OUTPUTS = [
    nbformat.v4.new_output("stream", name="stderr", text="careful"),
    nbformat.v4.new_output("error", ename="E", evalue="e", traceback=["one", "two"]),
    nbformat.v4.new_output("display_data", data={"text/plain": "x", "image/png": "eA=="}, metadata={"a": {"b": 1}}),
    nbformat.v4.new_output("execute_result", data={"application/json": {"a": [1, None]}}, execution_count=3),
]


@pytest.mark.parametrize("output", OUTPUTS, ids=lambda output: output.output_type)
def test_an_output_as_it_should_be_stays_as_it_is(output: Any) -> None:
    assert _output(dict(output)) == output


@pytest.mark.parametrize("lengths", [[7, 1], [8], [5, 2, 1], [5, 4], [9], [8, 1, 1]])
def test_what_fits_is_shown_and_what_is_cut_is_said_once(lengths: list[int]) -> None:
    """Eight characters are allowed: a text that fits is shown whole, whatever its length."""
    outputs = Outputs(8)
    for length in lengths:
        outputs.stream("stdout", "x" * length)
    (output,) = outputs.items
    assert output["text"] == "x" * min(sum(lengths), 8) + CUT_NOTE * (sum(lengths) > 8)
