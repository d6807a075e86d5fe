"""Runs a notebook's cells inside the sandbox, as a kernel would: IPython's shell, with its outputs gathered.

With `server`, `outputs` and `objects` it is the only code of ours that ever shares a process with a student's.
`zygote` starts it. It imports what the sandbox holds: the standard library, numpy and IPython.
"""

from __future__ import annotations

import _sitebuiltins
import ast
import asyncio
import builtins
import contextlib
import linecache
import marshal
import selectors
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter, process_time
from types import FrameType
from typing import Any, NoReturn

from IPython.core.events import EventManager, available_events
from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult, InteractiveShell
from traitlets.config import Config

from tito.sandbox.inside.codec import AT_WORK, PATIENCE
from tito.sandbox.inside.guard import Guard
from tito.sandbox.inside.outputs import Descriptors, Outputs, RecordingHook, RecordingPublisher, StreamWriter
from tito.sandbox.inside.own_names import name_pythons
from tito.sandbox.inside.step_status import StepStatus

LIVE_FIGURES = ("notebook", "nbagg")
KERNEL_MAGICS = ("autosave", "clear", "connect_info", "less", "man", "more", "qtconsole")  # do nothing here
REHEARSAL_S = 5.0
PYPLOT = "matplotlib.pyplot"
CANCEL_S = 0.5  # for what a cell that was stopped does when its task is cancelled
OVERRIDABLE = (
    "run_cell",
    "_run_cell",
    "run_cell_async",
    "run_ast_nodes",
    "run_code",
    "transform_cell",
    "transform_ast",
)


class CellTimeout(BaseException):
    """Raised inside a cell at its time limit. A BaseException, so that `except Exception` does not swallow it."""


class StdinNotAvailable(RuntimeError):
    """A notebook that is graded has nobody to answer `input()`."""


class Events(EventManager):  # type: ignore[misc]  # IPython ships no types
    """IPython's events, of which pyplot hears last: it draws all figures that are open, and those that have been shown
    are closed by then. Drawn for nobody they took as long as shown."""

    def register(self, event: str, function: Callable[..., Any]) -> None:
        super().register(event, function)
        self.callbacks[event].sort(key=lambda callback: getattr(callback, "__module__", "") == PYPLOT)


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
        self._flags = self.compile.flags
        self._machinery = self._all_machinery()
        self._shown: list[str] = []  # the traceback that was shown last

    def has_transformers(self) -> bool:
        """Whether a cell has added input transformers to IPython's own, or taken some away."""
        return self._all_transformers() != self._transformers

    def _all_transformers(self) -> list[Any]:
        manager = self.input_transformer_manager
        return [*manager.cleanup_transforms, *manager.line_transforms, *manager.token_transformers,
                *self.input_transformers_post]  # fmt: skip

    def _all_machinery(self) -> list[Any]:
        """What runs a cell in IPython, and may be replaced by student code."""
        own = [name for name in OVERRIDABLE if name in vars(self)]
        return [*own, *(getattr(cls, name) for cls in (Shell, InteractiveShell) for name in OVERRIDABLE)]

    def is_as_it_was(self, flags: int) -> bool:
        """Whether IPython would run a cell without magics as `run_compiled` does, with these flags of __future__."""
        return (
            self.compile.flags == self._flags | flags
            and not (self.ast_transformers or self.custom_exceptions or self.has_transformers())
            and self.ast_node_interactivity == "last_expr"
            and self._all_machinery() == self._machinery
        )

    def run_compiled(self, cell: Cell) -> BaseException | None:
        """What `run_cell` does with a cell, but for the looking for magics, the parsing and the compiling.

        Returns what it raised.
        """
        number = self.execution_count
        result = ExecutionResult(ExecutionInfo(cell.source, True, False, True, None, transformed_cell=cell.source))
        result.execution_count = number
        self.execution_count += 1
        try:
            self.events.trigger("pre_execute")
            self.events.trigger("pre_run_cell", result.info)
            self.history_manager.store_inputs(number, cell.source, cell.source)
            self.logger.log(cell.source, cell.source)
            lines = [line + "\n" for line in cell.source.splitlines()]
            linecache.cache[cell.name] = (len(cell.source), None, lines, cell.name)
            self.compile._filename_map[cell.name] = number
            self.compile.flags |= cell.sets
            with self.builtin_trap, self.display_trap, self._loop_running():
                self.displayhook.exec_result = result
                failed = any(self._run_code(code, result) for code in (cell.statements, cell.last) if code)
                self.displayhook.exec_result = None
            self.last_execution_succeeded, self.last_execution_result = not failed, result
            self.history_manager.store_output(number)
            if result.error_in_exec:
                stored = self._format_exception_for_storage(result.error_in_exec)
                self.history_manager.exceptions[number] = stored
        finally:
            self.events.trigger("post_execute")
            self.events.trigger("post_run_cell", result)
        error: BaseException | None = result.error_in_exec
        return error

    def _run_code(self, code: bytes, result: ExecutionResult) -> bool:
        """Whether it raised."""
        running = self.run_code(marshal.loads(code), result)
        try:
            running.send(None)
        except StopIteration as end:
            return bool(end.value)
        raise AssertionError("code without an await has waited")

    @contextlib.contextmanager
    def _loop_running(self) -> Iterator[None]:
        """What runs in here finds the event loop at work, as in a kernel; after it the loop goes on with its tasks."""
        loop = self.event_loop()
        asyncio._set_running_loop(loop)
        try:
            yield
        finally:
            asyncio._set_running_loop(None)
            if asyncio.all_tasks(loop):
                loop.call_soon(loop.stop)
                loop.run_forever()

    def event_loop(self) -> asyncio.AbstractEventLoop:
        """The loop of this process."""
        if self.loop is None or self.loop.is_closed():
            # Not epoll, whose state a branch would share.
            self.loop = asyncio.SelectorEventLoop(selectors.PollSelector())
            asyncio.set_event_loop(self.loop)
        return self.loop

    def init_events(self) -> None:
        self.events = Events(self, available_events)
        self.events.register("pre_execute", self._clear_warning_registry)

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
        return {"ename": type(exception).__name__, "evalue": text_of(exception), "traceback": self._shown}

    def _showtraceback(self, etype: type[BaseException], evalue: BaseException, stb: list[str]) -> None:
        self._shown = stb
        error = {"output_type": "error", "ename": etype.__name__, "evalue": text_of(evalue), "traceback": stb}
        self.outputs.add(error)


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
    name_pythons()
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
        run(shell, source, REHEARSAL_S)
    assert shell.loop is not None
    shell.loop.close()
    asyncio.set_event_loop(None)
    for remembered in (shell.history_manager.outputs, shell.history_manager.exceptions):  # by the class, for all shells
        remembered.clear()
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


@dataclass(frozen=True)
class Cell:
    """A cell that was compiled by whoever sent it, see `CompiledCell`."""

    source: str
    statements: bytes
    last: bytes
    name: str
    flags: int
    sets: int


def run(shell: Shell, cell: str | Cell | bytes | None, limit_s: float) -> dict[str, Any]:
    """Run one cell; return its status, error, outputs and wall time in seconds.

    Marshalled code is run by Python itself, as a part of a cell: nothing of it is displayed, and no traceback is made.
    None: the end of a cell that was run in parts, where figures that it has left open are shown and closed.
    """
    shell.outputs.reset()
    started = perf_counter()
    error: BaseException | None
    try:
        with time_limit(limit_s):
            if cell is None:
                error = shell.events.trigger("post_execute")
            elif isinstance(cell, bytes):
                error = run_plain(shell, cell)
            elif isinstance(cell, Cell) and shell.is_as_it_was(cell.flags):
                error = shell.run_compiled(cell)
            else:
                error = run_in_ipython(shell, cell if isinstance(cell, str) else cell.source)
    except BaseException as broken:  # noqa: BLE001  (the time limit, or a shell that student code has broken)
        error = broken
    shell.descriptors.collect(shell.outputs)
    return {
        "status": _status_of(error),
        "ename": "" if error is None else type(error).__name__,
        "evalue": "" if error is None else text_of(error),
        "outputs": shell.outputs.items,
        "seconds": perf_counter() - started,
    }


def _status_of(error: BaseException | None) -> StepStatus:
    if error is None:
        return StepStatus.OK
    return StepStatus.STOPPED if isinstance(error, CellTimeout) else StepStatus.ERROR


def run_in_ipython(shell: Shell, source: str) -> BaseException | None:
    """Run a cell while an event loop runs, as in a kernel: one loop for all cells, in which their tasks go on.

    Returns what it raised.
    """
    loop = shell.event_loop()
    task = loop.create_task(_in_loop(shell, source))
    try:
        result = loop.run_until_complete(task)
    except CellTimeout as stopped:
        _end_task(shell, task, stopped)
        raise
    error: BaseException | None = result.error_before_exec or result.error_in_exec
    return error


def _end_task(shell: Shell, task: asyncio.Task[Any], stopped: CellTimeout) -> None:
    """End a cell that waits for what never comes, while its outputs are gathered: else the next cell would show how it
    ended. What stands under it is why it was stopped, in the place of how its task was cancelled."""
    before = len(shell.outputs.items)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        shell.event_loop().run_until_complete(asyncio.wait([task], timeout=CANCEL_S))
    shell.outputs.items[before:] = [item for item in shell.outputs.items[before:] if item["output_type"] != "error"]
    shell.showtraceback((CellTimeout, stopped, None))


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


def run_plain(shell: Shell, code: bytes) -> BaseException | None:
    """Run plain Python in the notebook's namespace."""
    try:
        exec(marshal.loads(code), shell.user_ns)
    except BaseException as error:  # noqa: BLE001  (whatever student code raises is told, not acted on)
        return error
    return None


def close_figures(shell: Shell, limit_s: float) -> None:
    """What the end of a cell does with figures, but for the pictures, which nobody will see."""
    with contextlib.suppress(Exception):  # a formatter that student code has put there
        formatter = shell.display_formatter
        own, formatter.format = formatter.format, lambda *_, **__: ({}, {})
        run(shell, None, limit_s)
        formatter.format = own


def text_of(error: BaseException) -> str:
    try:
        return str(error)[:4000]
    except Exception:  # noqa: BLE001  (a student's exception may fail to print)
        return "(this exception cannot be printed)"
