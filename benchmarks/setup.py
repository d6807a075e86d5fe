"""How long `scripts/setup` takes: with uv and with pip, each with an empty cache and with a filled one.

    .venv/bin/python benchmarks/setup.py [--rounds 3]

Each set-up is made in a clone of its own of what has been committed, with no virtual environment; all four are run turn
by turn, so that a busy machine slows all. Where the packages come from is what pip is configured with: a mirror near by
makes all of it faster. pip compiles every module that it installs, tests among them; with uv, set-up compiles what a
course needs to run, and the rest is compiled by `make test` or at its first import.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
CACHES = ("empty", "filled")
INSTALLERS = ("pip", "uv")


class Took(NamedTuple):
    """Of one set-up."""

    wall_s: float
    cpu_s: float


def set_up(folder: Path, installer: str, cache: Path) -> Took:
    """Clone, and set up there with that installer and what its cache holds."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    caches = {"UV_CACHE_DIR": str(cache / "uv"), "PIP_CACHE_DIR": str(cache / "pip")}
    environment = os.environ | caches | {"INSTALLER": installer, "PYTHON": sys.executable}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    started, before = time.perf_counter(), _cpu_s()
    subprocess.run([folder / "scripts" / "setup"], env=environment, stdout=subprocess.DEVNULL, check=True)
    took = Took(time.perf_counter() - started, _cpu_s() - before)
    print(
        f"{folder.name}: {took.wall_s:.1f} s, of the CPU {took.cpu_s:.1f} s, load {os.getloadavg()[0]:.1f}",
        file=sys.stderr,
    )
    return took


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure_round(root: Path) -> dict[tuple[str, str], Took]:
    """With each installer twice: its cache is empty the first time, and holds everything the second."""
    return {
        (installer, cache): set_up(root / f"{installer}-{cache}", installer, root / f"cache-{installer}")
        for cache in CACHES
        for installer in INSTALLERS
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="How long set-up takes, with uv and with pip.")
    parser.add_argument("--rounds", type=int, default=3)
    rounds = []
    for _ in range(parser.parse_args().rounds):
        with tempfile.TemporaryDirectory(prefix="setup-") as folder:
            rounds.append(measure_round(Path(folder)))
    print("| installer | its cache | seconds, each round | median | of the CPU | times as fast as pip |")
    print("|---|---|---|---:|---:|---:|")
    for cache in CACHES:
        of_pip = median(took["pip", cache].wall_s for took in rounds)
        for installer in INSTALLERS:
            walls = [took[installer, cache].wall_s for took in rounds]
            cpu_s = median(took[installer, cache].cpu_s for took in rounds)
            seconds = ", ".join(f"{wall_s:.1f}" for wall_s in walls)
            ratio = of_pip / median(walls)
            print(f"| {installer} | {cache} | {seconds} | {median(walls):.1f} | {cpu_s:.1f} | {ratio:.1f} |")


if __name__ == "__main__":
    main()
