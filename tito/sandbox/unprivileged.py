"""Isolation where no namespaces can be had, as inside an unprivileged container: Landlock, a filter of system calls,
rlimits, and, when the grader is root, a user of its own for each session.

What it holds:
- files: a session reads the system, the interpreter, the packages of the course, the runner and the assignment's files;
  it writes to a home and a folder for temporary files of its own, which are removed with it. There is no /proc.
- network: no sockets but connected pairs. No shared memory, semaphores or message queues, and no keyring of others.
- processes: no signal, trace, limit or priority reaches any other; all of a session's end with it, daemons too.
- number of processes, CPU time and size of a file by rlimits, and memory of each process by itself; of all together by
  control groups or a watchdog, as in bubblewrap.

What it does not hold, and bubblewrap does:
- Disk: folders have no quota. The supervisor looks at them twice a second and ends a session whose home or temporary
  files take more than `scratch_mb`. What was deleted and is kept open is not seen.
- A session can tell whether a path exists, and its size and times (not what is in it, and not what lies in a folder).
- multiprocessing's locks, queues and pools need /dev/shm, and so fail: an exception in the student's cell.
- When the grader is no root, sessions share its user: changes to a file's mode, owner and times are answered as done
  and not done; one that starts too many processes takes them from those that are graded at the same moment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from tito.errors import SandboxUnavailable
from tito.sandbox.bubblewrap import ETC, MOUNTED, package_folders, prefixes, real_python
from tito.sandbox.environment import environment
from tito.sandbox.inside import landlock, seccomp
from tito.sandbox.inside.landlock_session import PROBE_UID
from tito.sandbox.launch import VARIABLES, Launch, boot, zygote_settings
from tito.sandbox.spec import SandboxSpec

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
NOT_SYSTEM = ("/usr/src", "/usr/local/src")  # where images keep applications: a course may lie there
PLATFORM = Path(__file__).resolve().parent.parent
COMPILED = shutil.ignore_patterns("__pycache__")  # it may be for the eyes of whoever imported it first
PATIENCE_S = 20.0
INODES = 20_000


class Unprivileged:
    """`--sandbox landlock`."""

    name = "landlock"

    def __init__(self) -> None:
        self.abi = _landlock()
        self.own_uid = os.geteuid() == 0
        if not seccomp.available():
            raise SandboxUnavailable(
                "The landlock sandbox needs a kernel that filters system calls (seccomp), on x86-64 or AArch64.",
                hint="Grade on another machine.",
            )
        if self.own_uid and not _can_become_another():
            raise SandboxUnavailable(
                "Root cannot become another user here, and student code must not run as root.",
                hint="Grade as a user who is not root, or allow CAP_SETUID, CAP_SETGID and enough users.",
            )
        if not self.own_uid and self.abi < landlock.SCOPES_SINCE:
            raise SandboxUnavailable(
                f"This kernel's Landlock (version {self.abi}) cannot keep student code from signalling the grader.",
                hint="Use Linux 6.12 or newer, or grade as root: sessions then have users of their own.",
            )

    def launch(self, spec: SandboxSpec, fd: int) -> Launch:
        """A zygote in a folder of its own, with copies of the assignment's files. Sessions get folders below it."""
        root = Path(tempfile.mkdtemp(prefix="landlock-")).resolve()
        try:
            return self._launch(root, spec, fd)
        except BaseException:
            shutil.rmtree(root, ignore_errors=True)
            raise

    def _launch(self, root: Path, spec: SandboxSpec, fd: int) -> Launch:
        runner, packages, files = root / "runner", root / "packages", root / "files"
        for folder in (runner / "tito" / "sandbox", packages, files, root / "sessions", root / "zygote"):
            folder.mkdir(parents=True)
        for name in ("",) if spec.whole else MOUNTED:
            _copy(PLATFORM / name, runner / "tito" / name)
        entries = environment(spec.packages).entries
        for path, name in entries:
            (packages / name).symlink_to(path)
        for path, name in spec.files:
            _copy(path, files / name)
        _open_to_all(root)
        readable, listable = _readable()
        readable += [runner, packages, files, *(path.resolve() for path, _ in entries)]
        home = str(root / "zygote")
        settings = zygote_settings(spec, fd, home=home, files=str(files), confined=False)
        settings["rlimits"]["RLIMIT_NPROC"] = spec.limits.processes
        settings["fence"] = {
            "root": str(root),
            "readable": list(map(str, readable)),
            "listable": list(map(str, listable)),
            "abi": self.abi,
            "own_uid": self.own_uid,
            "inodes": INODES,
        }
        argv = [real_python(), *boot([str(runner), str(packages)], settings)]
        env = VARIABLES | {
            "HOME": home,
            "TMPDIR": home,
            "IPYTHONDIR": f"{home}/.ipython",
            "MPLCONFIGDIR": f"{home}/.mpl",
        }
        return Launch(argv, env=env, scratch=root, patience_s=PATIENCE_S, supervisors=True)


def _landlock() -> int:
    try:
        return landlock.abi()
    except OSError as error:
        raise SandboxUnavailable(
            f"The landlock sandbox needs a kernel with Landlock: {os.strerror(error.errno or 0)}.",
            hint="It is in Linux since 5.13, where the boot option 'lsm=' or a container's filter of system calls does "
            "not take it away.",
        ) from error


def _can_become_another() -> bool:
    try:
        argv = ["/bin/sh", "-c", ":"]
        done = subprocess.run(argv, check=False, timeout=20, user=PROBE_UID, group=PROBE_UID, extra_groups=())
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def _copy(path: Path, to: Path) -> None:
    """A file or folder of the assignment: a course may lie where sessions cannot go."""
    if path.is_dir():
        shutil.copytree(path, to, ignore=COMPILED, dirs_exist_ok=True)
    else:
        shutil.copyfile(path, to)


def _open_to_all(root: Path) -> None:
    """Readable by the users of sessions, whatever the umask and the modes of what was copied."""
    root.chmod(0o711)
    (root / "sessions").chmod(0o711)
    for top in (root / "runner", root / "packages", root / "files"):
        for path in (top, *top.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() else 0o644)


def _readable() -> tuple[list[Path], list[Path]]:
    """Of the machine, what a session may read with all that lies below, and what it may only list.

    Where a folder of installed packages lies inside of the system or the interpreter, all around it is named. The
    interpreter lists the folders that it imports from: in that of the standard library other packages may have theirs.
    """
    hidden = {*package_folders(), *map(Path, NOT_SYSTEM), PLATFORM.parent}
    tops = {*(Path(folder) for folder in SYSTEM if not Path(folder).is_symlink()), *prefixes()}
    readable = [Path(file) for file in ETC]
    readable += [path for top in sorted(tops) for path in _without(top, hidden)]
    return [path for path in readable if path.exists()], sorted(_standard_library())


def _standard_library() -> set[Path]:
    base = {"base": sys.base_prefix, "installed_base": sys.base_prefix, "platbase": sys.base_exec_prefix}
    base["installed_platbase"] = sys.base_exec_prefix
    folders = {Path(sysconfig.get_path(name, vars=base)).resolve() for name in ("stdlib", "platstdlib")}
    return {path for path in folders if path.is_dir()}


def _without(folder: Path, hidden: set[Path]) -> list[Path]:
    """The parts of a folder that hold nothing hidden."""
    if folder in hidden:
        return []
    if not any(path.is_relative_to(folder) for path in hidden):
        return [folder]
    return [path for child in sorted(folder.iterdir()) if not child.is_symlink() for path in _without(child, hidden)]
