"""Whatever a notebook sends, who receives and judges it lives, answers in time, and does not grow.

A process stands for a grader's worker: it hears a notebook, judges what was observed, asks for objects. The notebook is
this test, which sends frames of all kinds: values of the vocabulary with hostile numbers, counts and depths, and bytes
that are no frame at all.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import socket
import struct
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tito.errors import JudgeFailed
from tito.grade.remote import RemoteTest
from tito.judge.judge import Judge, Question, judging
from tito.models import JudgePlan, Limits, RemotePlan, Section
from tito.plan.plan import AssignmentPlan
from tito.sandbox.bubblewrap import Bubblewrap
from tito.sandbox.inside.codec import Channel
from tito.sandbox.inside.step_status import StepStatus
from tito.sandbox.inside.wire import MAKERS
from tito.sandbox.notebook_channel import NotebookChannel
from tito.sandbox.spec import SandboxSpec
from tito.sandbox.steps import Step

LENGTHS = struct.Struct(">III")
ANSWERS = ("yes", "no", "nothing", "stopped")  # the last: the judge was, at a limit
DEADLINE_S = 20.0  # until a worker has an answer, whatever it was sent, on a machine that is busy
MOST_GROWTH_MB = 100
LIMIT_S = 1.0  # of a cell
SECTION = Section("value = asked()", "assert value == 7.0, f'it must be 7, and is {value}'", False)
PLAN = JudgePlan("", "", ("value",))
UNJUDGED = Section("assert value == 7.0, f'it must be 7, and is {value}'", None, False)
REMOTE = RemotePlan(notebook=frozenset({"value"}), sites=frozenset())
# No shrinking: on code that hangs, each step of it would hang too.
QUICK = settings(phases=(Phase.generate,), suppress_health_check=list(HealthCheck))
FEW = settings(QUICK, max_examples=25)  # of those that may break a judge, which takes its time


# ---- the worker ------------------------------------------------------------------------------------


def serve(control: socket.socket, folder: str) -> None:
    """Hear one notebook after another, each over a socket of its own, and say what came of it."""
    place = SandboxSpec((), ("ipython", "numpy"), limits=Limits(cell_timeout_s=LIMIT_S))
    with judging(Bubblewrap(), AssignmentPlan("any", (), place, Path(folder), "", "")) as judge:
        while True:
            kind, descriptors, *_ = socket.recv_fds(control, 16, 1)
            if not kind:
                return
            conversation = NotebookChannel(Channel(socket.socket(fileno=descriptors[0])))
            control.send((judged(conversation, judge) if kind == b"judge" else asked(conversation, judge)).encode())
            conversation.channel.close()


def judged(notebook: NotebookChannel, judge: Judge) -> str:
    """The judge's answer to what a notebook says that it observed."""
    notebook.send([Step(source=SECTION.observe, observe=PLAN.observed)], LIMIT_S)
    ran = notebook.receive()
    if ran.status is not StepStatus.OK or ran.refused:
        return "nothing"
    try:
        return "yes" if judge.judgement(Question(SECTION, PLAN, ran.observed)).yes else "no"
    except JudgeFailed:
        return "stopped"


def asked(notebook: NotebookChannel, judge: Judge) -> str:
    """What becomes of a test without a judge half, to which a notebook says what an object is."""
    with RemoteTest(judge, REMOTE, notebook) as test:
        ran = test.run(UNJUDGED, 0, LIMIT_S)
    return {StepStatus.OK: "yes", StepStatus.FAULT: "stopped"}.get(ran.status, "no")


class Worker:
    """The worker, as the notebook sees it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.start()

    def start(self) -> None:
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        context = multiprocessing.get_context("spawn")  # what it holds is its own: its share of nothing can grow
        self.process = context.Process(target=serve, args=(theirs, str(self.folder)), daemon=True)
        self.process.start()
        theirs.close()
        assert self.tell("judge", lambda token: frame({"token": token, "step": 0, "status": "ok"}, SEVEN)) == "yes"
        self.pss_mb = pss_mb(self.process.pid)

    def tell(self, kind: str, say: Any) -> str:
        """Open a conversation, answer its first request with what `say` makes of its token, and hang up."""
        ours, theirs = socket.socketpair()
        socket.send_fds(self.control, [kind.encode()], [theirs.fileno()])
        theirs.close()
        channel = Channel(ours)
        request, _ = channel.receive(DEADLINE_S)
        ours.setblocking(True)
        ours.settimeout(DEADLINE_S)
        try:
            ours.sendall(say(request["token"]))
            ours.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has heard enough
        self.control.settimeout(DEADLINE_S)
        started = time.monotonic()
        try:
            answer = self.control.recv(64).decode()
        except TimeoutError:
            self.end()
            self.start()
            pytest.fail(f"no answer after {time.monotonic() - started:.0f} s")
        finally:
            ours.close()
        return answer

    def end(self) -> None:
        self.control.close()
        self.process.kill()
        self.process.join()


def pss_mb(pid: int | None) -> float:
    """Memory of a process, in MiB; of what it shares, its share."""
    match = re.search(r"^Pss: +(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert match is not None
    return int(match[1]) / 1024


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    worker = Worker(tmp_path_factory.mktemp("assignment"))
    yield worker
    worker.end()


def holds(worker: Worker, kind: str, say: Any) -> None:
    """The worker answers in time, lives, and has not grown."""
    process = worker.process
    assert worker.tell(kind, say) in ANSWERS
    assert process.is_alive()
    assert pss_mb(process.pid) - worker.pss_mb < MOST_GROWTH_MB


# ---- what is sent ------------------------------------------------------------------------------------


def frame(message: Any, values: Any, blob: bytes = b"") -> bytes:
    """A frame as `codec` describes it, of whatever JSON."""
    message_text, text = (
        json.dumps(part, ensure_ascii=False).encode("utf-8", "surrogatepass") for part in (message, values)
    )
    return LENGTHS.pack(len(message_text), len(text), len(blob)) + message_text + text + blob


def answered(message: dict[str, Any], values: Any, token: str) -> bytes:
    """An answer to what was asked with that token."""
    return frame(message | {"token": token}, values)


def number(value: int) -> dict[str, str]:
    return {"t": "int", "v": f"{value:x}"}


def listed(*items: Any) -> dict[str, Any]:
    return {"t": "list", "v": list(items)}


def range_of(stop: int) -> dict[str, Any]:
    return {"t": "range", "v": listed(number(0), number(stop), number(1))}


def nested(depth: int, tag: str) -> Any:
    value: Any = None
    for _ in range(depth):
        value = {"t": tag, "v": [value] if tag in ("list", "tuple", "set") else listed(value)}
    return value


SEVEN = {"value": {"t": "float", "v": "0x1.cp+2"}}
COUNTS = st.sampled_from((0, 1, 2, 7, -1, 255, 2**31, 2**32, 2**63, 10**12, 10**18, 0.5, 1e308, float("nan"))) | (
    st.sampled_from((float("inf"), True, None, "7", "x", [], {})) | st.integers(-8, 64)
)
HEXES = ("0", "1", "-1", "7", "f4240", "e8d4a51000", "8000000000000000", "-de0b6b3a7640000", "f" * 5000, "x")
INTEGERS = st.sampled_from(HEXES).map(lambda digits: {"t": "int", "v": digits})


def long_text(letter: str) -> str:
    """Made here, for hypothesis prints what its strategies are made of."""
    return letter * 500_000


TEXTS = (
    st.text(max_size=8)
    | st.sampled_from(("", "nan", "0x1p+99999", "1e999999999", "\ud800"))
    | st.builds(long_text, st.sampled_from(("é", "7", ",")))
)
DTYPES = st.sampled_from(
    (
        "<f8",
        "|b1",
        "<i8",
        "<U4",
        "<U0",
        "|S0",
        "|O",
        "|V8",
        "<M8[s]",
        "<U1073741823",
        "(9999,9999)f8",
        "f8,f8",
        "",
        "<c16",
    )
)
LEAVES = (
    st.none()
    | st.booleans()
    | TEXTS
    | INTEGERS
    | COUNTS
    | st.builds(lambda value: {"t": "float", "v": value}, TEXTS | COUNTS)
    | st.builds(lambda at: {"t": "bytes", "at": at}, st.lists(COUNTS, max_size=3))
    | st.builds(
        lambda dtype, shape, scalar, at: {"t": "array", "dtype": dtype, "shape": shape, "scalar": scalar, "at": at},
        DTYPES,
        st.lists(COUNTS, max_size=4) | st.just([1] * 70),
        st.booleans(),
        st.lists(COUNTS, min_size=1, max_size=2) | st.just([0, 8]),
    )
    | st.sampled_from((10**4, 10**9, 10**12, 2**64)).map(range_of)
)
HOLDERS = st.sampled_from(("list", "tuple", "set"))
OTHERS = st.sampled_from((*MAKERS, "handle", "callback", "known", "alias", "nothing", ""))


def _around(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    items = st.lists(inner, max_size=4)
    return (
        st.builds(lambda tag, held: {"t": tag, "v": held}, HOLDERS, items)
        | st.builds(lambda pairs: {"t": "dict", "v": pairs}, st.lists(st.tuples(inner, inner).map(list), max_size=3))
        | st.builds(lambda tag, held: {"t": tag, "v": held}, OTHERS, inner | items)
        | st.builds(lambda tag, held: {"t": tag, "v": listed(*held)}, OTHERS, items)
        | st.builds(
            lambda shape, held: {"t": "objects", "shape": shape, "v": held}, st.lists(COUNTS, max_size=3), items
        )
        | st.builds(lambda held, times: listed(*[held] * times), inner, st.sampled_from((100, 3_000)))
        | st.builds(
            lambda name, held: {"t": "view", "v": listed(name, held)}, st.sampled_from(("keys", "values")), inner
        )
    )


def _is_small(value: Any) -> bool:
    return len(json.dumps(value)) < 12 << 20


TREES = st.recursive(LEAVES, _around, max_leaves=12).filter(_is_small)
SIZES = st.sampled_from((0, 8, 4096, 20 << 20))
DEPTHS = st.sampled_from((23, 30, 400, 990, 20_000))
HOSTILE = {
    "a deque of a range": {"t": "deque", "v": listed(range_of(10**12), None)},
    "a frozenset of a range": {"t": "frozenset", "v": range_of(10**12)},
    "a range as arguments": {"t": "timedelta", "v": range_of(10**12)},
    "colliding keys": {"t": "dict", "v": [[number(((1 << 61) - 1) * n), None] for n in range(1, 20_000)]},
    "text that grows": "é" * 7_000_000,
    "many ranges": listed(*[{"t": "deque", "v": listed({"t": "frozenset", "v": range_of(10**9)}, None)}] * 3_000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_hangs_a_grader_that_builds_it_is_judged_in_time(worker: Worker, name: str) -> None:
    values = {"value": HOSTILE[name]}
    holds(worker, "judge", lambda token: frame({"token": token, "step": 0, "status": "ok"}, values))


@pytest.mark.parametrize("name", HOSTILE)
def test_what_hangs_a_grader_that_builds_it_is_taken_in_time(worker: Worker, name: str) -> None:
    holds(worker, "ask", lambda token: frame({"token": token, "status": "value"}, {"value": HOSTILE[name]}))


@pytest.mark.parametrize("kind", ["judge", "ask"])
def test_bytes_that_nothing_refers_to_are_not_kept(worker: Worker, kind: str) -> None:
    for _ in range(4):
        holds(worker, kind, lambda token: frame({"token": token, "step": 0, "status": "ok"}, SEVEN, bytes(63 << 20)))


@FEW
@given(tree=TREES, size=SIZES)
def test_whatever_value_is_observed_is_judged_in_time(worker: Worker, tree: Any, size: int) -> None:
    answer = {"step": 0, "status": "ok"}
    holds(worker, "judge", lambda token: frame(answer | {"token": token}, {"value": tree}, bytes(size)))


@FEW
@given(tree=TREES, size=SIZES)
def test_whatever_value_answers_a_test_is_taken_in_time(worker: Worker, tree: Any, size: int) -> None:
    holds(worker, "ask", lambda token: frame({"token": token, "status": "value"}, {"value": tree}, bytes(size)))


KEYS = st.sampled_from(("token", "step", "status", "outputs", "refused", "text", "t", "v"))
JSON = st.recursive(
    st.none() | st.booleans() | COUNTS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("step", "status", "ename", "evalue", "outputs", "seconds", "refused", "tampered", "memory_mb", "said", "name"),
        JSON,
    ),
)


@QUICK
@given(kind=st.sampled_from(("judge", "ask")), fields=FIELDS, values=JSON)
def test_whatever_an_answer_says_beside_its_values_is_survived(
    worker: Worker, kind: str, fields: dict[str, Any], values: Any
) -> None:
    base = {"step": 0, "status": "ok"}
    holds(worker, kind, lambda token: frame(base | fields | {"token": token}, values))


@QUICK
@given(
    kind=st.sampled_from(("judge", "ask")),
    depth=DEPTHS,
    tag=HOLDERS | OTHERS,
    place=st.sampled_from(("values", "outputs", "text")),
)
def test_whatever_depth_is_survived(worker: Worker, kind: str, depth: int, tag: str, place: str) -> None:
    text = _written(nested(depth, tag))  # made here: what is nested like that cannot be printed
    values, outputs = ('{"value":' + text + "}", "[]") if place == "values" else ("{}", "[" + text + "]")
    if place == "text":
        values, outputs = "{}", "[" * 50_000

    def say(token: str) -> bytes:
        head = json.dumps({"token": token, "step": 0, "status": "ok"})[:-1]
        message_text, text = f'{head},"outputs":{outputs}}}'.encode(), values.encode()
        return LENGTHS.pack(len(message_text), len(text), 0) + message_text + text

    holds(worker, kind, say)


def _written(value: Any) -> str:
    """JSON, of any depth."""
    before, after = [], []
    while isinstance(value, dict):
        inner = value["v"]
        if isinstance(inner, list):
            before.append(f'{{"t":"{value["t"]}","v":[')
            after.append("]}")
            value = inner[0]
        else:
            before.append(f'{{"t":"{value["t"]}","v":')
            after.append("}")
            value = inner
    return "".join(before) + "null" + "".join(reversed(after))


@QUICK
@given(
    kind=st.sampled_from(("judge", "ask")),
    cut=st.floats(0, 1),
    noise=st.binary(max_size=64),
    lengths=st.none() | st.tuples(*[st.sampled_from((0, 1, 60, 1 << 22, 1 << 26, (1 << 32) - 1))] * 3),
)
def test_whatever_bytes_are_no_frame_are_survived(
    worker: Worker, kind: str, cut: float, noise: bytes, lengths: tuple[int, int, int] | None
) -> None:
    def say(token: str) -> bytes:
        data = frame({"token": token, "step": 0, "status": "ok"}, SEVEN, bytes(100))
        if lengths is not None:
            data = LENGTHS.pack(*lengths) + data[LENGTHS.size :]
        at = int(cut * len(data))
        return data[:at] + noise + (data[at:] if len(noise) % 2 else b"")

    holds(worker, kind, say)


def test_the_worker_still_says_yes_and_no(worker: Worker) -> None:
    """After all of that: it hears what it is told, and nothing has been left of what came before."""
    answers = (SEVEN, "yes"), ({"value": number(6)}, "no"), ({}, "no")
    for value, answer in answers:
        say = partial(answered, {"step": 0, "status": "ok"}, value)
        assert worker.tell("judge", say) == answer
    assert worker.tell("ask", partial(answered, {"status": "value"}, SEVEN)) == "yes"
    assert os.waitpid(worker.process.pid or 0, os.WNOHANG) == (0, 0)
