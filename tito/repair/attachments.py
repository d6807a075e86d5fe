"""Pictures that are pasted into text cells: kept where they are what they say, made anew, and bounded in size."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping

MOST_PICTURES = 50  # of a notebook
MOST_BYTES = 8 << 20  # of them together
NAME = re.compile(r"[\w\-. ()+,]{1,120}")
# A type is kept for how a picture of it begins; SVG, which can hold scripts, has no place here.
BEGINNINGS = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff", "image/gif": b"GIF8"}

Pictures = dict[str, tuple[str, bytes]]  # MIME type and content, by name


class Album:
    """The pictures that are kept of one notebook."""

    def __init__(self) -> None:
        self.refused = 0
        self._left = MOST_BYTES
        self._count = 0

    def pictures_of(self, attachments: object) -> Pictures:
        """Those of a cell's attachments that are pictures, as long as there is room for them."""
        if not isinstance(attachments, dict):
            return {}
        pictures: Pictures = {}
        for name, bundle in attachments.items():
            picture = next(_pictures(bundle, self._left), None) if NAME.fullmatch(name) else None
            if picture is None or self._count == MOST_PICTURES:
                self.refused += 1
                continue
            pictures[name] = picture
            self._count += 1
            self._left -= len(picture[1])
        return pictures


def _pictures(bundle: object, most_bytes: int) -> Iterator[tuple[str, bytes]]:
    """What a bundle holds by MIME type and is a picture of that type."""
    for mime_type, beginning in BEGINNINGS.items():
        text = bundle.get(mime_type) if isinstance(bundle, dict) else None
        if isinstance(text, list) and all(isinstance(part, str) for part in text):
            text = "".join(text)
        if not isinstance(text, str) or len(text) > most_bytes * 3 // 2 + 4:
            continue
        try:
            content = base64.b64decode("".join(text.split()), validate=True)
        except (ValueError, binascii.Error):
            continue
        if content.startswith(beginning) and len(content) <= most_bytes:
            yield mime_type, content


def as_attachments(pictures: Mapping[str, tuple[str, bytes]]) -> dict[str, dict[str, str]]:
    """Pictures as a notebook holds them."""
    return {name: {mime_type: base64.b64encode(content).decode()} for name, (mime_type, content) in pictures.items()}


def joined(cells: list[tuple[str, Pictures]]) -> tuple[str, Pictures]:
    """Texts with their pictures as one; a picture whose name is taken gets another, in the text too."""
    texts: list[str] = []
    pictures: Pictures = {}
    for text, mine in cells:
        for name, picture in mine.items():
            names = (name, *(f"{number}-{name}" for number in range(2, len(pictures) + 3)))
            free = next(free for free in names if pictures.get(free, picture) == picture)
            pictures[free] = picture
            text = text if free == name else text.replace(f"attachment:{name}", f"attachment:{free}")
        texts.append(text)
    return "\n\n".join(texts), pictures
