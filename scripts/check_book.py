"""What is wrong with the built book: missing pages, links and pictures that lead nowhere, cells that raised.

    .venv/bin/python scripts/check_book.py book

Jupyter Book 2 ignores `_toc.yml` and may end well without a page: so pages are counted.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import yaml
from bs4 import BeautifulSoup

PRACTICE = "lite"  # JupyterLite's own pages; `path` in their address names a file below `files`
OWN = {"genindex.html", "search.html", "py-modindex.html"}  # pages that Sphinx makes of itself


def main() -> None:
    """Say all that is wrong, and how many pages there are."""
    book = Path(sys.argv[1])
    html = book / "_build" / "html"
    all_pages = {path.relative_to(html).as_posix() for path in html.rglob("*.html")} - OWN
    pages = {name for name in all_pages if not name.startswith(("_static/", f"{PRACTICE}/"))}
    contents = yaml.safe_load((book / "_toc.yml").read_text(encoding="utf-8"))
    wanted = {contents["root"], *(entry["file"] for part in contents["parts"] for entry in part["chapters"])}
    faults = [f"no page of {name}.md was made" for name in sorted(wanted) if f"{name}.html" not in pages]
    for page in sorted(pages):
        faults += [f"{page}: {fault}" for fault in _faults(html / page)]
    for fault in faults:
        sys.stderr.write(f"{fault}\n")
    sys.stdout.write(f"{len(pages)} pages, {len(wanted)} of them in the contents, {len(faults)} faults\n")
    sys.exit(bool(faults))


def _faults(page: Path) -> Iterator[str]:
    soup = _soup(page)
    for tag, attribute in (("a", "href"), ("img", "src"), ("link", "href"), ("script", "src")):
        for node in soup.find_all(tag):
            if target := str(node.get(attribute) or ""):
                yield from _unreachable(page, target)
    for picture in soup.find_all("img"):
        if not picture.get("alt"):
            yield f"a picture without a text for who cannot see it: {picture.get('src')}"
    for cell in soup.select("div.cell"):
        if cell.select_one("div.output.traceback") and "tag_raises-exception" not in (cell.get("class") or []):
            yield f"a cell that raised: {cell.get_text()[:80]!r}"


def _unreachable(page: Path, target: str) -> Iterator[str]:
    """What a link leads to that is not there; what is not of the book is not asked for."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return
    path = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    path = path / "index.html" if path.is_dir() else path
    if not path.is_file():
        yield f"leads nowhere: {target}"
    elif PRACTICE in path.parts and (names := parse_qs(parts.query).get("path")):
        site = next(folder for folder in path.parents if folder.name == PRACTICE)
        yield from (f"opens no notebook: {target}" for name in names if not (site / "files" / name).is_file())
    elif parts.fragment and path.suffix == ".html" and unquote(parts.fragment) not in _names(path):
        yield f"leads to no part of its page: {target}"


@cache
def _names(page: Path) -> frozenset[str]:
    soup = _soup(page)
    return frozenset(str(name) for node in soup.find_all(True) for name in (node.get("id"), node.get("name")) if name)


@cache
def _soup(page: Path) -> BeautifulSoup:
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


if __name__ == "__main__":
    main()
