"""A session where there are no namespaces is fenced in: by Landlock, a stricter filter of system calls, rlimits, and,
where the grader is root, a user of its own.

    prepare   in the zygote, before it imports anything: will sessions be able to read what they need?
    populate  in a session, before any student code

`supervisor` holds what stays outside of the fence.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tito.sandbox.inside import kernel, landlock, own_files, seccomp

PROBE_UID = 60707  # see `supervisor`
DEVICES = {
    "/dev/null": landlock.READ_FILE | landlock.WRITE_FILE,
    "/dev/zero": landlock.READ_FILE | landlock.WRITE_FILE,
    "/dev/full": landlock.READ_FILE | landlock.WRITE_FILE,
    "/dev/random": landlock.READ_FILE,
    "/dev/urandom": landlock.READ_FILE,
}


@contextlib.contextmanager
def errors_logged() -> Iterator[None]:
    """Say in the zygote's log what goes wrong, and end: the standard streams of Python are the notebook's already."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  (the edge of a process)
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        os._exit(1)


def prepare(settings: dict[str, Any]) -> None:
    """Find out whether sessions will be able to read what they need: else they would fail in odd ways.

    Where they could not, and this process may read everything whoever owns it, sessions keep that capability, and
    only Landlock says what they read.
    """
    fence = settings["fence"]
    fence["capabilities"] = 0
    needed = [*fence["readable"], *fence["listable"]]
    closed = _closed_to_sessions(fence, needed)
    if closed:
        fence["capabilities"] = 1 << kernel.CAP_DAC_READ_SEARCH
        if _closed_to_sessions(fence, needed):
            sys.exit(
                f"{closed} cannot be read by the user that sessions run as: make it and the folders above readable"
            )


def _closed_to_sessions(fence: dict[str, Any], paths: list[str]) -> str:
    """The first of the paths that a session's user cannot open; "" if there is none."""
    read, write = os.pipe()
    if os.fork() == 0:
        closed = "something"
        try:
            _lay_down_rights(PROBE_UID if fence["own_uid"] else 0, fence["capabilities"])
            closed = next((path for path in paths if not _opens(path)), "nothing")
        finally:
            os.write(write, closed.encode())
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        closed = answer.read().decode()
    os.wait()
    return "" if closed == "nothing" else closed or "something"


def _opens(path: str) -> bool:
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError:
        return False
    return True


@errors_logged()
def populate(settings: dict[str, Any]) -> None:
    """A home and a folder for temporary files, and a fence around: nothing that a session does not need is left."""
    fence = settings["fence"]
    home, tmp = Path(fence["folder"], "home"), Path(fence["folder"], "tmp")
    os.setsid()
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # the supervisor waits for signals that it blocks
    if "lock" in fence:
        fence["lock"].close()
    own_files.lay_down(settings["own_files"], str(home), fence["uid"])
    _move_into(settings, home, tmp)
    rules = _rules(fence)
    _lay_down_rights(fence["uid"], fence["capabilities"])
    if not fence["uid"]:
        kernel.set_dumpable(True)  # its supervisor, who is the same user then, looks into it
    kernel.die_with_parent()  # becoming another user takes it back
    kernel.set_dumpable(True)  # that too, and what the session holds could not be read then; no session has a /proc
    _limit(settings["rlimits"], alone=bool(fence["uid"]))
    kernel.no_new_privileges()
    landlock.restrict(rules)
    if fence["capabilities"]:
        kernel.raise_ambient(kernel.CAP_DAC_READ_SEARCH)  # commands that a notebook starts need it too
    with contextlib.suppress(OSError):  # where a container's filter refuses to
        kernel.join_new_keyring()
    seccomp.install(shared=True, owner=not fence["uid"])


def _move_into(settings: dict[str, Any], home: Path, tmp: Path) -> None:
    """Home and temporary files are the session's own."""
    settings["home"] = sys.path[0] = str(home)
    settings["folders"] = [str(home), str(tmp)]
    os.environ |= {
        "HOME": str(home),
        "TMPDIR": str(tmp),
        "IPYTHONDIR": str(tmp / ".ipython"),
        "MPLCONFIGDIR": str(tmp / ".mpl"),
        "USER": "student",
    }
    tempfile.tempdir = None
    if (shell := sys.modules.get("IPython.core.interactiveshell")) is not None:
        shell.system = _system  # type: ignore[attr-defined]


def _system(command: str) -> int:
    """What IPython's `!` does, without the terminal that IPython opens for it."""
    with subprocess.Popen(
        command, shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        try:
            while part := os.read(process.stdout.fileno(), 4096):
                sys.stdout.write(part.decode("utf-8", "replace"))
        except BaseException:  # also the cell's time limit
            process.kill()
            raise
    return process.returncode


def _rules(fence: dict[str, Any]) -> int:
    version = fence["abi"]
    rules = landlock.create(version)
    for path in fence["readable"]:
        landlock.allow(rules, path, landlock.READ, version)
    for path in fence["listable"]:
        landlock.allow(rules, path, landlock.READ_DIR, version)
    for path, rights in DEVICES.items():
        landlock.allow(rules, path, rights, version)
    landlock.allow(rules, fence["folder"], landlock.OWN, version)
    return rules


def _lay_down_rights(uid: int, capabilities: int) -> None:
    """Become a user of no rights, but for some capabilities; 0: stay who one is, and lay down the rights."""
    if uid:
        kernel.become(uid, capabilities)
    else:
        kernel.drop_capabilities(but=capabilities)


def _limit(limits: dict[str, int], *, alone: bool) -> None:
    """Make the limits such as can be set here, and count in what this user has started otherwise, unless `alone`."""
    if not alone:
        limits["RLIMIT_NPROC"] += _processes_of_this_user()
    for name, value in limits.items():
        hard = resource.getrlimit(getattr(resource, name))[1]
        limits[name] = value if hard == resource.RLIM_INFINITY else min(value, hard)


def _processes_of_this_user() -> int:
    """How many the kernel counts: also those that another container of the same user has, and that /proc hides.

    Raises:
        OSError: it does not limit them, as for the machine's root, whatever that is called here.
    """
    if _may_fork(1):
        raise OSError("the number of processes of this user cannot be limited")
    low, high = 1, 256  # `low` is too few for one more, `high` may be
    while not _may_fork(high):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _may_fork(middle) else (middle, high)
    return low


def _may_fork(limit: int) -> bool:
    """Whether one more process may be started under that limit."""
    before = resource.getrlimit(resource.RLIMIT_NPROC)
    if before[1] != resource.RLIM_INFINITY and limit > before[1]:
        return True
    resource.setrlimit(resource.RLIMIT_NPROC, (limit, before[1]))
    try:
        child = os.fork()
    except BlockingIOError:
        return False
    finally:
        resource.setrlimit(resource.RLIMIT_NPROC, before)
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return True
