"""Points for what student code costs, as authors write such tests in plain Python: calls and reads of what they lend,
growth over sizes, processor time beside a reference's. All of it is counted where student code has no hand in it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from functools import partial

import pytest
from remote_bench import Bench, bench_of, notebook_of

from tito.models import Verdict
from tito.sandbox.bubblewrap import Bubblewrap

SETUP = "import threading\nimport time\nimport numpy as np"
SOLUTIONS = {
    "distances": """
def distances(x):
    return np.sqrt(((x[:, None] - x[None]) ** 2).sum(axis=-1))
""",
    "find": """
def find(values, wanted):
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if values[middle] < wanted else (low, middle)
    return low
""",
}
TESTS = {
    "distances": """
def of_reference(x):
    return np.sqrt(((x[:, None] - x[None]) ** 2).sum(axis=-1))

rng = np.random.default_rng()
theirs_s = reference_s = 0.0
for _ in range(6):
    x = rng.normal(size=(120, 8))
    started = time.process_time()
    theirs = np.asarray(distances(x))
    theirs_s += time.process_time() - started
    started = time.process_time()
    wanted = of_reference(x)
    reference_s += time.process_time() - started
    assert np.allclose(theirs, wanted)
assert theirs_s < 30 * reference_s, f"{theirs_s / reference_s:.0f} times the processor time of the reference"
""",
    "find": """
class Sorted:
    def __init__(self, values):
        self._values, self.reads = sorted(values), 0
    def __len__(self):
        return len(self._values)
    def __getitem__(self, place):
        self.reads += 1
        return self._values[place]

rng, sizes, reads = np.random.default_rng(), [40, 400, 4000], []
for size in sizes:
    values = Sorted(rng.choice(10**9, size=size, replace=False).tolist())
    places = rng.integers(size, size=8).tolist()  # of a single one, chance decides
    wanted = [values[place] for place in places]
    values.reads = 0
    assert [find(values, each) for each in wanted] == places
    reads.append(values.reads)
exponent = np.polyfit(np.log(sizes), np.log(reads), 1)[0]
assert exponent < 0.5, f"reads grow like size to the power {exponent:.2f}"
""",
}
LOOPS = """
def distances(x):
    {first}
    return np.array([[np.sqrt(((p - q) ** 2).sum()) for q in x] for p in x])
"""
WALKS = """
def find(values, wanted):
    {first}
    for place in range(len(values)):
        if values[place] == wanted:
            return place
"""
WRONG = {
    "it goes through all": ("find", WALKS.format(first="pass")),
    "it sets the count": ("find", """
def find(values, wanted):
    for place in range(len(values)):
        if values[place] == wanted:
            try: values.reads = 5
            except Exception: pass
            try: values._ask("__setattr__", ("reads", 5), {})
            except Exception: pass
            return place
"""),
    "it knows the sizes of the test": ("find", """
TABLE = {40: 7, 400: 77, 4000: 777}
def find(values, wanted):
    return TABLE.get(len(values), 0)
"""),
    "it does loops": ("distances", LOOPS.format(first="pass")),
    "it stops the clock": ("distances", LOOPS.format(
        first="time.process_time = time.thread_time = time.perf_counter = time.time = lambda: 0.0")),
    "it slows down the reference": ("distances", """
def burn():
    while True: sum(range(10_000))
threads = []
def distances(x):
    if not threads:
        threads.extend(threading.Thread(target=burn, daemon=True) for _ in range(3))
        for thread in threads: thread.start()
    return np.array([[np.sqrt(((p - q) ** 2).sum()) for q in x] for p in x])
"""),
    "it computes in a thread of its own": ("distances", """
def distances(x):
    rows = []
    thread = threading.Thread(target=lambda: rows.extend([np.sqrt(((p - q) ** 2).sum()) for q in x] for p in x))
    thread.start()
    thread.join()
    return np.array(rows)
"""),
    "it answers at once, and computes when it is looked at": ("distances", """
class Later:
    def __init__(self, x): self.x = x
    def __array__(self, dtype=None, copy=None):
        return np.array([[np.sqrt(((p - q) ** 2).sum()) for q in self.x] for p in self.x])
def distances(x):
    return Later(x)
"""),
    "it answers from a table": ("distances", """
DONE = {}
def distances(x):
    if x.shape not in DONE:
        DONE[x.shape] = np.array([[np.sqrt(((p - q) ** 2).sum()) for q in x] for p in x])
    return DONE[x.shape]
"""),
}  # fmt: skip


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with bench_of(Bubblewrap(), partial(notebook_of, SETUP, SOLUTIONS, TESTS)) as bench:
        yield bench


def test_right_work_passes_apart_from_its_code(bench: Bench) -> None:
    bench.assert_passes()


@pytest.mark.parametrize(("name", "source"), WRONG.values(), ids=WRONG)
def test_wrong_work_fails_and_costs_nothing_else(bench: Bench, name: str, source: str) -> None:
    results = bench.grade(**{name: source})
    assert results[f"test_{name}"].verdict in (Verdict.FAILED, Verdict.ERROR, Verdict.TIMEOUT), results
    others = {key: result.verdict for key, result in results.items() if key != f"test_{name}"}
    assert others == dict.fromkeys(others, Verdict.PASSED), results


def _burn() -> None:
    while True:
        sum(range(10_000))


@pytest.mark.busy
def test_ten_gradings_on_a_busy_machine_give_the_same_points(bench: Bench) -> None:
    forking = multiprocessing.get_context("fork")
    busy = [forking.Process(target=_burn, daemon=True) for _ in range(4)]
    for process in busy:
        process.start()
    try:
        for _ in range(10):
            bench.assert_passes()
        slow = {bench.grade(distances=LOOPS.format(first="pass"))["test_distances"].earned for _ in range(3)}
        assert slow == {False}
    finally:
        for process in busy:
            process.kill()
            process.join()
