"""What a section took, measured from outside of the notebook's process: the notebook's word counts for nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from remote import Remote, Said
from test_memory import SETTINGS, WATCHED

from tito.sandbox.inside.step_status import StepStatus

LIMITS = {"memory_mb": 1024, "scratch_mb": 256, "processes": 32}
NOISE_S, NOISE_MB = 0.03, 3.0


@pytest.fixture(scope="module", params=SETTINGS, ids=lambda setting: "-".join(setting))
def setting(request: pytest.FixtureRequest) -> tuple[str, str, str]:
    chosen: tuple[str, str, str] = request.param
    return chosen


@pytest.fixture(scope="module")
def grader(setting: tuple[str, str, str]) -> Iterator[Remote]:
    means, sandbox, user = setting
    with Remote(user, {}, sandbox=sandbox, watched=means == WATCHED, limits=LIMITS) as remote:
        yield remote


def measured(grader: Remote, section: str, *before: str) -> tuple[float, float, float]:
    """Wall time, processor time and memory of a section that runs after some cells."""
    session = grader.open()
    for cell in before:
        assert grader.run(cell, session).status is StepStatus.OK
    ran: Said = grader.run(section, session, measured=True)
    grader.end(session)
    assert ran.status is StepStatus.OK, ran
    assert ran.measured is not None
    wall_s, cpu_s, peak_mb = ran.measured
    return wall_s, cpu_s, peak_mb


BURN = """
import time
def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
"""
WORK = "import numpy as np\nheld = np.ones(10 << 20)\nburn(0.5)\ndel held"


def test_an_empty_section_takes_next_to_nothing(grader: Remote) -> None:
    wall_s, cpu_s, peak_mb = measured(grader, "", "held = bytearray(b'x') * (100 << 20)")
    assert 0 < cpu_s < NOISE_S
    assert cpu_s < wall_s + NOISE_S
    assert peak_mb < NOISE_MB


def test_time_and_memory_of_numpy_work(grader: Remote) -> None:
    wall_s, cpu_s, peak_mb = measured(grader, WORK, BURN, "import numpy as np")
    assert 0.5 <= cpu_s < 0.5 + 0.3
    assert wall_s >= 0.5
    assert 79 <= peak_mb < 80 + NOISE_MB


def test_processor_time_is_steady_on_a_busy_machine(grader: Remote) -> None:
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(3)]
    try:
        _, cpu_s, peak_mb = measured(grader, WORK, BURN, "import numpy as np")
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
    assert 0.5 <= cpu_s < 0.5 + 0.3
    assert 80 <= peak_mb < 80 + NOISE_MB


FORK = "import os\nif os.fork() == 0:\n    {}\n    os._exit(0)\n"
THREAD = "import threading\nthread = threading.Thread(target=lambda: burn(0.4))\nthread.start()\n"
CLOCKS = "for name in ('process_time', 'perf_counter', 'monotonic', 'time'): setattr(time, name, lambda: 0.0)"
BUSY = {
    "a thread": (THREAD + "thread.join()",),
    "a child": (FORK.format("burn(0.4)") + "os.wait()",),
    "a child that nobody waits for": (
        "import signal\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\nread, write = os.pipe()\n"
        + FORK.format("burn(0.4); os.write(write, b'x')")
        + "os.read(read, 1)\ntime.sleep(0.1)",
        "import os",
    ),
    "a daemon": (
        "read, write = os.pipe()\n"
        + FORK.format("if os.fork() == 0:\n        os.setsid(); burn(0.4); os.write(write, b'x')")
        + "os.read(read, 1)\ntime.sleep(0.05)",
        "import os",
    ),
    "another program": (
        "import subprocess, sys\nsubprocess.run([sys.executable, '-S', '-c', source + 'burn(0.4)'], check=True)",
        f"source = {BURN!r}",
    ),
    "a thread that had begun before": ("thread.join()", THREAD.replace("0.4", "0.9") + "time.sleep(0.2)"),
    "clocks that stand still": ("sum(range(40_000_000))", CLOCKS),
}


@pytest.mark.parametrize("busy", BUSY)
def test_work_is_seen_wherever_it_is_done(busy: str, grader: Remote) -> None:
    section, *before = BUSY[busy]
    _, cpu_s, _ = measured(grader, section, BURN, *before)
    # Of a process that nobody waits for, and that is only looked at, the last is not seen.
    assert (0.1 if "nobody" in busy else 0.3) < cpu_s < 2.0


HIDDEN_MEMORY = {
    "a child": FORK.format("held = bytearray(b'x') * (80 << 20); time.sleep(0.3)") + "os.wait()",
    "a program": (
        "import subprocess, sys\n"
        "source = 'import time; held = bytearray(b\"x\") * (80 << 20); time.sleep(0.3)'\n"
        "subprocess.run([sys.executable, '-S', '-c', source], check=True)"
    ),
    "shared memory": "import mmap\nheld = mmap.mmap(-1, 80 << 20)\nheld.write(b'x' * (1 << 20) * 80) and held.close()",
    "for a moment": "held = bytearray(b'x') * (80 << 20)\ndel held",
}


@pytest.mark.parametrize("where", HIDDEN_MEMORY)
def test_memory_is_seen_wherever_it_is_held(where: str, grader: Remote) -> None:
    _, _, peak_mb = measured(grader, HIDDEN_MEMORY[where], "import time, os, subprocess, sys, mmap")
    assert 75 < peak_mb < 200


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm", "/home/student"])
def test_files_in_memory_are_memory(folder: str, grader: Remote, setting: tuple[str, str, str]) -> None:
    if setting[1] != "bubblewrap":
        pytest.skip("sessions have no file systems in memory there")
    write = f"with open('{folder}/file', 'wb') as file:\n    for _ in range(80): file.write(bytes(1 << 20))"
    assert 75 < measured(grader, write)[2] < 100


def test_work_that_is_done_before_a_section_is_not_counted_for_it(grader: Remote) -> None:
    """Cells before it, and what they still had to do when the section was to begin."""
    _, cpu_s, peak_mb = measured(grader, "", BURN, "held = bytearray(b'x') * (80 << 20)\nburn(0.3)\ndel held")
    assert cpu_s < NOISE_S
    assert peak_mb < NOISE_MB


def test_a_neighbour_is_not_counted(grader: Remote) -> None:
    neighbour = grader.open()
    grader.run(BURN + FORK.format("burn(2); held = bytearray(b'x') * (80 << 20); burn(2)"), neighbour)
    _, cpu_s, peak_mb = measured(grader, "time.sleep(0.5)", "import time")
    grader.end(neighbour)
    assert cpu_s < NOISE_S
    assert peak_mb < NOISE_MB
