"""The process that sessions are forked from: it imports what every notebook needs once, and never runs student code.

Each session is a fork in namespaces of its own, inside the sandbox: own processes, network, mounts and memory-backed
folders. So start-up is paid once a cohort, and no submission meets what another left behind.

    graders ── connections ──▶ zygote ──fork──▶ session server ──fork──▶ first process ──fork──▶ notebook ──▶ branches
                                                                         └─────────── own namespaces ───────────┘

Each connection has a session server, which forks its sessions, one at a time: a grader that may make control groups
puts the server into one, in which its sessions are born then. The zygote is in none, so that nothing a session does
makes the kernel end it.

The first process of a session with branches is its warden (see `warden`), and runs no student code. To end a
session, the first process of its pid namespace is killed, and with it die all others. A session that has no
namespaces has a supervisor between the session server and its first process, which ends it (see `supervisor`).

Every fork copies tables of memory, and each process every page that it writes to: what runs between the zygote and the
notebook does as little as it can. A notebook that will have no branches is the first process itself: it then gets no
signal from inside that it has not asked for, and when it ends, so does all that it has started.

What is imported, and what a session does, is said by the zygote's role, a module named in its settings: `notebook`
here, or the judge's, of which this module knows nothing.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, Protocol

from tito.sandbox.inside import kernel, landlock_session, own_files, rlimits, seccomp
from tito.sandbox.inside.codec import Channel
from tito.sandbox.inside.kernel import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_RDONLY,
)
from tito.sandbox.inside.shared_resources import SharedResources
from tito.sandbox.inside.supervisor import enter, finish, keep
from tito.sandbox.inside.warden import SessionDescriptors
from tito.sandbox.inside.writable_folders import Mounts

MAX_DESCRIPTORS = 250
MAX_ORDER = 1 << 17
TOLD, TOLD_OF_A_NAME = 10, 100  # files that can only be read, of which the grader is told, and characters of each
NEW_NAMESPACES = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS
INODES = 20_000
HUGE_PAGE = 2 << 20


class Role(Protocol):
    """What a zygote is for."""

    def __init__(self, settings: dict[str, Any]) -> None: ...

    def warm(self, order: dict[str, Any], plan: bytes) -> None:
        """Do what is the same for all sessions, once; `plan` is what the owner has sent along."""

    def serve(self, channel: Channel, branches: dict[int, int], shared_resources: SharedResources | None) -> NoReturn:
        """In a session, after its last fork: say that it is ready, and answer."""


def main() -> NoReturn:
    """Started by the sandbox with its settings as JSON in the first argument.

    What to import is the first message of its owner, on the first connection: it may have been started before that was
    known.
    """
    settings = json.loads(sys.argv[1])
    if settings["uid"]:
        _bare_proc()
        kernel.become(settings["uid"])
        kernel.no_new_privileges()
    if settings["fence"]:
        landlock_session.prepare(settings)
    settings["identity"] = [
        ("/proc/self/setgroups", b"deny"),
        ("/proc/self/uid_map", b"%d %d 1" % (os.getuid(), os.getuid())),
        ("/proc/self/gid_map", b"%d %d 1" % (os.getgid(), os.getgid())),
    ]
    kernel.set_dumpable(False)  # no session can look into this process
    home, files = Path(settings["home"]), Path(settings["files"])
    settings["folders"] = [str(home), "/tmp", "/dev/shm"]
    settings["own_files"] = own = own_files.sorted_out(files, settings["staged"], settings["copied_mb"] << 20)
    if settings["confined"]:
        seccomp.packed(shared=settings["offline"])
        settings["proc"] = _may_mount_proc(settings)
        settings["layered"] = settings["layered"] and own.may_be_changed and _may_mount_layers(settings)
    if not settings["layered"]:
        settings["scratch_mb"] += -(-own.size >> 20)  # what is copied takes no room of a session's own
    read_only = own.larger_than(settings["scratch_mb"] << 20) if settings["layered"] else own.too_large
    settings["read_only"] = read_only[:TOLD]
    gc.disable()  # what is imported is there to stay
    role: Role = importlib.import_module(settings["role"]).Role(settings)
    listener = socket.socket(fileno=settings["fd"])
    owner, _ = listener.accept()
    sys.path.insert(0, str(files))
    text, descriptors, _, _ = socket.recv_fds(owner, MAX_ORDER, 1)
    if not text:
        os._exit(0)  # the owner has gone
    role.warm(json.loads(text), _content(descriptors))
    sys.path[0] = str(home)
    assert threading.active_count() == 1, "a zygote with threads cannot be forked safely"
    gc.collect()
    gc.freeze()
    gc.enable()
    _gather_memory()
    rlimits.make_known(settings)
    if settings["fence"]:
        kernel.become_subreaper()  # of a supervisor whose server has gone
    ConnectionListener(listener, owner, role, settings).serve()
    if settings["fence"]:
        finish(settings)
    os._exit(0)


def _bare_proc() -> None:
    """Mount a /proc of which nothing is covered: else the kernel would not let sessions have theirs."""
    with contextlib.suppress(OSError):  # in a container that forbids it; see `_may_mount_proc`
        kernel.mount("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)


def _content(descriptors: list[int]) -> bytes:
    """What the owner has sent along as a file without a name."""
    if not descriptors:
        return b""
    with os.fdopen(descriptors[0], "rb") as file:
        file.seek(0)
        return file.read()


def _gather_memory() -> None:
    """Put this process's memory into huge pages where the kernel has them: a fork copies a table of pages, and each
    page that is written to after it. What is left as it was costs time only."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
            addresses, permissions, _, _, _, name = f"{line} ".split(" ", 5)
            start, end = (int(address, 16) for address in addresses.split("-"))
            start, end = -(-start // HUGE_PAGE) * HUGE_PAGE, end // HUGE_PAGE * HUGE_PAGE
            if permissions.startswith("rw") and name.strip() in ("", "[heap]") and start < end:
                with contextlib.suppress(OSError):
                    kernel.collapse(start, end)


class ConnectionListener:
    """Gives everyone who connects a session server of its own, until the last server has closed."""

    def __init__(self, listener: socket.socket, owner: socket.socket, role: Role, settings: dict[str, Any]) -> None:
        self.role = role
        self.settings = settings
        self.servers: set[int] = set()
        self.selector = selectors.DefaultSelector()
        self.listener = listener
        self.selector.register(listener, selectors.EVENT_READ, lambda _: self._greet(listener.accept()[0]))
        self._greet(owner)

    def serve(self) -> None:
        """Until all have hung up."""
        while self.servers:
            for key, _ in self.selector.select():
                key.data(key.fileobj)

    def _greet(self, connection: socket.socket) -> None:
        zygote = os.getpid()
        server = os.fork()
        if server == 0:
            kernel.die_with_parent()
            if os.getppid() == zygote:
                self.selector.close()
                self.listener.close()
                SessionServer(connection, self.role, self.settings).answer()
            os._exit(0)
        connection.close()
        self.servers.add(server)
        ended = os.pidfd_open(server)
        self.selector.register(ended, selectors.EVENT_READ, lambda _: self._bury(ended, server))

    def _bury(self, ended: int, server: int) -> None:
        self.selector.unregister(ended)
        os.close(ended)
        os.waitpid(server, 0)
        self.servers.remove(server)


class SessionServer:
    """Opens and ends sessions for whoever is on its connection."""

    def __init__(self, connection: socket.socket, role: Role, settings: dict[str, Any]) -> None:
        self.role = role
        self.settings = settings
        self.connection = connection
        self.is_open = True
        self.sessions: set[int] = set()  # process numbers of their first processes, or of their supervisors
        self.selector = selectors.DefaultSelector()
        self.selector.register(connection, selectors.EVENT_READ, lambda _: self._serve())
        _send(connection, {"op": "ready", "read_only": [name[:TOLD_OF_A_NAME] for name in settings["read_only"]]})

    def answer(self) -> None:
        """Serve until the connection is hung up; then end what is left."""
        while self.is_open:
            for key, _ in self.selector.select():
                key.data(key.fileobj)
        for session in self.sessions:
            self._end(session)
        for session in self.sessions:
            os.waitpid(session, 0)

    def _serve(self) -> None:
        try:
            data, descriptors, _, _ = socket.recv_fds(self.connection, 4096, MAX_DESCRIPTORS)
        except OSError:
            data, descriptors = b"", []
        if not data:
            self.is_open = False
            return
        request = json.loads(data)
        if request["op"] == "close":
            if request["pid"] in self.sessions:
                self._end(request["pid"])
            return
        session = _fork_into_namespaces(self.settings) if self.settings["confined"] else os.fork()
        if session == 0:
            self._leave(descriptors)
            _session(self.role, self.settings, descriptors)
        _close(descriptors)
        self.sessions.add(session)
        ended = os.pidfd_open(session)
        self.selector.register(ended, selectors.EVENT_READ, lambda _: self._bury(ended, session))
        _send(self.connection, {"op": "opened", "pid": session}, ended)

    def _end(self, session: int) -> None:
        """Kill the first process of a session, and with it all others; a supervisor does it on a signal."""
        if self.settings["fence"]:
            os.kill(session, signal.SIGTERM)
        elif self.settings["confined"]:
            os.kill(session, signal.SIGKILL)
        else:
            with contextlib.suppress(ProcessLookupError):  # it has no group of its own yet, and no other processes
                os.killpg(session, signal.SIGKILL)
            os.kill(session, signal.SIGKILL)

    def _bury(self, ended: int, session: int) -> None:
        """All processes of a session have gone."""
        self.selector.unregister(ended)
        os.close(ended)
        if self.settings["own_homes"]:
            shutil.rmtree(Path(self.settings["own_homes"], str(session)), ignore_errors=True)
        os.waitpid(session, 0)  # until then no other process has its number
        self.sessions.remove(session)
        _send(self.connection, {"op": "closed", "pid": session})

    @staticmethod
    def _leave(descriptors: list[int]) -> None:
        """In the session: keep nothing open that is the session server's, but the log."""
        last = 2
        for descriptor in sorted(descriptors):
            os.closerange(last + 1, descriptor)
            last = descriptor
        os.closerange(last + 1, min(os.sysconf("SC_OPEN_MAX"), 1 << 16))


def _send(connection: socket.socket, message: dict[str, Any], *descriptors: int) -> None:
    """Answer, where somebody is still there."""
    with contextlib.suppress(OSError):
        socket.send_fds(connection, [json.dumps(message).encode()], descriptors)


def _close(descriptors: list[int]) -> None:
    """Whoever does not serve a channel closes it: its end must be noticed when the process that does has gone."""
    for descriptor in descriptors:
        os.close(descriptor)


# ---- in the session --------------------------------------------------------------------------------


def _session(role: Role, settings: dict[str, Any], descriptors: list[int]) -> NoReturn:
    """Become a session that serves the first of `descriptors`, its branches the others."""
    session = SessionDescriptors(descriptors, warded=bool(settings["fence"] or settings["confined"]))
    if settings["fence"]:
        enter(settings)
        if (notebook := os.fork()) != 0:
            keep(settings, session, notebook)
    kernel.die_with_parent()
    kernel.set_dumpable(True)  # or /proc/self would not be ours to write to, nor the grader's to read
    if settings["fence"]:
        landlock_session.populate(settings)
    elif settings["confined"]:
        _keep_who_we_are(settings)
        views = _populate(settings)
        if session.has_warden and (notebook := os.fork()) != 0:
            _ward(settings, session, views, notebook)
        views.leave()
        _drop_privileges(settings)
    else:
        os.setsid()
        _move_into_own_home(settings)
    session.keep_notebooks()
    _close_the_log()
    os.chdir(settings["home"])
    rlimits.apply(settings["rlimits"], len(session.branches))
    if not settings["fence"] and not settings["confined"] and os.fork() != 0:
        _close(descriptors)
        _wait_for_all()
    channel = Channel(socket.socket(fileno=session.notebook))
    shared_resources = (
        SharedResources(session.asking, settings["folders"], settings["files"]) if session.asking else None
    )
    role.serve(channel, dict(enumerate(session.branches)), shared_resources)


def _ward(settings: dict[str, Any], session: SessionDescriptors, views: Mounts, notebook: int) -> NoReturn:
    """Be the first process of a session with branches, which outlives a notebook that exits, or that crashes.

    It has kept the rights over the session's own namespaces. Without handlers of its own, the first process of a pid
    namespace is deaf to signals from inside.
    """
    kernel.set_dumpable(False)
    del sys.path[0]  # a module that student code has put in its home
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the dead
    _close_the_log()
    session.warden(views, settings["scratch_mb"], notebook).serve()
    os._exit(1)


def _close_the_log() -> None:
    """The zygote's standard streams are one file for all sessions: here they lead nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _wait_for_all() -> NoReturn:
    """Where nothing isolates a session, its first process only waits: branches outlive a notebook that exits."""
    while True:
        try:
            os.wait()
        except ChildProcessError:
            signal.pause()


def _fork_into_namespaces(settings: dict[str, Any]) -> int:
    """Fork a process that has a user namespace of its own, and in it all the others, of which it is process 1. One that
    is offline can open no socket: it needs no network of its own, which takes longest to make.

    Raises:
        OSError: the kernel makes no process, or no namespaces.
    """
    return kernel.fork_into_namespaces(NEW_NAMESPACES | (0 if settings["offline"] else CLONE_NEWNET))


def _may_mount_proc(settings: dict[str, Any]) -> bool:
    """Whether sessions can have a /proc of their own. Where ours is partly covered, as a container's is, they have
    none. The kernel logs each attempt that fails, so that there is one for all sessions."""
    return _works_in_namespaces(settings, lambda: kernel.mount("proc", "/proc", MS_RDONLY))


def _works_in_namespaces(settings: dict[str, Any], attempt: Callable[[], None]) -> bool:
    """Whether something can be done in namespaces of a process's own, without an error."""
    probe = _fork_into_namespaces(settings)
    if probe == 0:
        failed = 1
        with contextlib.suppress(OSError):
            _keep_who_we_are(settings)
            attempt()
            failed = 0
        os._exit(failed)
    return os.waitpid(probe, 0)[1] == 0


def _keep_who_we_are(settings: dict[str, Any]) -> None:
    """In a user namespace of its own a process is nobody until it is told that it is still the same user."""
    kernel.set_dumpable(True)
    for file, text in settings["identity"]:
        descriptor = os.open(file, os.O_WRONLY)
        os.write(descriptor, text)
        os.close(descriptor)


def _populate(settings: dict[str, Any]) -> Mounts:
    """Fresh /tmp, /dev/shm, home and /proc, all else is read-only; the assignment's files in the home folder."""
    size = b"size=%dm,nr_inodes=%d,mode=755" % (settings["scratch_mb"], INODES)
    files = settings["files"] if settings["layered"] else ""
    # Modules of the course's look for their data where they were found. A judge finds its modules as they were.
    views = Mounts(settings["folders"], size, files, bound=not settings["offline"])
    views.mount()
    if settings["proc"]:
        kernel.mount("proc", "/proc", MS_RDONLY)
    else:
        kernel.mount("tmpfs", "/proc", MS_NOSUID | MS_NODEV, b"size=4k,mode=555")
    if not settings["layered"]:
        own_files.lay_down(settings["own_files"], settings["home"])
    return views


def _may_mount_layers(settings: dict[str, Any]) -> bool:
    """Whether the kernel lets sessions have layers of their own; else files are copied for each.

    In a user namespace it does since 5.11; what takes the place of a whole folder of the course's can be told from what
    is added to it only since 6.6, when files in memory learned attributes.
    """
    own = settings["own_files"]

    def populate() -> None:
        _populate(settings | {"layered": True})
        home = Path(settings["home"])
        for path in (*own.copied, *own.too_large)[:1]:
            (home / path).open("ab").close()
            (home / path).unlink()
        (home / ".probe").mkdir()
        if own.folders:
            os.setxattr(home / ".probe", "user.probe", b"")

    return _works_in_namespaces(settings, populate)


def _move_into_own_home(settings: dict[str, Any]) -> None:
    """Where nothing isolates sessions, each has a folder of its own to work in all the same."""
    home = Path(settings["own_homes"], str(os.getpid()))
    home.mkdir()
    own_files.lay_down(settings["own_files"], str(home))
    settings["home"] = sys.path[0] = os.environ["HOME"] = str(home)


def _drop_privileges(settings: dict[str, Any]) -> None:
    """No capabilities, not even in the session's own user namespace, and none to be gained; no keyring of others."""
    with contextlib.suppress(OSError):  # where a container's filter refuses to
        kernel.join_new_keyring()
    kernel.no_new_privileges()
    kernel.drop_capabilities()
    seccomp.install(shared=settings["offline"])
