"""A Sphinx extension: MathJax comes with the book, so that formulas can be read where the internet cannot be reached.

One file of it: it draws formulas as pictures and needs no fonts.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError

PACKAGE, FILE = "mathjax", "tex-svg-full.js"


def mathjax() -> Path:
    """MathJax's file, in the package that brings it.

    Raises:
        ExtensionError: it is not installed.
    """
    spec = find_spec(PACKAGE)
    folders = spec.submodule_search_locations if spec is not None else None
    for folder in folders or ():
        path = Path(folder) / "static" / "mathjax" / "es5" / FILE
        if path.is_file():
            return path
    raise ExtensionError(f"no {FILE} is installed: django-static-mathjax, of the extra 'book', brings it")


def _serve(app: Sphinx, config: Config) -> None:
    config.html_static_path.append(str(mathjax()))
    config.mathjax_path = FILE


def setup(app: Sphinx) -> dict[str, Any]:
    """What Sphinx asks an extension for."""
    app.connect("config-inited", _serve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
