"""Prechecks under a class: 30 students submit module 16 at once; how long until each reads what their tests say.

    .venv/bin/python benchmarks/precheck.py            # one worker, two prechecks at a time
    .venv/bin/python benchmarks/precheck.py 4          # four at a time

Exchange (SQLite) and worker are processes of their own on loopback. Every tenth student hands in a loop without an end,
which is stopped at the 10 s that a course gives by default. The first run finds the worker cold, the second warm.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from exchange_process import ServiceProcess
from exchange_support import COURSE, FakeHub, token, uploads
from precheck_support import MODULE, Module, Worker, hub_with_precheck_worker, module_16, precheck_of, publish

from tito.exchange.client.client import Client
from tito.exchange.client.plugin.prechecks import looked_for

STUDENTS, ENDLESS_EVERY = 30, 10
PATIENCE_S = 120.0
LOOPING = 4
HONEST = ("correct_loops", "no_clipping", "float_codes", "blank", "correct_float64")


def a_class(url: str, hub: FakeHub, module: Module, prefix: str, *, endless: bool) -> None:
    """All submit at once, and each looks until the result is there."""
    names = [f"{prefix}{number:02}" for number in range(STUDENTS)]
    for name in names:
        hub.add(name, [f"nbgrader-{COURSE}"])
    took: dict[str, float] = {}
    acknowledged: list[float] = []
    looped = {name for number, name in enumerate(names) if endless and number % ENDLESS_EVERY == 0}
    start = threading.Barrier(STUDENTS)

    def hand_in(number: int, name: str) -> None:
        client = Client(url, token(name))
        variant = "endless_loop" if name in looped else HONEST[number % len(HONEST)]
        start.wait()
        begun = time.monotonic()
        submission = client.submit(COURSE, MODULE, uploads(module.files(variant)))
        acknowledged.append(time.monotonic() - begun)
        precheck = looked_for(client, submission, PATIENCE_S)
        took[name] = time.monotonic() - begun
        assert precheck.result is not None
        assert precheck.result.tests
        client.close()

    threads = [threading.Thread(target=hand_in, args=numbered) for numbered in enumerate(names)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(took) == STUDENTS
    others = [seconds for name, seconds in took.items() if name not in looped]
    print(
        f"{prefix}: {STUDENTS} at once, {len(looped)} of them endless: submissions acknowledged within "
        f"{max(acknowledged):.1f} s; result for the others: first {min(others):.1f} s, median {median(others):.1f} s, "
        f"last {max(others):.1f} s; last of all {max(took.values()):.1f} s"
    )


def alone(url: str, hub: FakeHub, module: Module) -> None:
    """One student after the other, the worker warm."""
    hub.add("alone", [f"nbgrader-{COURSE}"])
    client = Client(url, token("alone"))
    took = []
    for number in range(6):
        begun = time.monotonic()
        submission = client.submit(COURSE, MODULE, uploads(module.files(HONEST[number % len(HONEST)])))
        looked_for(client, submission, PATIENCE_S)
        took.append(time.monotonic() - begun)
    client.close()
    print(f"alone: median {median(took):.2f} s from submit to result")


def beside_loops(url: str, hub: FakeHub, module: Module) -> None:
    """Four students hand in a loop without an end, and one who is honest comes right after."""
    for round_ in range(3):
        names = [f"looping{round_}{number}" for number in range(LOOPING)]
        for name in (*names, f"honest{round_}"):
            hub.add(name, [f"nbgrader-{COURSE}"])
        clients = [Client(url, token(name)) for name in names]
        loops = [client.submit(COURSE, MODULE, uploads(module.files("endless_loop"))) for client in clients]
        honest = Client(url, token(f"honest{round_}"))
        begun = time.monotonic()
        looked_for(honest, honest.submit(COURSE, MODULE, uploads(module.files(HONEST[0]))), PATIENCE_S)
        took = time.monotonic() - begun
        for client, submission in zip(clients, loops, strict=True):
            looked_for(client, submission, PATIENCE_S)
        last = time.monotonic() - begun
        print(f"after {LOOPING} who loop: {took:.1f} s from submit to result; the last of the loops {last:.1f} s")


def main() -> None:
    at_once = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    hub, services = hub_with_precheck_worker(COURSE)
    with tempfile.TemporaryDirectory() as name, hub.serving() as hub_url:
        folder = Path(name)
        module = module_16(folder)
        with ServiceProcess(folder / "exchange", hub_url) as exchange:
            exchange.environment["TITO_EXCHANGE_SERVICES"] = str(services).replace("'", '"')
            exchange.start()
            teacher = Client(exchange.url, token("teacher"))
            publish(teacher, COURSE, MODULE, module.release)
            teacher.set_policy(COURSE, precheck_of(module.course, cell_timeout_s=10.0, notebook_timeout_s=60.0))
            teacher.close()
            with Worker(exchange.url, folder / "worker", (COURSE,), at_once):
                a_class(exchange.url, hub, module, "cold", endless=False)
                a_class(exchange.url, hub, module, "warm", endless=False)
                a_class(exchange.url, hub, module, "loops", endless=True)
                alone(exchange.url, hub, module)
                beside_loops(exchange.url, hub, module)


if __name__ == "__main__":
    main()
