"""A Sphinx extension: a module's released notebook, to be practised in a browser by JupyterLite.

```{practice}``` stands in the chapter of a module that has a script. What is opened is what `tito release` builds: the
notebook without solutions and hidden tests, and the files beside it.

JupyterLite itself makes a site of that. jupyterlite-sphinx would do so too, and have every page of the book ask Google
for a font.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import nbformat
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from tito.author.release import build_release
from tito.course.course import Assignment, Course, load_course
from tito.docs.chapters import FILE_NAME

FOLDER = "_build/practice"  # JupyterLite takes what is to be had there from `files` in it
CONFIG = "jupyter_lite_config.json"
SITE = "lite"
APP = f"{SITE}/notebooks/index.html"
KERNEL = {"name": "python", "display_name": "Python (Pyodide)", "language": "python"}
KERNEL_EXTENSION = "share/jupyter/labextensions/@jupyterlite/pyodide-kernel-extension"
MARK = """\
**Ungraded practice.** What you write here stays in this browser, and nobody sees it. To hand in, fetch the notebook
from your course. Python and numpy are loaded from a public server, so this works online only. It is slow, and numpy
has no BLAS here: what you measure is true of your browser."""


class Practice(SphinxDirective):
    """The way into the notebook of the chapter's module, and what it is and is not."""

    def run(self) -> list[nodes.Node]:
        notebook = _notebook_of(self.env.app, self.env.docname)
        if notebook is None:
            return []
        up = "../" * self.env.docname.count("/")
        link = nodes.reference(
            "", "Open the notebook in this browser", refuri=f"{up}{APP}?{urlencode({'path': notebook})}"
        )
        content, messages = self.state.inline_text(
            ": nothing is installed, and nothing is handed in. It is **ungraded practice**, works **online only**, "
            "and is slow. What you write stays in this browser. "
            "[What is different there](../how-to/students.md#practise-in-your-browser).",
            self.lineno,
        )
        title = "Practise"
        box = nodes.admonition(classes=["tip", "practice"])
        box += [nodes.title(title, title), nodes.paragraph("", "", link, *content, *messages)]
        return [box]


def practised(course: Course, names: list[str]) -> list[Assignment]:
    """The modules that can be practised: those that `names` has, or all that have a script where it has none."""
    modules = [assignment for assignment in course.assignments if assignment.script is not None]
    return [course.assignment(name) for name in names] if names else modules


def build_practice(course: Course, assignment: Assignment, into: Path) -> None:
    """What students get of a module, in the folder `into`, with its notebook marked as practice."""
    build_release(course, assignment, into)
    for path in into.glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        mark = nbformat.v4.new_markdown_cell(MARK, id="practice")
        notebook.cells.insert(0, mark)
        notebook.metadata["kernelspec"] = KERNEL
        nbformat.write(notebook, path)


def _build(app: Sphinx) -> None:
    """What can be practised, built anew: what is not to be had any more must not stay."""
    course, folder = load_course(Path(app.srcdir).parent), Path(app.srcdir) / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    for assignment in practised(course, app.config.practice_modules):
        build_practice(course, assignment, folder / "files" / assignment.id)


def _make_site(app: Sphinx, error: Exception | None) -> None:
    """JupyterLite's own pages, with the one extension that they need: others that are installed here want a server."""
    if error is not None or app.builder.format != "html":
        return
    folder, site = Path(app.srcdir) / FOLDER, Path(app.outdir) / SITE
    shutil.rmtree(site, ignore_errors=True)
    extension = Path(sys.prefix) / KERNEL_EXTENSION
    if not extension.is_dir():
        raise ExtensionError(f"{extension} is missing: jupyterlite-pyodide-kernel, of the extra 'book', brings it")
    settings = {
        "apps": ["notebooks"],
        "federated_extensions": [str(extension)],
        "ignore_sys_prefix": ["federated_extensions"],
        "no_sourcemaps": True,
        "output_dir": str(site),
    }
    (folder / CONFIG).write_text(json.dumps({"LiteBuildConfig": settings}), encoding="utf-8")
    command = [sys.executable, "-m", "jupyter", "lite", "build"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ExtensionError(f"JupyterLite could not be built: {done.stderr[-2000:]}")


def _notebook_of(app: Sphinx, docname: str) -> str | None:
    """The notebook of a chapter's module, by its path in JupyterLite; none where it is not to be practised."""
    match = FILE_NAME.fullmatch(docname.rpartition("/")[2])
    number = match["number"] if match else ""
    folder = Path(app.srcdir) / FOLDER / "files"
    for path in sorted(folder.glob(f"{number}_*/*.ipynb")):
        return path.relative_to(folder).as_posix()
    return None


def setup(app: Sphinx) -> dict[str, Any]:
    """What Sphinx asks an extension for."""
    app.add_config_value("practice_modules", [], "env", [list])
    app.add_directive("practice", Practice)
    app.connect("builder-inited", _build)
    app.connect("build-finished", _make_site)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
