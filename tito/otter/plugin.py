"""What runs inside Otter, as the plugin of a zip that `tito otter` writes: no sandbox, no judge, Otter's own grading.

The zip holds this module and those that it imports, so nothing of the platform has to be installed where it is graded.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from otter.plugins import AbstractOtterPlugin
from otter.test_files import GradingResults

from tito.course.cells import Cell, as_node, read_cells
from tito.course.submission_files import Unreadable
from tito.repair.repair import read_submission, repair

# In a kernel that nobody sits at, exit() ends it, and grading with it; so it ends the cell alone.
FIRST = "from sys import exit, exit as quit"
# Otter looks for tests in the folder that it started in, which student code may have left.
CHECK = """\
import contextlib as _contextlib, otter as _otter
with _contextlib.chdir({folder!r}):
    _otter.Notebook().check({name!r})
"""
KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}


class InPlace(AbstractOtterPlugin):  # type: ignore[misc]
    """Repairs a submitted notebook as `tito autograde` does, and has each test run where its cell stands.

    Its settings hold the cells as they were released, and the size from which on a notebook is not read.
    """

    def before_execution(self, submission: Any) -> Any:
        """The notebook that is run in the place of the submitted one."""
        path = Path(self.submission_path)
        if path.suffix != ".ipynb":
            return submission
        released = read_cells(self.plugin_config["cells"])
        try:
            submitted = read_submission(path, self.plugin_config["submission_mb"])
        except Unreadable:
            submitted = []
        cells = [self._placed(cell) for cell in repair(submitted, released).cells]
        first = nbformat.v4.new_code_cell(FIRST, id="otter-first")
        return nbformat.from_dict({"cells": [first, *cells], "metadata": KERNEL, "nbformat": 4, "nbformat_minor": 5})

    def _placed(self, cell: Cell) -> Any:
        """A cell as it is; for a test, its check, which runs the visible part too."""
        node = as_node(cell)
        if cell.is_test:
            folder = str(Path(self.submission_path).parent)
            node.source = CHECK.format(folder=folder, name=cell.grade_id)
        return node

    def after_grading(self, results: GradingResults) -> None:
        """Have `results.json` say more."""
        results.__class__ = Results


class Results(GradingResults):  # type: ignore[misc]
    """Results that tell Gradescope the status of every test, and show a test at once that has no hidden part."""

    def to_gradescope_dict(self, ag_config: Any) -> dict[str, Any]:
        """What is written to `results.json`."""
        output: dict[str, Any] = super().to_gradescope_dict(ag_config)
        for test in output["tests"]:
            if "score" not in test:
                continue
            test["status"] = "passed" if test["score"] >= test["max_score"] else "failed"
            if self.results[test["name"]].all_public and not self.all_hidden:
                test["visibility"] = "visible"
        return output

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as Otter's own, for who reads them need not have this module."""
        return GradingResults, ([],), dict(self.__dict__)
