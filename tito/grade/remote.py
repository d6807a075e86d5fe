"""A test without judge halves at work: what passes between the judge that runs it and the notebook that it asks."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from tito.errors import JudgeFailed
from tito.judge.judge import Judge
from tito.models import RemotePlan, Section
from tito.sandbox.inside.codec import NOTHING, PATIENCE, CodecError, EndOfStream
from tito.sandbox.inside.step_status import StepStatus
from tito.sandbox.notebook_channel import NotebookChannel
from tito.sandbox.steps import Ran


class RemoteTest:
    """One test at work in the judge, asking one notebook. `sites`: what it noted of the reference's run."""

    def __init__(self, judge: Judge, plan: RemotePlan, notebook: NotebookChannel) -> None:
        self.judge = judge
        self.notebook = notebook
        self.sites: frozenset[str] = frozenset()
        self._broken = False
        facts: dict[str, Any] = {name: sorted(getattr(plan, name)) for name in ("notebook", "mirrored", "modules")}
        facts |= {"imports": [list(statement) for statement in plan.imports], "given": plan.given, "keep": plan.keep}
        facts["files"] = plan.files
        facts["sites"] = None if plan.sites is None else sorted(plan.sites)
        judge.channel().send({"op": "test"} | facts)

    def run(self, section: Section, number: int, limit_s: float) -> Ran:
        """Run a section, which has that `number` among those of its test. Its status is that of a cell, or a
        fault where the judge failed."""
        started, wall_s = time.monotonic(), limit_s * PATIENCE
        request = {"op": "section", "source": section.observe, "number": number, "limit_s": wall_s + 1.0}
        try:
            self.judge.channel().send(request)
            ran = self._relay(started + wall_s)
        except TimeoutError:
            ran = Ran(StepStatus.TIMEOUT)
        except (EndOfStream, CodecError, OSError, ValueError) as error:
            ran = Ran(StepStatus.FAULT, evalue=f"The judge process gave no answer: {error or type(error).__name__}.")
        self._broken |= ran.status not in (StepStatus.OK, StepStatus.ERROR)
        return replace(ran, seconds=time.monotonic() - started)

    def _relay(self, end: float) -> Ran:
        """Pass on what the test asks and the notebook answers, until the section is done."""
        channel = self.judge.channel()
        while True:
            message, values = self.judge.take(max(end - time.monotonic(), 0.0))
            if "done" in message:
                self.sites |= frozenset(message["sites"])
                done = message["done"]
                status = self.notebook.over or StepStatus(done["status"])
                return Ran(status, done["ename"], done["evalue"], value=done["value"])
            before_s = self.notebook.cpu_s() if message["ask"].get("timed") else None
            answer = self.notebook.ask(message["ask"], values, max(end - time.monotonic(), 0.01) / PATIENCE)
            if answer is not None:  # whatever the notebook says of it
                after_s = None if before_s is None else self.notebook.cpu_s()
                answer[0]["cpu_s"] = None if before_s is None or after_s is None else after_s - before_s
            if answer is not None and answer[0].get("status") == StepStatus.STOPPED:
                self.notebook.over = StepStatus.TIMEOUT
                answer = None
            channel.send_packed(*(answer or ({"status": "over"}, NOTHING)))

    def close(self) -> None:
        """End the test. A judge that may still be at work on it is ended too; the next test starts another."""
        try:
            if not self._broken:
                self.judge.channel().send({"op": "end"})
        except (JudgeFailed, OSError):
            self._broken = True
        if self._broken:
            self.judge.close()

    def __enter__(self) -> RemoteTest:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
