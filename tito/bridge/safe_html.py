"""HTML of a student's, made fit to be shown: text, tables and pictures, and nothing that a browser runs or asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import bleach
from bleach.html5lib_shim import Filter

TAGS = frozenset((
    "a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5",
    "h6", "hr", "i", "img", "kbd", "li", "ol", "p", "pre", "s", "small", "span", "strong", "sub", "sup", "table",
    "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
))  # fmt: skip
CLASSES = re.compile(
    r"highlight|dataframe|[a-z]{1,2}[a-z0-9]?|f\d\d"
)  # of code, tables and formulas; scripts look for others
PROTOCOLS = {"http", "https", "mailto", "data"}
MOST = 200_000  # characters of one piece: cleaning a million takes many seconds
STYLE, STYLE_END = "<style", "</style>"


def clean(html: str, *, links: bool = True, filters: Sequence[type[Filter]] = ()) -> str:
    """Text, tables and pictures; no scripts, frames or forms, nothing that acts, and no id that a script looks for.

    Without `links`, none leads out of the page: the address stands behind what was one, to be read before it is opened.
    What is left goes through `filters`.
    """
    cleaner = bleach.Cleaner(
        tags=TAGS,
        attributes=_allowed,
        protocols=PROTOCOLS,
        strip_comments=True,
        filters=[*([] if links else [partial(_Unlinked)]), *filters],
    )
    return str(cleaner.clean(_without_styles(html)))


class _Unlinked(Filter):  # type: ignore[misc]  # bleach: no types
    """Takes addresses out of links, and writes them as text."""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        address = ""
        for token in super().__iter__():
            if token.get("name") == "a" and token["type"] == "StartTag":
                href = token["data"].get((None, "href"), "")
                address = "" if href.startswith("#") else href
                if address:
                    del token["data"][None, "href"]
            yield token
            if token.get("name") == "a" and token["type"] == "EndTag" and address:
                yield {"type": "Characters", "data": f" ({address})"}
                address = ""


def _without_styles(html: str) -> str:
    """Without style sheets, such as a table of pandas brings: as text they would stand above it.

    What is left is cleaned, whatever the parts make together.
    """
    lower, parts, at = html.lower(), [], 0
    if len(lower) != len(html):  # a few letters of other scripts grow when they become small
        return html
    while (begin := lower.find(STYLE, at)) >= 0 and (end := lower.find(STYLE_END, begin)) >= 0:
        parts.append(html[at:begin])
        at = end + len(STYLE_END)
    return "".join(parts) + html[at:]


def _allowed(tag: str, name: str, value: str) -> bool:
    """Pictures come with the page: an address could be one of the hub's that does something, such as logging out."""
    if name == "class":
        return CLASSES.fullmatch(value) is not None
    if name == "src":
        return tag == "img" and value.startswith("data:image/")
    if name == "href":
        return tag == "a" and value.startswith(("http://", "https://", "mailto:", "#"))
    return (tag, name) in {("img", "alt"), ("img", "width"), ("img", "height"), ("ol", "start")}
