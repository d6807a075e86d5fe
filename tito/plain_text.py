"""Text that others have chosen, fit to be stored and to be shown: control characters out of it, or made visible.

A terminal obeys escape sequences wherever they come from: they set its title, move what was printed, answer as if
somebody had typed. Marks of direction turn the order of letters around, so that a name or a line reads as another.
"""

from __future__ import annotations

import re

LINES = "\n\t"  # which text needs
DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
CONTROLS = frozenset(map(chr, (*range(0x20), *range(0x7F, 0xA0)))) - set(LINES)
HOSTILE = CONTROLS | set(DIRECTIONS)
# ESC [ ... letter, ESC ] ... BEL or ESC \, and what else begins with ESC; each also with its one-character form.
# Lengths are bounded: what opens sequences without end must not be read to the end for each.
ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x90\x98-\x9f\n]{0,1000}(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]{0,8}[0-~]"
)
_OUT = {ord(character): None for character in HOSTILE}
_VISIBLE = {number: f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" for number in map(ord, HOSTILE)}


def without_controls(text: str) -> str:
    """A text as it is stored: no escape sequences, no control characters but line breaks and tabs, no surrogates.

    Of a line that was written over with carriage returns, as progress bars are, what stood there at last.
    """
    text = text.encode("utf-8", "replace").decode()
    if text.isascii() and text.isprintable():
        return text
    text = ESCAPES.sub("", text).replace("\r\n", "\n")
    if "\r" in text:
        text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return text.translate(_OUT)


def with_visible_controls(text: str) -> str:
    """A text for a terminal: what the terminal would obey is written out, as in `\\x1b[2J`."""
    return text.encode("utf-8", "backslashreplace").decode().translate(_VISIBLE)


def shortened(text: str, most: int) -> str:
    """At most so many characters of a text, without controls."""
    return without_controls(text[:most])
