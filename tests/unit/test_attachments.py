"""Pictures pasted into text cells: what is kept, and how much of it."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tito.repair.attachments import BEGINNINGS, MOST_BYTES, MOST_PICTURES, Album, as_attachments, joined

PNG = BEGINNINGS["image/png"] + b"picture"


def bundle(content: bytes, mime_type: str = "image/png") -> dict[str, Any]:
    return {mime_type: base64.b64encode(content).decode()}


def test_a_picture_is_kept_and_made_anew() -> None:
    pasted = {
        "image.png": {"image/png": [base64.b64encode(PNG).decode()[:8], base64.b64encode(PNG).decode()[8:] + "\n"]}
    }
    assert as_attachments(Album().pictures_of(pasted)) == {"image.png": bundle(PNG)}


@pytest.mark.parametrize(
    "attachments",
    [
        {"a.svg": {"image/svg+xml": "<svg/>"}},
        {"a.png": bundle(b"<svg onload='x'/>")},
        {"a.png": {"text/html": "<script/>"}},
        {"a.png": {"image/png": "no base64!"}},
        {"a.png": {"image/png": 7}},
        {"a.png": ["image/png"]},
        {"../a.png": bundle(PNG)},
        {'a"><script>': bundle(PNG)},
        {"a" * 200: bundle(PNG)},
        ["a.png"],
        None,
    ],
)
def test_what_is_no_plain_picture_is_not_kept(attachments: Any) -> None:
    assert Album().pictures_of(attachments) == {}


def test_pictures_are_bounded_in_size_and_number() -> None:
    half = PNG + bytes(MOST_BYTES // 2)
    album = Album()
    assert list(album.pictures_of({"1.png": bundle(half), "2.png": bundle(half), "3.png": bundle(PNG)})) == [
        "1.png",
        "3.png",
    ]
    many = {f"{number}.png": bundle(PNG) for number in range(MOST_PICTURES + 5)}
    assert len(Album().pictures_of(many)) == MOST_PICTURES


def test_pictures_of_one_name_in_two_cells_are_both_shown() -> None:
    cells = [("![](attachment:image.png)", {"image.png": ("image/png", PNG + mine)}) for mine in (b"1", b"2", b"1")]
    text, pictures = joined(cells)
    assert pictures == {"image.png": ("image/png", PNG + b"1"), "2-image.png": ("image/png", PNG + b"2")}
    assert text == "![](attachment:image.png)\n\n![](attachment:2-image.png)\n\n![](attachment:image.png)"
