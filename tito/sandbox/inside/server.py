"""Answers the grader inside the sandbox, request by request. Nothing that it says is trusted.

It holds no secret but what it is sent to run just now: hidden tests are given to it after the student's cells have all
run and their outputs are closed, so that no cell can show what a test holds.

Requests (JSON, see `codec`):
    steps   do these one after another, each within the time that a cell may take, all within what is left of the
            notebook's; see `Step`. Each is answered as soon as it is done:
            run     run a cell, or a section of a test as compiled Python; the answer holds status, outputs, seconds,
                    and the plain values of the names asked for. With `guard`, what its asserts rely on is first put
                    back as it was; with `value`, the answer holds the text of its last value
            branch  fork: the copy serves a channel of its own, with the notebook's state as it stands at this cell. The
                    warden keeps its files meanwhile, see `warden`
            show    what a kernel does at the end of a cell, when all sections of a test have been run: figures that
                    are open are shown, and closed; the answer is that of a cell
            mark    remember what the notebook's names stand for at this cell; and
            recall  let them stand for that again, when the last cell has run and all outputs are closed. Neither of
                    these two is answered
            rest    nothing: it is answered when all before it is done
    files   write these into the home folder: what was handed in beside the notebook. Sent before any other, if at all
    ask     one operation on the notebook's objects, for a test whose code runs in the judge: see `objects`
"""

from __future__ import annotations

import contextlib
import os
import random
import resource
import socket
from pathlib import Path
from time import perf_counter
from typing import Any, NoReturn

from tito.sandbox.inside import rlimits
from tito.sandbox.inside.codec import NOTHING, Channel, CodecError, Encoder, EndOfStream, Packed
from tito.sandbox.inside.last_value import last_value_text, shown_text
from tito.sandbox.inside.objects import Objects
from tito.sandbox.inside.own_names import OwnNames
from tito.sandbox.inside.runner import Cell, CellTimeout, Shell, close_figures, run, time_limit
from tito.sandbox.inside.shared_resources import SharedResources
from tito.sandbox.inside.step_status import StepStatus
from tito.sandbox.inside.wire import more

LOOK_LIMIT_S = 2.0  # for turning the observed values of one step into plain data


class Server:
    """One process of a session: the notebook, or a branch of it.

    Args:
        branches: a descriptor for each branch that the grader may ask for, by its number.
        belongings: what a branch gives up when it is made, and takes up again when it is its turn. None: it keeps all.
    """

    def __init__(
        self,
        shell: Shell,
        channel: Channel,
        branches: dict[int, int],
        shared_resources: SharedResources | None = None,
    ) -> None:
        self.shell = shell
        self.channel = channel
        self.branches = branches
        self.shared_resources = shared_resources
        self.waits = False  # whether this is a branch, and it is not yet its turn
        self.objects = Objects(shell, time_limit, CellTimeout)
        self.own_names = OwnNames()
        self.marks: dict[int, tuple[dict[str, Any], OwnNames]] = {}
        self.fresh_kb = _peak_kb()
        channel.more = more
        shell.descriptors.open()

    def serve(self) -> NoReturn:
        """Answer requests until the grader hangs up; a branch goes on in the same loop on its own channel."""
        while True:
            try:
                request, values = self.channel.receive()
                if self.waits and self.shared_resources is not None:
                    self.shared_resources.take_up()
                self.waits = False
                if request["op"] == "ask":
                    self.objects.answer(self.channel, request, values)
                elif request["op"] == "files":
                    self.channel.send({"token": request["token"], "error": _bring_in(values)})
                else:
                    self._do(request, values)
            except (EndOfStream, CodecError, OSError):
                os._exit(0)

    def _do(self, request: dict[str, Any], codes: dict[str, Any]) -> None:
        """Do the steps of a request, in order. In a branch that is forked by one of them, the others are forgotten."""
        left_s = request["left_s"]
        for number, step in enumerate(request["steps"]):
            about = {"token": request["token"], "step": number}
            if step["op"] == "mark":
                self.marks[step["number"]] = dict(self.shell.user_ns), self.own_names.copied()
            elif step["op"] == "recall":
                self.shell.descriptors.close()
                names, self.own_names = self.marks[step["number"]]
                self.shell.user_ns.clear()
                self.shell.user_ns.update(names)
                close_figures(self.shell, request["limit_s"])  # of the test before
            elif step["op"] == "rest":
                self.channel.send(about | {"status": StepStatus.OK})
            elif left_s <= 0:
                self.channel.send(about | {"status": StepStatus.NOT_RUN})
            elif step["op"] == "branch":
                started = perf_counter()
                forked = self._branch(step["number"])
                if forked is None:
                    return
                seconds = perf_counter() - started  # a notebook of many files takes long to keep
                left_s -= seconds
                self.channel.send(about | {"status": StepStatus.OK if forked else StepStatus.ERROR, "seconds": seconds})
            elif step["op"] == "show":
                reply = run(self.shell, None, min(left_s, request["limit_s"]))
                left_s -= reply["seconds"]
                self._send(about | reply, NOTHING)
            else:
                reply, seen = self._run(step, codes.get(str(number)), min(left_s, request["limit_s"]))
                left_s -= reply["seconds"]
                self._send(about | reply, seen)

    def _send(self, reply: dict[str, Any], observed: Packed) -> None:
        """Answer; without outputs, where they cannot cross."""
        try:
            self.channel.send_packed(reply, observed)
        except CodecError:
            self.channel.send_packed(reply | {"outputs": []}, observed)

    def _run(self, step: dict[str, Any], code: Any, limit_s: float) -> tuple[dict[str, Any], Packed]:
        shell = self.shell
        tampered = shell.guard.restore() if step["guard"] and shell.guard else []
        cell = Cell(step["source"], *code, **step["cell"]) if "cell" in step else step["source"]
        section = isinstance(code, bytes)
        with self.own_names.at_work(shell.user_ns, *step["names"]) if section else contextlib.nullcontext():
            reply = run(shell, code if section else cell, limit_s) | {"tampered": tampered}
            ran_through = reply["status"] == StepStatus.OK
            seen, reply["refused"] = observe(shell, step["observe"]) if ran_through else (NOTHING, {})
            if ran_through and step["value"]:
                reply["value"] = _last_value(shell) if section else shown_text(reply["outputs"])
        return reply | {"memory_mb": max(0, _peak_kb() - self.fresh_kb) / 1024}, seen

    def _branch(self, number: int) -> bool | None:
        """Fork; None: this is the copy. Else whether there is one: a notebook that has too many processes gets none."""
        own, numbers = self.branches.pop(number), random.getstate()
        if self.shared_resources is not None:
            self.shared_resources.prepare(number, self.shell.loop)
        if (copy := _forked()) != 0:
            os.close(own)
            if self.shared_resources is not None:
                self.shared_resources.wait()
            return copy > 0
        random.setstate(numbers)  # which a fork would seed anew
        self.channel.close()
        for other in self.branches.values():
            os.close(other)
        self.shell.descriptors.close()
        self.channel, self.branches = Channel(socket.socket(fileno=own)), {}
        self.channel.more = more
        if self.shared_resources is not None:
            self.waits = True
            self.shared_resources.leave(number, own)
        return None


def _bring_in(files: dict[str, Any]) -> str:
    """Write files below the working folder, over none that are there; what went wrong, or ""."""
    try:
        for path, content in files.items():
            target = Path(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                file.write(content)
    except OSError as error:
        return f"{type(error).__name__}: {error.strerror}"
    return ""


def _forked() -> int:
    """What `os.fork` gives; -1: the kernel makes no process."""
    try:
        rlimits.allow_a_copy()
        return os.fork()
    except OSError:
        return -1


def observe(shell: Shell, names: list[str]) -> tuple[Packed, dict[str, str]]:
    """The plain values of `names`, and why the others cannot cross."""
    encoder, refused = Encoder(), {}
    left = list(reversed(names))
    try:
        with time_limit(LOOK_LIMIT_S):
            while left:
                name = left[-1]
                if name not in shell.user_ns:
                    refused[name] = "it was never set"
                else:
                    try:
                        encoder.put(name, shell.user_ns[name])
                    except CodecError as error:
                        refused[name] = str(error)
                    except Exception as error:  # noqa: BLE001  (a student's class may raise anything when looked at)
                        refused[name] = f"looking at it raised {type(error).__name__}"
                left.pop()
    except CellTimeout:
        refused |= dict.fromkeys(reversed(left), "looking at it takes too long")
    return encoder.packed(), refused


def _last_value(shell: Shell) -> str:
    """What a kernel would show of a test's last value; nothing where that takes too long."""
    with contextlib.suppress(CellTimeout), time_limit(LOOK_LIMIT_S):
        return last_value_text(shell.user_ns)
    return ""


def _peak_kb() -> int:
    """The most memory that this process has had, in KiB; a fork starts with what it has then. Needs no /proc."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
