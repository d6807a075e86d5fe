"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import cell_of, solve, write


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    answer = "<script>fetch(1)</script><img src=x onerror=fetch(1)>\n\n![pasted](attachment:missing.png)\n\n"
    answer += " ".join(rf"$\overline{{x_{{{n}}}}}$" for n in range(700)) + "\n\n" + ">" * 5000 + "[" * 50_000
    at = notebook["cells"].index(cell_of(notebook, "task_why")) + 1
    notebook["cells"].insert(at, {"cell_type": "markdown", "source": answer, "metadata": {}})
    write(folder, notebook)
