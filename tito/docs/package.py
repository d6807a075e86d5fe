"""A Sphinx extension: the page of the reference package, written where the book is built.

It is as long as the package is large, and says what its docstrings say: so it is no file of the repository.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError

from tito.course.course import load_course
from tito.docs import api_page
from tito.docs.markdown import WRITTEN
from tito.errors import TitoError

PAGE = "reference/package.md"


def write_page(book: Path) -> None:
    """Write the page, unless it says the same already: Sphinx reads anew what has been written."""
    path, text = book / PAGE, WRITTEN + "\n" + api_page.page(load_course(book.parent))
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def _write(app: Sphinx, _config: Config) -> None:
    try:
        write_page(Path(app.srcdir))
    except TitoError as error:
        raise ExtensionError(f"{PAGE}: {error}") from error


def setup(app: Sphinx) -> dict[str, Any]:
    """What Sphinx asks an extension for."""
    app.connect("config-inited", _write)  # ahead of looking for pages
    return {"parallel_read_safe": True, "parallel_write_safe": True}
