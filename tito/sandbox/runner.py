"""Runs a notebook's cells inside the sandbox: the only code of ours that ever shares a process with a student's.

It is a small Jupyter kernel without sockets of its own: IPython's shell, one channel to the grader, one request
at a time. Nothing that it says is trusted; it holds no secret but the cell that it is told to run just now.

Requests (JSON, see `codec`):
    run     run one cell; answers with status, outputs, seconds, and the plain values of the names asked for
    branch  fork: the copy serves a channel of its own, with the notebook's state as it stands at this cell.
            Hidden tests are given to such copies, after the student's cells have all run and their outputs
            are closed, so that no cell can show what a test holds.

`zygote` starts it. It imports what the sandbox holds: the standard library, numpy, IPython, and `codec`.
"""

from __future__ import annotations

import base64
import builtins
import contextlib
import json
import os
import random
import resource
import signal
import socket
import sys
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any, NoReturn

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from tito.sandbox.codec import Channel, CodecError, Encoder, EndOfStream

LOOK_LIMIT_S = 2.0  # for turning one observed value into plain data
CUT_NOTE = "\n[output cut: this cell printed more than it may]\n"


class CellTimeout(BaseException):
    """Raised inside a cell at its time limit. A BaseException, so that `except Exception` does not swallow it."""


class StdinNotAvailable(RuntimeError):
    """A notebook that is graded has nobody to answer `input()`."""


class Outputs:
    """The outputs of one cell, in the notebook format, cut while they are produced."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit = limit_bytes
        self.reset()

    def reset(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.used = 0
        self.cut = False

    def stream(self, name: str, text: str) -> None:
        text = text[: max(0, self.limit - self.used)] if self._take(len(text)) else CUT_NOTE * (not self.cut)
        self.cut = self.cut or text == CUT_NOTE
        if not text:
            return
        if self.items and self.items[-1].get("name") == name and self.items[-1]["output_type"] == "stream":
            self.items[-1]["text"] += text
        else:
            self.items.append({"output_type": "stream", "name": name, "text": text})

    def add(self, item: dict[str, Any]) -> None:
        text = json.dumps(item, default=_jsonable)
        if self._take(len(text)):
            self.items.append(json.loads(text))
        else:
            self.stream("stderr", "")

    def _take(self, size: int) -> bool:
        self.used += size
        return self.used <= self.limit


class StreamWriter:
    """sys.stdout or sys.stderr of the notebook."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, name: str, outputs: Outputs) -> None:
        self.name = name
        self.outputs = outputs

    def write(self, text: str) -> int:
        self.outputs.stream(self.name, str(text))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        raise OSError("a notebook's output has no file descriptor")


class Shell(InteractiveShell):  # type: ignore[misc]
    """IPython's shell with its outputs gathered instead of printed."""

    outputs: Outputs
    system = InteractiveShell.system_piped

    def init_virtualenv(self) -> None:
        pass

    def enable_gui(self, gui: str | None = None) -> None:
        pass

    def _showtraceback(self, etype: type[BaseException], evalue: BaseException, stb: list[str]) -> None:
        error = {"output_type": "error", "ename": etype.__name__, "evalue": _text(evalue), "traceback": stb}
        self.outputs.add(error)


class RecordingHook(DisplayHook):  # type: ignore[misc]
    """The value of a cell's last expression becomes an execute_result."""

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:
        result = {"output_type": "execute_result", "data": format_dict, "metadata": md_dict or {}}
        self.shell.outputs.add(result | {"execution_count": self.shell.execution_count})

    def finish_displayhook(self) -> None:
        pass


class RecordingPublisher(DisplayPublisher):  # type: ignore[misc]
    """`display()` becomes display_data."""

    def publish(self, data: dict[str, Any], metadata: dict[str, Any] | None = None, **_: Any) -> None:
        item = {"output_type": "display_data", "data": data, "metadata": metadata or {}}
        self.shell.outputs.add(item)

    def clear_output(self, wait: bool = False) -> None:
        self.shell.outputs.reset()


def make_shell(output_bytes: int) -> Shell:
    """A shell as a fresh kernel has it, without history on disk."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    shell: Shell = Shell.instance(config=config, displayhook_class=RecordingHook, display_pub_class=RecordingPublisher)
    shell.outputs = Outputs(output_bytes)
    builtins.input = refuse_input
    sys.stdout, sys.stderr = StreamWriter("stdout", shell.outputs), StreamWriter("stderr", shell.outputs)
    return shell


def refuse_input(prompt: object = "") -> NoReturn:
    """`input()` in a notebook that is graded."""
    raise StdinNotAvailable("input() has nobody to answer it while a notebook is graded")


def stop_cell(signum: int, frame: FrameType | None) -> NoReturn:
    """Signal handler for a cell's time limit."""
    raise CellTimeout("the cell ran longer than it may")


@contextlib.contextmanager
def time_limit(limit_s: float) -> Iterator[None]:
    """Raise CellTimeout inside after `limit_s` seconds of wall time, and again every second: a bare `except:`
    may swallow it once, not for ever."""
    signal.signal(signal.SIGALRM, stop_cell)
    try:
        signal.setitimer(signal.ITIMER_REAL, limit_s, 1.0)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def run(shell: Shell, source: str, limit_s: float) -> dict[str, Any]:
    """Run one cell; return its status, error, outputs and wall time in seconds."""
    shell.outputs.reset()
    started = time.perf_counter()
    error: BaseException | None
    try:
        with time_limit(limit_s):
            result = shell.run_cell(source, store_history=True)
        error = result.error_before_exec or result.error_in_exec
    except BaseException as broken:  # noqa: BLE001  (the time limit, or a shell that student code has broken)
        error = broken
    return {
        "status": "ok" if error is None else "error",
        "ename": "" if error is None else type(error).__name__,
        "evalue": "" if error is None else _text(error),
        "outputs": shell.outputs.items,
        "seconds": time.perf_counter() - started,
    }


def observe(shell: Shell, names: list[str], encoder: Encoder) -> tuple[dict[str, Any], dict[str, str]]:
    """The plain values of `names`, encoded, and why the others cannot cross."""
    encoded, refused = {}, {}
    for name in names:
        if name not in shell.user_ns:
            refused[name] = "it was never set"
            continue
        try:
            with time_limit(LOOK_LIMIT_S):
                encoded[name] = encoder.encode(shell.user_ns[name])
        except CellTimeout:
            refused[name] = "looking at it takes too long"
        except CodecError as error:
            refused[name] = str(error)
        except Exception as error:  # noqa: BLE001  (a student's own class may raise anything when it is looked at)
            refused[name] = f"looking at it raised {type(error).__name__}"
    return encoded, refused


def serve(shell: Shell, channel: Channel, branches: dict[int, int]) -> NoReturn:
    """Answer requests until the grader hangs up; a branch goes on in the same loop on its own channel.

    Args:
        branches: a descriptor for each branch that the grader may ask for, by its number.
    """
    fresh_kb = _peak_kb()
    while True:
        try:
            request, _ = channel.receive()
        except (EndOfStream, CodecError, OSError):
            os._exit(0)
        if request["op"] == "branch":
            own, numbers = branches.pop(request["number"]), random.getstate()
            if os.fork() == 0:
                random.setstate(numbers)  # which a fork would seed anew
                channel.close()
                for other in branches.values():
                    os.close(other)
                channel, branches = Channel(socket.socket(fileno=own)), {}
                continue
            os.close(own)
            channel.send({"token": request["token"], "status": "ok"})
            continue
        reply = run(shell, request["source"], request["limit_s"])
        encoder = Encoder()
        encoded, reply["refused"] = observe(shell, request["observe"], encoder) if reply["status"] == "ok" else ({}, {})
        reply |= {"token": request["token"], "memory_mb": max(0, _peak_kb() - fresh_kb) / 1024}
        try:
            channel.send_encoded(reply, encoded, encoder)
        except CodecError:
            channel.send(reply | {"outputs": []})


def _peak_kb() -> int:
    """The most memory that this process has had, in KiB; a fork starts with what it has then. Needs no /proc."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _jsonable(value: object) -> str:
    """Images arrive as bytes and belong in a notebook as base64; anything else that JSON lacks, as its repr."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else repr(value)


def _text(error: BaseException) -> str:
    try:
        return str(error)[:4000]
    except Exception:  # noqa: BLE001  (a student's exception may fail to print)
        return "(this exception cannot be printed)"
