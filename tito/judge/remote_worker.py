"""In the judge: runs the code of tests that have no judge half. What is the notebook's is a proxy.

A test runs in a fork of the judge, so that nothing that it does to modules outlives it, and nothing that it holds.
Where it looks at files, the judge's folder is kept like the notebook's while it runs; then it is as it was.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import os
import resource
import signal
import time
from collections.abc import Iterable, MutableMapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any, NoReturn

from tito.judge.call_sites import MARK, look_through
from tito.judge.mocks import patch_the_notebook_too
from tito.judge.not_run import refuse_to_run
from tito.judge.proxy_channel import Ended, ProxyChannel, Transport
from tito.judge.replay import Recording, Replay
from tito.judge.seeding import count_seeds, draws_put_back
from tito.judge.worker import compiled
from tito.sandbox.inside.codec import Channel, EndOfStream
from tito.sandbox.inside.last_value import LAST_VALUE, last_value_text, number_in
from tito.sandbox.inside.mirrored_files import MirroredFiles
from tito.sandbox.inside.step_status import StepStatus

GIVEN = f"{MARK}given>"
BUILTINS = frozenset(dir(builtins))
MOCKS = "unittest"
OPEN = "open"  # files that the notebook has are opened there
NOT_THE_NOTEBOOKS = ("get_ipython", "exit", "quit", "In", "Out")


class TestTimeout(BaseException):
    """Raised inside a test at its time limit."""

    __test__ = False


@dataclass(frozen=True)
class JudgeFolder:
    """The folder that tests run in, and where the files lie that it has had from the beginning."""

    path: str
    originals: str

    def restore(self) -> None:
        """Make it what it was."""
        MirroredFiles(self.path).restore(self.originals)


class Namespace(dict[str, Any]):
    """The names of a test: its own, the instructor's, Python's; all others are asked of the notebook.

    A name that functions of the notebook read is the notebook's, wherever the test sets it; but for what the test
    imports once more, as the notebook has it. What it imports of `modules` is the notebook's too, and so is what there
    is to import nowhere else.
    """

    def __init__(
        self,
        proxy_channel: ProxyChannel,
        imports: dict[str, Any],
        notebook: frozenset[str],
        mirrored: frozenset[str],
        modules: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(__name__="__main__", __builtins__=vars(builtins) | {"__import__": self._import})
        self.modules = modules
        self.proxy_channel = proxy_channel
        self.imports = imports
        self.notebook = notebook
        self.mirrored = mirrored
        self.replaced: set[str] = set()  # of these, what the test has set

    def _import(
        self, name: str, globals: Any = None, locals: Any = None, fromlist: Sequence[str] = (), level: int = 0
    ) -> Any:
        """Instead of Python's own `__import__`, in code of the test."""
        root = name.partition(".")[0]
        if root not in self.modules or level:
            try:
                module = builtins.__import__(name, globals, locals, fromlist, level)
                if root == MOCKS:
                    patch_the_notebook_too(self.proxy_channel, self)
                return module
            except ModuleNotFoundError as error:
                if error.name not in (name, root) or level:
                    raise
        module = self.proxy_channel.ask("import", name=name)
        return module if fromlist or name == root else self.proxy_channel.ask("import", name=root)

    def __missing__(self, name: str) -> Any:
        if name in self.imports and name not in self.notebook:
            return self.imports[name]
        if (name in BUILTINS and name not in self.notebook) or name.startswith("_") or name in NOT_THE_NOTEBOOKS:
            raise KeyError(name)
        try:
            return self.proxy_channel.ask("name", name=name)
        except KeyError:
            if name != OPEN:
                raise
            return self.proxy_channel.ask("import", name=builtins.__name__).open

    def __setitem__(self, name: str, value: Any) -> None:
        if name in self.mirrored and (name in self.replaced or self.imports.get(name) is not value):
            self.replaced.add(name)
            self.proxy_channel.ask("set name", arguments=(value,), name=name)
            super().pop(name, None)
        else:
            super().__setitem__(name, value)

    def __delitem__(self, name: str) -> None:
        if super().__contains__(name):
            super().__delitem__(name)
        else:
            self.proxy_channel.ask("delete name", name=name)

    def __contains__(self, name: object) -> bool:
        if super().__contains__(name) or not isinstance(name, str):
            return super().__contains__(name)
        try:
            self.__missing__(name)
        except KeyError:
            return False
        return True

    def last_value(self) -> str:
        """The text of what a section has kept as the test's last value."""
        own = {LAST_VALUE: super().__getitem__(LAST_VALUE)} if super().__contains__(LAST_VALUE) else {}
        return last_value_text(own)

    # A dict's own look past the methods above: `globals().get("name")` would find no name of the notebook's.
    get = MutableMapping.get  # type: ignore[assignment]
    setdefault = MutableMapping.setdefault
    update = MutableMapping.update
    pop = MutableMapping.pop


def run_test(channel: Channel, request: dict[str, Any], folder: JudgeFolder) -> None:
    """Run the sections of one test as they come, each in what the ones before it left, until there are no more."""
    refuse_to_run(folder.path)
    count_seeds()
    recording = Recording(channel)
    names = _names(recording, request, folder)
    fault = _given(request["given"], names)
    run: list[dict[str, Any]] = []
    while True:
        section, _ = channel.receive()
        if section["op"] == "end":
            return
        run.append(section)
        started = time.monotonic()
        done = fault or _run(section, names)
        if done["status"] is StepStatus.OK and names.proxy_channel.not_believed:
            replayed = _replayed(recording, request, run, started + section["limit_s"], folder)
            done = replayed if replayed and _is_worse(replayed, done) else done
        channel.send({"done": done, "sites": sorted(names.proxy_channel.shown)})


def _names(line: Transport, request: dict[str, Any], folder: JudgeFolder, *, believes: bool = False) -> Namespace:
    sites = None if request["sites"] is None else frozenset(request["sites"])
    files = MirroredFiles(folder.path, with_wal=False) if request["files"] else None
    proxy_channel = ProxyChannel(line, sites, request["keep"], believes=believes, files=files)
    proxy_channel.processor_time.put_in_place()
    sets = (frozenset(request[name]) for name in ("notebook", "mirrored", "modules"))
    names = Namespace(proxy_channel, imported(request["imports"]), *sets)
    patch_the_notebook_too(proxy_channel, names)
    return names


def _replayed(
    recording: Recording,
    request: dict[str, Any],
    sections: list[dict[str, Any]],
    end: float,
    folder: JudgeFolder,
) -> dict[str, Any] | None:
    """What comes of it where the notebook is believed what it says of arguments; None: that cannot be told."""
    if not recording.is_whole:
        return None
    if request["files"]:
        folder.restore()
    replay = Replay(recording)
    with draws_put_back():
        names = _names(replay, request, folder, believes=True)
        done = _given(request["given"], names)
        for section in sections:
            left_s = end - time.monotonic()
            if left_s <= 0:
                return None
            if not done or done["status"] is StepStatus.OK:
                done = _run(section | {"limit_s": left_s}, names)
    return None if replay.is_other or not done or done["status"] is StepStatus.STOPPED else done


def _is_worse(replayed: dict[str, Any], done: dict[str, Any]) -> bool:
    """Whether it earns less: it failed, or gives a smaller number of points."""
    if replayed["status"] is not StepStatus.OK:
        return True
    numbers = number_in(replayed["value"]), number_in(done["value"])
    return numbers[0] is not None and (numbers[1] is None or numbers[0] < numbers[1])


def _given(source: str, names: Namespace) -> dict[str, Any]:
    """What the instructor's own cells define. The notebook has it already and is told nothing: no section is at work
    yet, in which it would answer. What fails here is the test's fault."""
    mirrored, names.mirrored = names.mirrored, frozenset()
    try:
        exec(compiled(source, GIVEN), names)
    except (Exception, Ended) as error:  # noqa: BLE001  (whatever the instructor's code raises)
        return _done(error)
    finally:
        names.mirrored = mirrored
    return {}


def _run(section: dict[str, Any], names: Namespace) -> dict[str, Any]:
    """Run a section. Where it was stopped, or can ask nothing more, it has not passed, whatever it made of that."""
    proxy_channel, stopped = names.proxy_channel, []

    def stop(signum: int, frame: FrameType | None) -> NoReturn:
        stopped.append(TestTimeout())
        raise stopped[0]

    signal.signal(signal.SIGALRM, stop)
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime + section["limit_s"]) + 2  # where Python's own signals do not reach
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    try:
        code = compiled(section["source"], f"{MARK}{section['number']}>")
        signal.setitimer(signal.ITIMER_REAL, section["limit_s"], 1.0)
        with (
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            proxy_channel.sites.counted(),
        ):
            proxy_channel.start_with_files()
            exec(code, names)
    except BaseException as error:  # noqa: BLE001  (the test's edge: whatever it raises is what came of it)
        return _done(stopped[0] if stopped else Ended(proxy_channel.over) if proxy_channel.over else error)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if stopped or proxy_channel.over:
        return _done(stopped[0] if stopped else Ended(proxy_channel.over))
    return {"status": StepStatus.OK, "ename": "", "evalue": "", "value": names.last_value()}


def _done(error: BaseException) -> dict[str, Any]:
    if isinstance(error, Ended):
        why = f"This test could not go on: {error}."
        return {"status": StepStatus.ERROR, "ename": AssertionError.__name__, "evalue": why, "value": ""}
    status = StepStatus.STOPPED if isinstance(error, TestTimeout) else StepStatus.ERROR
    try:
        text = str(error)[:4000]
    except (Exception, Ended):  # noqa: BLE001  (an error whose text holds what a student's own class prints)
        text = ""
    evalue = text.encode("utf-8", "replace").decode()
    return {"status": status, "ename": type(error).__name__[:200], "evalue": evalue, "value": ""}


def imported(statements: list[list[str]]) -> dict[str, Any]:
    """What import statements bind, by name; those that cannot be run here are left to the notebook."""
    bound_names: dict[str, Any] = {}
    for name, statement in statements:
        bound: dict[str, Any] = {}
        with contextlib.suppress(Exception):
            exec(compiled(statement, "<imports>"), bound)
        bound.pop("__builtins__", None)
        bound_names |= bound if name == "*" else {key: bound[key] for key in bound if key == name}
    return bound_names


def read_ahead(sections: Iterable[str], helpers: Iterable[str]) -> None:
    """Compile what a test has for the judge to run, before anything is forked that will run it: sections without judge
    halves, in their order, and functions and constants that they may be given."""
    files = [(f"{MARK}{number}>", source) for number, source in enumerate(sections)]
    for file, source in (*files, *((GIVEN, source) for source in helpers)):
        with contextlib.suppress(Exception):  # what cannot be compiled fails where it is to be run
            look_through(compiled(source, file))


def serve_test(channel: Channel, request: dict[str, Any], folder: JudgeFolder) -> None:
    """Run a test in a fork. A fork that dies is told of: what a notebook sent may have brought it down."""
    imported(request["imports"])  # here, so that the next test need not
    child = os.fork()
    if child == 0:
        code = 1
        try:
            run_test(channel, request, folder)
            code = 0
        except EndOfStream:
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    folder.restore()
    if status != 0:
        stopped = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU
        became = StepStatus.STOPPED if stopped else StepStatus.ERROR
        done = {
            "value": "",
            "status": became,
            "ename": "JudgeDied",
            "evalue": "judging what your code returned went wrong",
        }
        channel.send({"done": done, "sites": []})
