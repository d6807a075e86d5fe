"""Writes the submitted folder of this case."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cases_support import NOTEBOOK, solve


def make(released: dict[str, Any], folder: Path) -> None:
    notebook = solve(released)
    notebook["metadata"] = {"colab": {"provenance": []}, "kernelspec": {"name": "conda-env-x", "display_name": "x"}}
    for number, cell in enumerate(notebook["cells"]):
        cell["id"] = f"colab-{number}"
        cell["metadata"] |= {"colab": {"base_uri": "https://localhost"}, "executionInfo": {"elapsed": 3}}
        cell["source"] = cell["source"].replace("\n", "\r\n")
        if cell["cell_type"] == "code":
            cell["execution_count"] = 99
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "of another machine " * 1000}]
    text = "\ufeff" + json.dumps(notebook, indent=3, ensure_ascii=False)
    (folder / NOTEBOOK).write_bytes(text.encode("utf-8"))
