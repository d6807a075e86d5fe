"""The process that keeps a session which has no namespaces. It stays outside of the fence, and ends the session.

    enter     in the supervisor: get ready, before the session is forked
    keep      in the supervisor: watch the session's folder; on a signal, end all its processes and remove the folder
    finish    in the zygote, when the grader hangs up

All processes of a session are descendants of its supervisor, to which the orphans among them fall back. They are killed
by one kill(-1), during which none can be born: from a process that reaches no others, because it has the rights of the
session's own user (when the grader is root), or because Landlock keeps its signals among those that it started.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from tito.sandbox.inside import kernel, landlock
from tito.sandbox.inside.landlock_session import PROBE_UID, errors_logged
from tito.sandbox.inside.warden import SessionDescriptors, Warden
from tito.sandbox.inside.writable_folders import Folders

UIDS = range(PROBE_UID + 1, 61184)  # nobody's: systemd lists 60706 to 61183 as unused, and Debian gives no such
HELPER_UID = 60706
LOOK_EVERY_S = 0.5
PATIENCE_S = 15.0  # with processes that do not die, as one that waits for a broken disk
WATCHED = (signal.SIGTERM, signal.SIGCHLD)


@errors_logged()
def enter(settings: dict[str, Any]) -> None:
    """Become the supervisor of a session that is yet to be forked, and make its folder."""
    fence = settings["fence"]
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)  # they are waited for
    os.setsid()  # whoever ends the zygote with its group leaves us to clear up
    kernel.die_with_parent(signal.SIGTERM)
    kernel.become_subreaper()
    folder = Path(fence["root"], "sessions", str(os.getpid()))
    fence |= {"uid": 0, "folder": str(folder)}
    if fence["own_uid"]:
        fence["uid"], fence["lock"] = _free_uid()
        _kill_all_of(fence["uid"])
    else:
        _keep_signals_to_descendants(fence["abi"])
    for path in (folder, folder / "home", folder / "tmp"):
        path.mkdir(mode=0o700)
        if fence["uid"]:
            os.chown(path, fence["uid"], fence["uid"])


def _free_uid() -> tuple[int, socket.socket]:
    """A user that no other session on this machine has while the socket is open: its name is the lock."""
    start = os.getpid() % len(UIDS)
    for uid in (*UIDS[start:], *UIDS[:start]):
        lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            lock.bind(f"\0tito-session-{uid}")
        except OSError:
            lock.close()
        else:
            return uid, lock
    raise OSError("every user that sessions may have is in use")


def _keep_signals_to_descendants(version: int) -> None:
    """From here on no signal of this process, and of those that it starts, reaches any other.

    Raises:
        OSError: it would. Nothing must be killed then.
    """
    kernel.no_new_privileges()
    landlock.restrict(landlock.create(version, files=False))
    with contextlib.suppress(PermissionError):
        os.kill(os.getppid(), 0)
        raise OSError("Landlock does not keep signals inside")


def keep(settings: dict[str, Any], descriptors: SessionDescriptors, notebook: int) -> NoReturn:
    """Watch over a session until it is to end, or until its folder is larger than it may be; be its warden."""
    fence = settings["fence"]
    folder = Path(fence["folder"])
    old = Path(fence["root"], "old", folder.name)  # where no session can go
    warden: Warden | None = None
    if descriptors.has_warden:
        warden = descriptors.warden(
            Folders(folder, ("home", "tmp"), old, fence["uid"]), settings["scratch_mb"], notebook
        )
    else:
        descriptors.close()
    for number in _signals(warden):
        if number == signal.SIGTERM:
            break
        if not _reap():
            continue
        most = (settings["scratch_mb"] + 1) << 20  # small files may stand beside one of the largest size
        if any(_too_large(folder / name, most, fence["inodes"]) for name in ("home", "tmp")):
            _end_all(fence)
    _end_all(fence)
    _remove(folder)
    _remove(old)
    os._exit(0)


def _signals(warden: Warden | None) -> Iterator[int]:
    """Each signal that comes, and 0 when it is time to look at the folder. Serves the warden meanwhile."""
    descriptor = kernel.signal_descriptor(WATCHED)
    while True:
        information = signal.sigtimedwait(WATCHED, LOOK_EVERY_S if warden is None else 0)
        if information is None and warden is not None:
            warden.serve(LOOK_EVERY_S, until=descriptor)
            information = signal.sigtimedwait(WATCHED, 0)
        yield 0 if information is None else information.si_signo


def _reap() -> bool:
    """Bury the dead; whether any process is left."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _end_all(fence: dict[str, Any]) -> None:
    """Kill all processes of the session, and wait until they are gone."""
    end = time.monotonic() + PATIENCE_S
    while _reap() and time.monotonic() < end:
        if fence["uid"]:
            _kill_all_of(fence["uid"])
        else:
            _kill_descendants()
        time.sleep(0.001)


def _kill_all_of(uid: int) -> None:
    """Kill every process of a user, from one that has this user's rights but whom that user cannot signal."""
    helper = os.fork()
    if helper == 0:
        try:
            os.setgroups([])
            os.setresgid(HELPER_UID, HELPER_UID, HELPER_UID)
            os.setresuid(HELPER_UID, uid, HELPER_UID)
            os.kill(-1, signal.SIGKILL)
        finally:
            os._exit(0)
    os.waitpid(helper, 0)


def _kill_descendants() -> None:
    """Kill all that this process can signal: what it has started, see `_keep_signals_to_descendants`."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(-1, signal.SIGKILL)


def _too_large(folder: Path, most_bytes: int, most_entries: int) -> bool:
    """Whether a folder holds more than it may, or what cannot be counted: hidden from us, or nested too deep."""
    size = count = 0
    folders = [str(folder)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    count += 1
                    size += _size_of(entry)
                    if size > most_bytes or count > most_entries:
                        return True
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
        except FileNotFoundError:
            continue
        except OSError:
            return True
    return False


def _size_of(entry: os.DirEntry[str]) -> int:
    with contextlib.suppress(FileNotFoundError):
        return entry.stat(follow_symlinks=False).st_blocks * 512
    return 0


def _remove(folder: Path) -> None:
    """Remove a folder that student code has filled: of any depth, whatever the modes of the folders in it."""
    for command in (["rm", "-rf"], ["chmod", "-R", "u+rwx"], ["rm", "-rf"]):
        subprocess.run([*command, "--", str(folder)], stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if not folder.exists():
            return


def finish(settings: dict[str, Any]) -> None:
    """End every session that there still is, and remove the sandbox's folder."""
    root = Path(settings["fence"]["root"])
    for folder in (root / "sessions").iterdir():
        with contextlib.suppress(ChildProcessError, ProcessLookupError):
            os.waitid(os.P_PID, int(folder.name), os.WEXITED | os.WNOWAIT | os.WNOHANG)  # is it a child of ours?
            os.kill(int(folder.name), signal.SIGTERM)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    _remove(root)
