"""Otter on submissions, timed: for the table of `grading.py`.

What is included. Both functions give wall-clock seconds from the first submission to the last result: the zip unpacked,
the notebook repaired by our plugin, a kernel started, the notebook and its tests run, `results.json` written. Neither
has a sandbox, and neither records a grade. `otter_seconds` is the documented command, one process a submission, so it
includes the start of Python and Otter's imports each time. `otter_api_seconds` is the documented call
`otter.api.grade_submission`, many submissions in a process that has imported Otter before the clock starts: Otter at
its fastest without containers. (`otter grade` starts a container for each submission, and needs Docker.)
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

OTTER = Path(sys.executable).with_name("otter")


def otter_seconds(zipped: Path, notebooks: Sequence[Path], workers: int = 1) -> float:
    """Seconds that `otter run` takes for all notebooks, `workers` commands at a time.

    Raises:
        subprocess.CalledProcessError: Otter could not grade one of them.
    """
    started = time.perf_counter()
    with ThreadPoolExecutor(workers) as threads:
        list(threads.map(lambda notebook: _run(zipped, notebook), notebooks))
    return time.perf_counter() - started


def _run(zipped: Path, notebook: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = [OTTER, "run", "--no-logo", "--autograder", zipped, "--output-dir", folder, notebook]
        subprocess.run(command, cwd=folder, capture_output=True, check=True)


def otter_api_seconds(zipped: Path, notebooks: Sequence[Path], workers: int = 1) -> float:
    """Seconds that `otter.api.grade_submission` takes for all notebooks in `workers` warm processes.

    Raises:
        Exception: what Otter raised on one of them.
    """
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        list(pool.map(_warm, range(2 * workers)))
        started = time.perf_counter()
        list(pool.map(_grade, [str(zipped)] * len(notebooks), map(str, notebooks)))
        return time.perf_counter() - started


def _warm(_: int) -> None:
    import otter.api  # noqa: F401

    time.sleep(0.5)  # so that each process of the pool gets one of these


def _grade(zipped: str, notebook: str) -> float:
    from otter.api import grade_submission

    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        total = float(grade_submission(notebook, zipped, quiet=True).total)
        os.chdir("/")
    return total
