"""Otter itself, on one notebook."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def run_otter(zipped: Path, submission: Path, into: Path) -> dict[str, Any]:
    """What `otter run` writes to results.json. In a process of its own: Otter changes the working directory."""
    from otter.run import capture_run_output, main

    into.mkdir(parents=True)
    with capture_run_output():
        main(str(submission), autograder=str(zipped), output_dir=str(into), no_logo=True)
    results: dict[str, Any] = json.loads((into / "results.json").read_text(encoding="utf-8"))
    return results


def scores_of(results: dict[str, Any]) -> dict[str, float]:
    """Points by the test's name."""
    return {test["name"]: float(test["score"]) for test in results["tests"] if "score" in test}
