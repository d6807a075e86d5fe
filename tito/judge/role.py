"""What sessions of a sandbox for judges are forked from, one for each submission: it has read the assignment's plan.

A session does for its submission what is done with student's text and values, and not by running student code: it reads
the notebook, and judges what was observed. It has no network, a copy of the assignment's files of its own, and limits;
what it does to itself ends with it. A question that has broken a judge is put to the next in a process of its own,
which is ended at its limit of processor time, and of which it is told how it ended.

Requests (JSON, see `codec`):
    read    the notebooks as they were handed in, by name: what `read_notebook` makes of each, or why it cannot be read
    bound   names that cells of a notebook that was read would set, by their positions
    judge   questions, see `judge_worker`; each is answered as soon as it is judged
    test    a test without judge halves: see `remote_worker`
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import pickle
import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

import numpy as np
import numpy.random  # not with numpy itself, but when it is first asked for

from tito.course.cells import Cell, as_node
from tito.course.python_source import ParseBudget, SourceReader
from tito.course.submission_files import NoNotebook
from tito.judge.remote_worker import JudgeFolder, read_ahead, serve_test
from tito.judge.worker import compiled, imported, judge
from tito.plan.names import flow_of
from tito.plan.plan import NotebookPlan, TestPlan
from tito.repair.read_notebook import ReadNotebook, as_values, look_at, trusted
from tito.repair.repair import cells_of, repair
from tito.sandbox.inside.codec import Channel, CodecError, EndOfStream, Packed, pack
from tito.sandbox.inside.shared_resources import SharedResources
from tito.sandbox.inside.wire import more

if TYPE_CHECKING:
    import socket

MOST_TO_JUDGE = 256 << 20  # bytes of values in a frame of questions
MOST_BOUND = 200  # names of a cell that are told


@dataclass(frozen=True)
class JudgeOrder:
    """What a judge knows of an assignment before it sees a submission.

    `halves` are judge halves as requests (see `judge_worker`), by their number.
    """

    notebooks: tuple[NotebookPlan, ...] = ()
    halves: tuple[dict[str, Any], ...] = ()


class Role:
    """See `zygote`."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.order = JudgeOrder()
        self.files: str = settings["files"]

    def warm(self, order: dict[str, Any], plan: bytes) -> None:
        """Learn the plan, which the grader has made, and import what its tests do."""
        if plan:
            self.order = pickle.loads(plan)
        for statement in order["imports"]:
            with contextlib.suppress(Exception):
                exec(statement, {})
        tests: list[TestPlan] = []
        for notebook in self.order.notebooks:
            trusted(notebook)  # most cells of a cohort are the instructor's own
            tests += [test for test in notebook.tests.values() if any(plan is None for _, plan in test.sections)]
        for half in self.order.halves:
            with contextlib.suppress(Exception):
                imported(half["imports"])
            for name, parts in (("judge", [half["judge"], *half["checks"]]), ("measured", half["measured"])):
                for number, source in enumerate(parts):
                    with contextlib.suppress(Exception):
                        compiled(source, f"<{name} {number}>")
        rehearse(self.order)
        if tests:
            from tito.judge.rehearsal import rehearse_test  # which a grader that only asks judges need not have

            for test in tests:
                sections = [section.observe for section, plan in test.sections if plan is None]
                read_ahead(sections, [plan.given for plan in (test.remote, *test.possible) if plan is not None])
            rehearse_test()

    def serve(self, channel: Channel, branches: dict[int, int], shared_resources: SharedResources | None) -> NoReturn:
        """Answer until the grader hangs up."""
        channel.most_blob, channel.more = MOST_TO_JUDGE, more
        channel.send({"op": "ready"})
        gc.disable()
        sys.path[0] = self.files  # modules are those of the course's, whatever a test writes to the folder
        session = JudgeSession(self.order, channel, JudgeFolder(str(Path.cwd()), self.files))
        with contextlib.suppress(EndOfStream, CodecError, OSError):
            while True:
                session.answer(*channel.take())
        os._exit(0)


class Nobody:
    """Stands for the grader at a rehearsal: hears what is said, and that is all."""

    def sendall(self, data: bytes) -> None:
        pass


REHEARSED = "\n\nrehearsed = True\n"  # what makes a cell one that has not been seen before
SAMPLE: dict[str, Any] = {
    "array": np.arange(6.0).reshape(2, 3),
    "number": 1.5,
    "items": [1, (True, None), {"key": "text"}],
}
SAMPLE_HALF = {
    "imports": "import numpy as np",
    "given": "expected = np.arange(6.0).reshape(2, 3)",
    "judge": "np.testing.assert_allclose(array, expected)\nassert number == 1.5\nassert len(items) == 3",
    "checks": ["assert np.array_equal(array, expected + 1), 'a rehearsal'"],
    "measured": ["", ""],
    "observed": list(SAMPLE),
    "hidden": True,
}


def rehearse(order: JudgeOrder) -> None:
    """Read a submission and judge values, before any session is forked: what Python, numpy and this module make when
    they are first used is then made once, and lies in pages that no session has to copy."""
    session = JudgeSession(order, Channel(cast("socket.socket", Nobody())), JudgeFolder("", ""))
    handed_in = {}
    for plan in order.notebooks:
        cells = [as_node(cell) for cell in plan.cells]
        for node, cell in zip(cells, plan.cells, strict=True):
            if cell.is_code and not cell.is_test:
                node.source += REHEARSED
        handed_in[f"{plan.name}.ipynb"] = json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5}).encode()
    session.answer({"op": "read", "careful": 0.0}, pack(handed_in))
    values = pack(SAMPLE)
    question = [-1, len(values.text), len(values.blob), None]
    request = {"op": "judge", "halves": {"-1": SAMPLE_HALF}, "questions": [question], "alone_s": 0.0}
    session.answer(request, Packed(blob=bytes(values.text) + bytes(values.blob)))


class JudgeSession:
    """One submission's judge."""

    def __init__(self, order: JudgeOrder, channel: Channel, folder: JudgeFolder) -> None:
        self.folder = folder
        self.plans = {f"{plan.name}.ipynb": plan for plan in order.notebooks}
        self.known = [cell.code for plan in order.notebooks for cell in plan.cells]
        self.halves = dict(enumerate(order.halves))
        self.channel = channel
        self.read: dict[str, ReadNotebook] = {}

    def answer(self, request: dict[str, Any], packed: Packed) -> None:
        """Do what is asked, and say what came of it."""
        match request["op"]:
            case "read":
                self._read(request, packed)
            case "bound":
                cells = self.read[request["notebook"]].cells if request["notebook"] in self.read else []
                self.channel.send({"bound": [_bound(cells[at]) if at < len(cells) else [] for at in request["cells"]]})
            case "judge":
                self.halves.update({int(number): half for number, half in request["halves"].items()})
                self._judge(request, packed)
            case "test":
                serve_test(self.channel, request, self.folder)

    def _read(self, request: dict[str, Any], packed: Packed) -> None:
        """Read the notebooks; with care where that has taken too long before."""
        reader = SourceReader(self.known, ParseBudget(request["careful"]) if request["careful"] else None)
        for name, data in packed.values().items():
            plan = self.plans[name]
            try:
                with_outputs = not plan.is_run or plan.has_written_answers
                read = look_at(plan, repair(cells_of(data, name, reader, with_outputs=with_outputs), plan.cells))
            except NoNotebook as error:
                self.channel.send({"notebook": name, "unreadable": str(error)})
            else:
                self.read[name] = read
                self.channel.send({"notebook": name, "unreadable": ""}, as_values(read))

    def _judge(self, request: dict[str, Any], packed: Packed) -> None:
        start = 0
        for number, text, blob, measured in request["questions"]:
            middle, end = start + text, start + text + blob
            observed = Packed(packed.blob[start:middle], packed.blob[middle:end])
            start = end
            if request["alone_s"]:
                self._judge_alone(self.halves[number], observed, measured, request["alone_s"])
            else:
                self.channel.send({"judgement": judge(self.halves[number], observed, measured)})

    def _judge_alone(
        self, half: dict[str, Any], observed: Packed, measured: dict[str, float] | None, limit_s: float
    ) -> None:
        """Judge in a process that is ended after so many seconds of processor time."""
        child = os.fork()
        if child == 0:
            code = 1
            try:
                end_after(limit_s)
                self.channel.send({"judgement": judge(half, observed, measured)})
                code = 0
            finally:
                os._exit(code)
        broke = cause_of(os.waitpid(child, 0)[1])
        if broke:
            self.channel.send({"broke": broke})


def end_after(limit_s: float) -> None:
    """Have the kernel end this process when it has used so many more seconds of a processor."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, limit_s)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(usage.ru_utime + usage.ru_stime + limit_s) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))


def cause_of(status: int) -> str:
    """What a process was ended by, as its parent is told: "" where it came to its end."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number in (signal.SIGPROF, signal.SIGXCPU):
            return "time"
        if number == signal.SIGKILL:
            return "memory"  # the kernel kills what fills a group's memory
        return f"a crash ({signal.Signals(number).name})"
    return "" if os.WEXITSTATUS(status) == 0 else "an exit"


def _bound(cell: Cell) -> list[str]:
    flow = flow_of(cell.code) if cell.is_code else None
    return sorted(flow.bound)[:MOST_BOUND] if flow is not None else []
