"""Whether a change has made grading slower: this tree beside another of the project, a run of each in turn.

    .venv/bin/python benchmarks/before_after.py OTHER_TREE [--size 60] [--repeats 7] [--workers 2]

The other tree has an environment of its own (`make setup` in a worktree of the older commit). Each grades a cohort of
its own making, of the same variants, as a command with the sandbox on. What counts is the ratio of the seconds, here
over there, of the pairs of neighbouring runs: its median, and the bootstrap interval in which that lies at 95 %.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
RESAMPLES = 10_000
MAKE = """
import sys
sys.path.insert(0, "benchmarks")
from pathlib import Path
from cohorts import make_cohort
from tito.course.course import find_course
course = find_course(Path())
make_cohort(course, course.assignment({module!r}), Path({root!r}), {size})
"""


def make(tree: Path, root: Path, module: str, size: int) -> None:
    """Have a tree make its cohort in the empty folder `root`."""
    program = MAKE.format(module=module, root=str(root), size=size)
    subprocess.run([tree / ".venv/bin/python", "-c", program], cwd=tree, check=True)


def grade(tree: Path, root: Path, module: str, workers: int) -> float:
    """Seconds that a tree takes to grade its cohort anew."""
    command = [tree / ".venv/bin/tito", "autograde", module, "--force", "--workers", str(workers)]
    started = time.perf_counter()
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    return time.perf_counter() - started


def interval(ratios: np.ndarray, generator: np.random.Generator) -> tuple[float, float]:
    """Where the median of the ratios lies at 95 %: percentiles of the medians of resamples."""
    medians = np.median(generator.choice(ratios, (RESAMPLES, len(ratios))), axis=1)
    low, high = np.percentile(medians, [2.5, 97.5])
    return float(low), float(high)


def main() -> None:
    """Print a line for each pair of runs, and the ratio at the end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="a tree of the project, with its .venv")
    parser.add_argument("--module", default="16")
    parser.add_argument("--size", type=int, default=60, help="submissions in the cohort")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    trees = {"there": arguments.other.resolve(), "here": ROOT}
    with tempfile.TemporaryDirectory(prefix="tito-before-after-") as folder:
        roots = {name: Path(folder).resolve() / name for name in trees}
        for name, tree in trees.items():
            roots[name].mkdir()
            make(tree, roots[name], arguments.module, arguments.size)
            grade(tree, roots[name], arguments.module, arguments.workers)  # what is read once is read
        ratios = []
        print("  there s   here s    ratio", flush=True)
        for number in range(arguments.repeats):
            order = ("there", "here") if number % 2 == 0 else ("here", "there")
            seconds = {name: grade(trees[name], roots[name], arguments.module, arguments.workers) for name in order}
            ratios.append(seconds["here"] / seconds["there"])
            print(f"{seconds['there']:9.2f}{seconds['here']:9.2f}{ratios[-1]:9.3f}", flush=True)
    low, high = interval(np.array(ratios), np.random.default_rng(0))
    print(f"median ratio {np.median(ratios):.3f}, 95 % interval {low:.3f} to {high:.3f}")


if __name__ == "__main__":
    main()
