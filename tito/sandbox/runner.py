"""Runs a notebook's cells inside the sandbox: the only code of ours that ever shares a process with a student's.

It is a small Jupyter kernel without sockets of its own: IPython's shell, one channel to the grader, one request
at a time. Nothing that it says is trusted; it holds no secret but the cell that it is told to run just now.

Requests (JSON, see `codec`):
    run     run one cell, or a section of a test in plain Python; answers with status, outputs, seconds, and the plain
            values of the names asked for. With `guard`, what its asserts rely on is first put back as it was
    ask     one operation on the notebook's objects, for a test whose code runs in the judge: see `objects`
    branch  fork: the copy serves a channel of its own, with the notebook's state as it stands at this cell.
            Hidden tests are given to such copies, after the student's cells have all run and their outputs
            are closed, so that no cell can show what a test holds.

    mark    remember what the notebook's names stand for at this cell; and
    recall  let them stand for that again, when the last cell has run and all outputs are closed. Neither is answered.

`zygote` starts it. It imports what the sandbox holds: the standard library, numpy, IPython, and `codec`.
"""

from __future__ import annotations

import _sitebuiltins
import ast
import asyncio
import base64
import builtins
import contextlib
import io
import json
import linecache
import os
import random
import resource
import selectors
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from time import process_time
from types import FrameType
from typing import IO, Any, NoReturn

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from tito.sandbox.codec import PATIENCE, Channel, CodecError, Encoder, EndOfStream
from tito.sandbox.guard import Guard
from tito.sandbox.objects import Objects
from tito.sandbox.wire import more

AT_WORK = 0.1  # of the time by the clock: a cell that has used less of a processor than that waits for something else
LOOK_LIMIT_S = 2.0  # for turning one observed value into plain data
LIVE_FIGURES = ("notebook", "nbagg")
KERNEL_MAGICS = ("autosave", "clear", "connect_info", "less", "man", "more", "qtconsole")  # do nothing here
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
        self.named: dict[str, dict[str, Any]] = {}  # by display id: what `update_display` changes
        self.used = 0
        self.cut = self.clear_first = False

    def clear(self, wait: bool) -> None:
        """`clear_output()`; with `wait`, when something comes to take the place."""
        if wait:
            self.clear_first = True
        else:
            self.items, self.named, self.clear_first = [], {}, False

    def stream(self, name: str, text: str) -> None:
        if self.clear_first:
            self.clear(wait=False)
        text = text[: max(0, self.limit - self.used)] if self._take(len(text)) else CUT_NOTE * (not self.cut)
        self.cut = self.cut or text == CUT_NOTE
        if not text:
            return
        if self.items and self.items[-1].get("name") == name and self.items[-1]["output_type"] == "stream":
            self.items[-1]["text"] += text
        else:
            self.items.append({"output_type": "stream", "name": name, "text": text})

    def add(self, item: dict[str, Any], display_id: str = "", update: bool = False) -> None:
        """Add an output; or change the one of that display id, where this cell has it."""
        if self.clear_first:
            self.clear(wait=False)
        text = json.dumps(item, default=_jsonable)
        if not self._take(len(text)):
            self.stream("stderr", "")
        elif update and display_id in self.named:
            self.named[display_id].update(json.loads(text))
        else:
            self.items.append(json.loads(text))
            if display_id:
                self.named[display_id] = self.items[-1]

    def _take(self, size: int) -> bool:
        self.used += size
        return self.used <= self.limit


class StreamWriter(io.TextIOBase):
    """sys.stdout or sys.stderr of the notebook."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, name: str, outputs: Outputs) -> None:
        self.name = name
        self.outputs = outputs

    def write(self, text: str) -> int:
        self.outputs.stream(self.name, str(text))
        return len(text)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1 if self.name == "stdout" else 2


class Shell(InteractiveShell):  # type: ignore[misc]
    """IPython's shell with its outputs gathered instead of printed."""

    outputs: Outputs
    descriptors: Descriptors
    loop: asyncio.AbstractEventLoop | None = None
    guard: Guard | None = None  # only where there are tests that run beside student code
    system = InteractiveShell.system_piped

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._transformers = self._all_transformers()
        self._shown: list[str] = []  # the traceback that was shown last

    def has_transformers(self) -> bool:
        """Whether a cell has added input transformers to IPython's own, or taken some away."""
        return self._all_transformers() != self._transformers

    def _all_transformers(self) -> list[Any]:
        manager = self.input_transformer_manager
        return [*manager.cleanup_transforms, *manager.line_transforms, *manager.token_transformers,
                *self.input_transformers_post]  # fmt: skip

    def init_virtualenv(self) -> None:
        pass

    def enable_gui(self, gui: str | None = None) -> None:
        pass

    def enable_matplotlib(self, gui: str | None = None) -> Any:
        """Figures that a browser would make live are drawn inline."""
        return super().enable_matplotlib("inline" if gui in LIVE_FIGURES else gui)

    def run_line_magic(self, magic_name: str, line: str, _stack_depth: int = 1) -> Any:
        """`%config InlineBackend` works before matplotlib is imported, which it then is: a notebook without figures
        does not pay for them."""
        if magic_name == "config":
            with contextlib.suppress(ImportError):  # there is no matplotlib, then
                from matplotlib_inline.config import InlineBackend

                backend = InlineBackend.instance(parent=self, shell=self)
                self.configurables += [backend] * (backend not in self.configurables)
        return super().run_line_magic(magic_name, line, _stack_depth + 1)

    def _format_exception_for_storage(self, exception: BaseException, *_: Any, **__: Any) -> dict[str, Any]:
        """What `%notebook` writes of it: as it was shown. Formatting it anew takes longer than the cell."""
        return {"ename": type(exception).__name__, "evalue": _text(exception), "traceback": self._shown}

    def _showtraceback(self, etype: type[BaseException], evalue: BaseException, stb: list[str]) -> None:
        self._shown = stb
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

    def publish(
        self,
        data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        *,
        transient: dict[str, Any] | None = None,
        update: bool = False,
        **_: Any,
    ) -> None:
        item = {"output_type": "display_data", "data": data, "metadata": metadata or {}}
        self.shell.outputs.add(item, str((transient or {}).get("display_id", "")), update)

    def clear_output(self, wait: bool = False) -> None:
        self.shell.outputs.clear(wait)


def make_shell(output_bytes: int) -> Shell:
    """A shell as a fresh kernel has it, without history on disk."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    shell: Shell = Shell.instance(config=config, displayhook_class=RecordingHook, display_pub_class=RecordingPublisher)
    shell.outputs, shell.descriptors = Outputs(output_bytes), Descriptors()
    shell.set_hook("show_in_pager", lambda *_, **__: None)  # a kernel's pages are no outputs
    for name in KERNEL_MAGICS:
        shell.register_magic_function(lambda line="": None, "line", name)
    builtins.input = refuse_input
    builtins.help = _sitebuiltins._Helper()  # which `site` would have put there
    sys.breakpointhook = lambda *_, **__: None  # there is nobody to debug
    sys.stdout, sys.stderr = StreamWriter("stdout", shell.outputs), StreamWriter("stderr", shell.outputs)
    return shell


REHEARSAL = (
    "def one(number: int = 1) -> int:\n    print(number)\n    return number\n\none()\n",
    "%precision\n",
    "def none() -> None:\n    raise ValueError\n\nnone()\n",
)


def rehearse() -> None:
    """Run cells in a shell that is thrown away, before the one that is forked is made: what IPython and Python make
    when they are first used is then made once for all notebooks."""
    shell = make_shell(1 << 10)
    for source in REHEARSAL:
        run(shell, source, LOOK_LIMIT_S)
    assert shell.loop is not None
    shell.loop.close()
    asyncio.set_event_loop(None)
    for kept in (shell.history_manager.outputs, shell.history_manager.exceptions):  # by the class, for all shells
        kept.clear()
    Shell.clear_instance()
    linecache.clearcache()
    for name in ("last_exc", "last_type", "last_value", "last_traceback"):
        if hasattr(sys, name):
            delattr(sys, name)


def refuse_input(prompt: object = "") -> NoReturn:
    """`input()` in a notebook that is graded."""
    raise StdinNotAvailable("input() has nobody to answer it while a notebook is graded")


def stop_cell(signum: int, frame: FrameType | None) -> NoReturn:
    """Signal handler for a cell's time limit."""
    raise CellTimeout("the cell ran longer than it may")


@contextlib.contextmanager
def time_limit(limit_s: float) -> Iterator[None]:
    """Raise CellTimeout inside after `limit_s` seconds of this process's processor time, or as many by the clock.

    On a machine that is busy with others, what is at work has up to PATIENCE times as long by the clock. It is raised
    again every second: a bare `except:` may swallow it once, not for ever.
    """
    used = process_time()

    def look(signum: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGALRM, stop_cell)
        if process_time() - used < AT_WORK * limit_s:
            stop_cell(signum, frame)
        signal.setitimer(signal.ITIMER_REAL, limit_s * (PATIENCE - 1), 1.0)

    signal.signal(signal.SIGPROF, stop_cell)
    signal.signal(signal.SIGALRM, look)
    try:
        signal.setitimer(signal.ITIMER_PROF, limit_s, 1.0)
        signal.setitimer(signal.ITIMER_REAL, limit_s, 1.0)
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


def run(shell: Shell, source: str, limit_s: float, plain: bool = False) -> dict[str, Any]:
    """Run one cell; return its status, error, outputs and wall time in seconds.

    A `plain` one goes to Python itself and not through IPython: nothing of it is displayed, and no traceback is made.
    """
    shell.outputs.reset()
    started = time.perf_counter()
    error: BaseException | None
    try:
        with time_limit(limit_s):
            error = (run_plain if plain else run_in_ipython)(shell, source)
    except BaseException as broken:  # noqa: BLE001  (the time limit, or a shell that student code has broken)
        error = broken
    shell.descriptors.collect(shell.outputs)
    return {
        "status": "ok" if error is None else "error",
        "ename": "" if error is None else type(error).__name__,
        "evalue": "" if error is None else _text(error),
        "outputs": shell.outputs.items,
        "seconds": time.perf_counter() - started,
    }


def run_in_ipython(shell: Shell, source: str) -> BaseException | None:
    """Run a cell while an event loop runs, as in a kernel: one loop for all cells, in which their tasks go on.

    Returns what it raised.
    """
    if shell.loop is None or shell.loop.is_closed():
        # Not epoll, whose state a branch would share.
        shell.loop = asyncio.SelectorEventLoop(selectors.PollSelector())
        asyncio.set_event_loop(shell.loop)
    task = shell.loop.create_task(_in_loop(shell, source))
    try:
        result = shell.loop.run_until_complete(task)
    except CellTimeout:
        task.cancel()
        raise
    error: BaseException | None = result.error_before_exec or result.error_in_exec
    return error


async def _in_loop(shell: Shell, source: str) -> Any:
    """Run a cell, awaiting what it awaits.

    IPython tokenizes a cell twice to find magics in it, which takes longer than most cells. Several lines that are
    Python as they stand have none; they are not looked through, where no transformer of the student's waits for them.
    """
    ready = source
    if shell.has_transformers() or "\n" not in source.strip() or not is_python(source):
        if "await" not in source and "async" not in source:
            return shell.run_cell(source, store_history=True)
        try:
            ready = shell.transform_cell(source)
        except SyntaxError:
            return shell.run_cell(source, store_history=True)
        if not shell.should_run_async(source, transformed_cell=ready):
            return shell.run_cell(source, store_history=True)
    result = None
    try:
        result = await shell.run_cell_async(source, store_history=True, transformed_cell=ready)
    finally:
        shell.events.trigger("post_execute")  # where figures are shown; `run_cell` does it itself
        shell.events.trigger("post_run_cell", result)
    return result


def is_python(source: str) -> bool:
    """Whether Python can read it as it stands."""
    try:
        compile(source, "<cell>", "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def run_plain(shell: Shell, source: str) -> BaseException | None:
    """Run plain Python in the notebook's namespace. Figures that it leaves are shown here, and not by the next cell."""
    try:
        exec(compile(source, "<test>", "exec", dont_inherit=True), shell.user_ns)
    except BaseException as error:  # noqa: BLE001  (whatever student code raises is told, not acted on)
        return error
    finally:
        shell.events.trigger("post_execute")
    return None


class Descriptors:
    """What is written to the file descriptors 1 and 2 themselves, as by `os.system`: outputs of the cell too."""

    def __init__(self) -> None:
        self.files: dict[str, IO[bytes]] = {}

    def open(self) -> None:
        """Let 1 and 2 lead to files of this process's session, which have no name."""
        for name, number in (("stdout", 1), ("stderr", 2)):
            with contextlib.suppress(OSError):
                self.files[name] = tempfile.TemporaryFile("a+b", buffering=0)  # noqa: SIM115  (open as long as the process)
                os.dup2(self.files[name].fileno(), number)

    def close(self) -> None:
        """Let them lead nowhere: a branch must not write where the notebook can read."""
        self.files.clear()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in (1, 2):
            os.dup2(nowhere, number)
        os.close(nowhere)

    def collect(self, outputs: Outputs) -> None:
        """Add what was written since."""
        for name, file in self.files.items():
            with contextlib.suppress(OSError, ValueError):
                if size := os.fstat(file.fileno()).st_size:
                    text = os.pread(file.fileno(), min(size, outputs.limit + 1), 0)
                    os.ftruncate(file.fileno(), 0)
                    outputs.stream(name, text.decode(errors="replace"))


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
    objects = Objects(shell, time_limit)
    channel.more = more
    marks: dict[int, dict[str, Any]] = {}
    fresh_kb = _peak_kb()
    shell.descriptors.open()
    while True:
        try:
            request, values = channel.receive()
            if request["op"] == "ask":
                objects.answer(channel, request, values)
                continue
        except (EndOfStream, CodecError, OSError):
            os._exit(0)
        if request["op"] == "mark":
            marks[request["number"]] = dict(shell.user_ns)
            continue
        if request["op"] == "recall":
            shell.descriptors.close()
            shell.user_ns.clear()
            shell.user_ns.update(marks[request["number"]])
            continue
        if request["op"] == "branch":
            own, numbers = branches.pop(request["number"]), random.getstate()
            if os.fork() == 0:
                random.setstate(numbers)  # which a fork would seed anew
                channel.close()
                for other in branches.values():
                    os.close(other)
                shell.descriptors.close()
                channel, branches = Channel(socket.socket(fileno=own)), {}
                channel.more = more
                continue
            os.close(own)
            channel.send({"token": request["token"], "status": "ok"})
            continue
        tampered = shell.guard.restore() if request["guard"] and shell.guard else []
        reply = run(shell, request["source"], request["limit_s"], request["plain"]) | {"tampered": tampered}
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
