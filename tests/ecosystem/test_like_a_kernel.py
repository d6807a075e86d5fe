"""Notebooks in our runner and in a real kernel (nbclient, ipykernel): cell by cell the same outputs.

What differs in every run is evened out: execution counts, addresses, times, names of files and threads, the bytes of
pictures. What differs by design is not asked for here: a kernel can take back what an earlier cell displayed, we show
the new beside it; what a child process writes comes late there, at times too late; and what needs a kernel's own
process, a terminal, or packages that the course does not give.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tito.course.python_source import Source
from tito.models import Limits
from tito.plan.compile import compiled_cells
from tito.sandbox.bubblewrap import Bubblewrap
from tito.sandbox.spec import SandboxSpec
from tito.sandbox.steps import Step
from tito.sandbox.zygote_client import Sandbox

NOTEBOOKS = Path(__file__).parent / "like_a_kernel"  # cells, parted by lines `# %%`
PLACE = SandboxSpec(packages=("ipython", "matplotlib", "numpy"), limits=Limits(memory_mb=1500))
EVEN_OUT = (
    (r"\x1b\[[0-9;]*m", ""),
    (r"0x[0-9a-f]+", "ADDRESS"),
    (r"(/tmp/ipykernel_\d+/)?\d+\.py(?=[:,\"])|<ipython-input[^>]*>", "CELL"),
    (r'File "[^"]*[/\\](\w+\.py)"', r'File "\1"'),
    (r"(?m)^/\S*/(\w+\.py)", r"\1"),
    (r"Thread-\d+", "Thread-N"),
    (r"[\d.]+(e\+\d+)? (ns|μs|ms|s)\b|[\d.]+s\b", "TIME"),
    (r"The slowest run took .*\n", ""),  # what %timeit adds on a busy machine
)
Cells = list[list[Any]]


def cells_of(name: str) -> list[str]:
    text = (NOTEBOOKS / name).read_text(encoding="utf-8")
    return [cell.strip("\n") for cell in re.split(r"(?m)^# %%\n", text) if cell.strip()]


def by_a_kernel(cells: list[str], folder: Path) -> Cells:
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata=kernel)
    resources = {"metadata": {"path": str(folder)}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nbclient's own
        NotebookClient(notebook, timeout=60, allow_errors=True, resources=resources).execute()
    return [evened_out(cell.outputs) for cell in notebook.cells]


def by_us(cells: list[str]) -> Cells:
    compiled = compiled_cells(map(Source, cells))
    steps = [Step(source=source, cell=cell) for source, cell in zip(cells, compiled, strict=True)]
    with Sandbox(Bubblewrap(), PLACE) as sandbox, sandbox.session() as session:
        session.notebook.send(steps, 60, 600)
        return [evened_out(session.notebook.receive().outputs) for _ in steps]


def evened_out(outputs: Any) -> list[Any]:
    """Outputs in plain form: kind and text of each stream, kind and message of errors, data by type."""
    plain: list[Any] = []
    for output in outputs:
        kind = output["output_type"]
        if kind == "stream":
            if plain and plain[-1][:2] == ["stream", output["name"]]:
                plain[-1][2] += output["text"]
            else:
                plain.append(["stream", output["name"], output["text"]])
        elif kind == "error":
            plain.append([kind, output["ename"].replace("StdinNotImplementedError", "StdinNotAvailable"), ""])
            if output["ename"] in ("ZeroDivisionError", "ValueError", "NameError", "AssertionError", "E"):
                plain[-1][2] = output["evalue"]
        else:
            data = {name: "PICTURE" if name.startswith("image/") else value for name, value in output["data"].items()}
            plain.append([kind, data, dict(output.get("metadata", {}))])
    return [_even(output) for output in plain]


def _even(value: Any) -> Any:
    if isinstance(value, str):
        for pattern, instead in EVEN_OUT:
            value = re.sub(pattern, instead, value)
        return value
    if isinstance(value, list):
        return [_even(item) for item in value]
    return {key: _even(item) for key, item in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("name", sorted(path.name for path in NOTEBOOKS.glob("*.txt")))
def test_a_notebook_gives_what_it_gives_in_a_kernel(name: str, tmp_path: Path) -> None:
    cells = cells_of(name)
    for cell, theirs, ours in zip(cells, by_a_kernel(cells, tmp_path), by_us(cells), strict=True):
        assert ours == theirs, cell
