"""Files of the course as formgrader shows them: read, and never run or written.

Links of formgrader's pages lead here. Of a folder the names are shown, of a notebook a page, of all else the text. What
students handed in is among it: no link is followed, and what is shown has neither scripts nor an origin.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

import nbformat
from nbgrader.server_extensions.formgrader.base import BaseHandler
from tornado import web

from tito.bridge.formulas import FORMULA_TEMPLATES
from tito.bridge.pages import NOTHING_RUNS, PageExporter
from tito.course.nbgrader_course import STEPS
from tito.course.submission_files import Unreadable, read_regular_file
from tito.hub.formgrader.own_templates import NOTEBOOK, render
from tito.plain_text import without_controls

MOST_MB = 20
MOST_CHARACTERS = 1_000_000
POLICY = f"{NOTHING_RUNS}; frame-ancestors 'none'; sandbox allow-popups allow-popups-to-escape-sandbox"


@dataclass(frozen=True)
class Entry:
    """Something of the course: where it is, and its path as a link names it."""

    place: Path
    parts: tuple[str, ...]


def entry(root: Path, path: str, shown: tuple[str, ...]) -> Entry:
    """What a link names; through no symbolic link, and in folders that are shown.

    Raises:
        Unreadable: there is no such file, or it is none that is shown.
    """
    parts = tuple(part for part in path.split("/") if part)
    if not parts or parts[0] not in shown or any(part in (".", "..") or "\0" in part for part in parts):
        raise Unreadable(f"{path[:200]} is not shown here; {', '.join(shown)} are")
    place = root
    for part in parts:
        place /= part
        if not place.exists() or place.is_symlink():
            raise Unreadable(f"there is no {path[:200]}, or it is a link")
    return Entry(place, parts)


def names_in(folder: Path) -> list[str]:
    """What is in a folder and can be shown, in the order of names."""
    return sorted(path.name for path in folder.iterdir() if _is_shown(path))


def _is_shown(path: Path) -> bool:
    mode = path.lstat().st_mode
    return not path.name.startswith(".") and (stat.S_ISDIR(mode) or stat.S_ISREG(mode))


class NotebookExporter(PageExporter):
    """Renders a notebook that nobody scores, by nbconvert's own template without its scripts."""

    folders = (NOTEBOOK, FORMULA_TEMPLATES)


@cache
def _exporter() -> NotebookExporter:
    """One for all pages: it compiles nbconvert's templates."""
    return NotebookExporter(template_name="classic")


def notebook_page(data: bytes) -> str:
    """A notebook as a page; of one that is none, the text."""
    try:
        notebook = json.loads(data)
        return _exporter().from_notebook_node(nbformat.from_dict(notebook))[0]
    except (ValueError, RecursionError, AttributeError, TypeError) as error:
        raise Unreadable("it is no notebook") from error


class Files(BaseHandler):  # type: ignore[misc]
    """The page of a file or a folder."""

    @property
    def content_security_policy(self) -> str:
        return POLICY

    @web.authenticated
    def get(self, path: str) -> None:
        try:
            shown = tuple(getattr(self.coursedir, f"{step}_directory") for step in STEPS)
            self.write(self._page(entry(Path(self.coursedir.root), path, shown)))
        except (Unreadable, OSError) as error:
            raise web.HTTPError(404, str(error)) from error

    def _page(self, shown: Entry) -> str:
        if shown.place.is_dir():
            return self._render(shown, entries=names_in(shown.place))
        data = read_regular_file(shown.place, MOST_MB)
        if shown.place.suffix == ".ipynb":
            return notebook_page(data)
        return self._render(shown, text=without_controls(data[:MOST_CHARACTERS].decode(errors="replace")))

    def _render(self, shown: Entry, text: str = "", entries: list[str] | None = None) -> str:
        links = list(self._links(shown.parts))
        return render(
            "file.html",
            path="/".join(shown.parts),
            above=links[:-1],
            name=shown.parts[-1],
            here=links[-1][1],
            text=text,
            entries=entries,
        )

    def _links(self, parts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """Each part of a path with its address."""
        address = f"{self.base_url}/formgrader/files"
        for part in parts:
            address += f"/{quote(part, safe='')}"
            yield part, address
