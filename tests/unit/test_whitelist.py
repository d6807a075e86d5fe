"""What a notebook may hold that is stored: outputs made anew of types, MIME types and sizes that are on a list, and
text that no terminal obeys. Whatever is sent, that is all that comes through."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Iterator
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tito.grade.whitelist import LARGEST_PX, PICTURES, TEXT_TYPES, allowed_cell, allowed_notebook, allowed_output
from tito.plain_text import HOSTILE, with_visible_controls, without_controls

PNG = base64.b64encode(PICTURES["image/png"] + b"pixels").decode()
JPEG = base64.b64encode(PICTURES["image/jpeg"] + b"pixels").decode()
ATTACK = "1 onerror=owned()"
ESCAPED = "\x1b[2J\x1b]0;owned\x07name\x9b31m\u202e\x7f\x00"

TEXT = st.text(max_size=8) | st.sampled_from([ATTACK, ESCAPED, PNG, JPEG, "eA==", "100%\r", "\ud800", "\x1b]", "\x9d"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
KINDS = st.sampled_from(["stream", "error", "display_data", "execute_result"])
TYPES = st.sampled_from([*TEXT_TYPES, *PICTURES, "application/json", "application/javascript", "text", "a/b/c", ""])
SIZES = st.dictionaries(st.sampled_from(["width", "height", "alt", "unconfined", "filenames"]), JSON, max_size=3)
FIELDS = {
    "name": st.sampled_from(["stdout", "stderr", "other"]) | JSON,
    "text": JSON,
    "ename": JSON,
    "evalue": JSON,
    "traceback": JSON,
    "data": st.dictionaries(TYPES, JSON, max_size=3) | JSON,
    "metadata": st.dictionaries(st.sampled_from(sorted(PICTURES)), SIZES | JSON) | SIZES | JSON,
    "execution_count": JSON,
    "more": JSON,
}
PICTURE = {"output_type": "display_data", "data": {"image/png": PNG, "image/jpeg": JPEG}}
DISPLAYS = FIELDS["metadata"].map(lambda metadata: PICTURE | {"metadata": metadata})
ITEMS = DISPLAYS | st.fixed_dictionaries({"output_type": KINDS | JSON}, optional=FIELDS)


def texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, dict):
        yield from texts([*value, *value.values()])


def require_allowed(output: Any) -> None:
    """That an output is made of what is on the list, and is what the notebook format takes."""
    cell = nbformat.v4.new_code_cell("", outputs=[output])
    nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))
    assert not [text for text in texts(output) if HOSTILE & set(text)]
    json.dumps(output, ensure_ascii=False).encode()  # no lone surrogates
    if output.output_type in ("display_data", "execute_result"):
        assert set(output.data) <= {*TEXT_TYPES, *PICTURES}
        for name, start in PICTURES.items():
            assert base64.b64decode(output.data.get(name, PNG if name == "image/png" else JPEG)).startswith(start)
        assert set(output.metadata) <= set(PICTURES) & set(output.data)
        for sizes in output.metadata.values():
            assert set(sizes) <= {"width", "height"}
            assert all(type(size) is int and 1 <= size <= LARGEST_PX for size in sizes.values())


@given(ITEMS)
def test_of_whatever_is_sent_only_what_is_on_the_list_is_stored(item: dict[str, Any]) -> None:
    output = allowed_output(item)
    if output is not None:
        require_allowed(output)
        assert allowed_output(output) == output


OUTPUTS = [
    nbformat.v4.new_output("stream", name="stderr", text="careful\n\tnow"),
    nbformat.v4.new_output("error", ename="E", evalue="e", traceback=["one", "two"]),
    nbformat.v4.new_output("display_data", data={"text/plain": "x", "text/html": "<b>x</b>", "text/latex": "$x$"}),
    nbformat.v4.new_output("display_data", data={"image/svg+xml": "<svg/>", "text/markdown": "*x*"}),
    nbformat.v4.new_output(
        "execute_result",
        data={"image/png": PNG, "image/jpeg": JPEG},
        metadata={"image/png": {"width": 320, "height": 200}},
        execution_count=3,
    ),
]


@pytest.mark.parametrize("output", OUTPUTS, ids=lambda output: output.output_type)
def test_an_output_as_it_should_be_stays_as_it_is(output: Any) -> None:
    assert allowed_output(copy.deepcopy(output)) == output


@pytest.mark.parametrize("size", [ATTACK, "320", 3.5, True, 0, -1, LARGEST_PX + 1, None, [1], {"a": 1}, float("nan")])
def test_a_size_that_is_no_whole_number_of_pixels_is_left_out(size: Any) -> None:
    for metadata in ({"width": size}, {"image/png": {"width": size}}):
        item = {"output_type": "display_data", "data": {"image/png": PNG}, "metadata": metadata}
        assert allowed_output(item).metadata == {}


@pytest.mark.parametrize(
    "name", ["application/javascript", "application/vnd.jupyter.widget-view+json", "text/vnd.mermaid"]
)
def test_what_is_no_text_or_picture_is_not_stored(name: str) -> None:
    assert allowed_output({"output_type": "display_data", "data": {name: "owned()"}}) is None
    both = allowed_output({"output_type": "display_data", "data": {name: {"a": 1}, "text/plain": "shown"}})
    assert both.data == {"text/plain": "shown"}


@pytest.mark.parametrize(
    "data", ["AAAA", "AAAA' onerror='owned()", PNG[:-1], JPEG, "", PNG + "=", ["x", 1], {"a": PNG}]
)
def test_a_picture_that_is_none_is_not_stored(data: Any) -> None:
    assert allowed_output({"output_type": "display_data", "data": {"image/png": data}}) is None


# ---- text ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        (ESCAPED, "name"),
        ("\x1b[1;31mred\x1b[0m\n", "red\n"),
        (" 10%\r 50%\r100%\nnext\r\n", "100%\nnext\n"),
        ("100%\r", "100%"),
        ("\x1b]8;;https://example.edu\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]0;never closed", "0;never closed"),
        ("über \u4e00 \U0001f600\ttab", "über \u4e00 \U0001f600\ttab"),
    ],
)
def test_text_is_stored_without_what_a_terminal_obeys(text: str, stored: str) -> None:
    assert without_controls(text) == stored


@given(st.text() | st.lists(TEXT).map("".join))
def test_no_text_keeps_a_control_character_and_text_without_any_stays(text: str) -> None:
    stored = without_controls(text)
    assert not HOSTILE & set(stored)
    assert without_controls(stored) == stored
    assert not HOSTILE & set(with_visible_controls(text))
    if not HOSTILE & set(text):
        assert stored == text.encode("utf-8", "replace").decode()


@pytest.mark.parametrize("opener", ["\x1b]", "\x9d", "\x1b[", "\x9b", "\x1b(", "\r", "\x1b"])
def test_openers_without_end_take_time_with_their_length(opener: str) -> None:
    """A million of them in less than the minutes that a scan to the end from each would take."""
    assert len(without_controls(opener * 1_000_000)) <= 1_000_000


# ---- a notebook for a page -------------------------------------------------------------------------


@given(st.fixed_dictionaries({}, optional={
    "cell_type": st.sampled_from(["code", "markdown", "raw"]) | JSON,
    "source": JSON,
    "id": JSON,
    "metadata": st.fixed_dictionaries({}, optional={
        "nbgrader": st.dictionaries(st.sampled_from(["grade_id", "points", "grade", "comment", "x"]), JSON) | JSON,
        "tags": JSON,
    }) | JSON,
    "outputs": st.lists(ITEMS, max_size=2) | JSON,
    "attachments": st.dictionaries(TEXT, st.dictionaries(TYPES, JSON, max_size=2), max_size=2) | JSON,
    "execution_count": JSON,
}))  # fmt: skip
def test_a_cell_for_a_page_is_made_of_what_is_on_the_list(given_cell: dict[str, Any]) -> None:
    cell = allowed_cell(given_cell)
    nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))
    assert not [text for text in texts(cell) if HOSTILE & set(text)]
    assert set(cell.metadata) <= {"nbgrader"}
    for output in cell.get("outputs", []):
        require_allowed(output)


def test_a_notebook_for_a_page_keeps_text_grading_facts_and_attached_pictures() -> None:
    facts = {"grade_id": "task_1", "schema_version": 3, "grade": True, "solution": True, "points": 2.5, "score": 1}
    answer = nbformat.v4.new_markdown_cell("![plot](attachment:plot.png)", metadata={"nbgrader": facts, "x": ATTACK})
    answer["attachments"] = {"plot.png": {"image/png": PNG, "text/html": ATTACK}, '"><script>.png': {"image/png": PNG}}
    notebook = nbformat.v4.new_notebook(cells=[answer], metadata={"title": ATTACK, "widgets": {"a": ATTACK}})
    (cell,) = (allowed := allowed_notebook(notebook)).cells
    assert (cell.source, dict(cell.metadata.nbgrader)) == (answer.source, facts)
    assert cell.attachments == {"plot.png": {"image/png": PNG}}
    assert set(allowed.metadata) == {"kernelspec"}
    assert cell.metadata.keys() == {"nbgrader"}
