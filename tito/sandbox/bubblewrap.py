"""Isolation by bubblewrap: own namespaces, no network, a read-only system, private folders in memory.

Inside there are: the operating system's /usr, the interpreter, the packages that the course names, the runner,
and the assignment's own files. Not inside: the grader's environment, home folders, other submissions, the course.
"""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tito.errors import SandboxUnavailable
from tito.sandbox.environment import environment
from tito.sandbox.launch import VARIABLES, Launch, boot, zygote_settings
from tito.sandbox.spec import SandboxSpec

UID = 65534
HOME = "/home/student"
FILES = "/opt/assignment"
SITE = "/opt/notebook"
RUNNER = "/opt/runner"
# Of the platform, all that is mounted where student code runs: a folder, and what makes packages of those above it, or
# a folder `tito` of a student's would be found in their place.
INSIDE = "sandbox/inside"
MOUNTED = ("__init__.py", "sandbox/__init__.py", INSIDE)
PASSWD = b"student:x:65534:65534:student:/home/student:/bin/sh\n"
# What sessions share cannot be written to; each has folders of its own on top.
READ_ONLY = ("--remount-ro", "/dev", "--remount-ro", "/")
# Inside a container, whose own /proc is partly covered, a new one may not be mounted. The zygote then uses the
# container's; a session, which student code runs in, has one of its own or none at all. For root, bubblewrap covers
# parts of the new one, which the zygote undoes: below a /proc that is partly covered sessions could have none.
PROC = (("--proc", "/proc"), ("--bind", "/proc", "/proc"))
# Nor may a name be given to the machine, where a container's filter of system calls keeps that to administrators: the
# container's own is seen then.
NAME = (("--hostname", "sandbox"), ())
WAYS = tuple((*proc, *name) for proc in PROC for name in NAME)
ETC = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime", "/etc/fonts", "/etc/mime.types")


class Bubblewrap:
    """The default backend."""

    name = "bubblewrap"

    def __init__(self, *, layers: bool = True) -> None:
        """Find out how it can be had here.

        Args:
            layers: whether sessions may have layers of their own over the assignment's files; else they have copies.

        Raises:
            SandboxUnavailable: it cannot.
        """
        self.layers = layers
        self.bwrap = shutil.which("bwrap") or ""
        if not self.bwrap:
            raise SandboxUnavailable(
                "Student code is graded inside bubblewrap, and there is no 'bwrap' on this machine.",
                hint="Install it (Debian: apt-get install bubblewrap). 'tito doctor' tells more.",
            )
        for way in WAYS:
            refusal = refusal_of(self.bwrap, way)
            if not refusal:
                break
        else:
            raise SandboxUnavailable(
                f"bubblewrap cannot isolate on this machine: {refusal}.",
                hint="Allow unprivileged user namespaces. 'tito doctor' tells more.",
            )
        self.way = way
        self.uid = UID if os.geteuid() == 0 and _can_become_nobody() else 0

    def launch(self, spec: SandboxSpec, fd: int) -> Launch:
        """A zygote in its own namespaces. The options travel through a descriptor: /proc shows no path of ours."""
        uid = self.uid if _readable_by_all(spec.packages) else 0
        scratch = Path(tempfile.mkdtemp(prefix="bubblewrap-"))
        passwd_fd = _descriptor(PASSWD)
        options = [
            *_isolation(uid),
            *_open_folders(),
            *_system(),
            *self.way,
            *_python(spec),
            *_folders(spec, _copied(spec, scratch, uid)),
        ]
        options += ["--perms", "0444", "--ro-bind-data", str(passwd_fd), "/etc/passwd", *READ_ONLY]
        options_fd = _descriptor("\0".join(options).encode())
        argv = [self.bwrap, "--args", str(options_fd)]
        settings = zygote_settings(spec, fd, home=HOME, files=FILES, confined=True, layers=self.layers) | {"uid": uid}
        argv += ["--", real_python(), *boot([RUNNER, SITE], settings)]
        return Launch(argv, (options_fd, passwd_fd), scratch=scratch, in_memory=True)


def refusal_of(bwrap: str, way: tuple[str, ...]) -> str:
    """Why bubblewrap cannot isolate here that way, or "" when it can."""
    argv = [bwrap, "--unshare-all", "--uid", "65534", "--ro-bind", "/", "/", *way, "--dev", "/dev", "true"]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else done.stderr.strip() or f"bwrap exited with {done.returncode}"


def _can_become_nobody() -> bool:
    """Whether root may become a user of no rights here who can still make namespaces, as sessions need."""
    setpriv = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "unshare", "--user", "true"]
    try:
        return subprocess.run(setpriv, capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _readable_by_all(packages: tuple[str, ...]) -> bool:
    """Whether a user of no rights can read what is installed: a strict umask may have hidden it."""
    ours = [path for path, _ in environment(packages).entries]
    return all(path.stat().st_mode & (0o5 if path.is_dir() else 0o4) in (0o5, 0o4) for path in ours)


def _isolation(uid: int) -> list[str]:
    """Namespaces, and no privileges: at once in a user namespace, or, for root, by becoming `uid` inside.

    In a user namespace of root's the kernel would still take the processes for root's, and not limit their number. The
    zygote leaves root, and with it all capabilities, before it does anything else but `_bare_proc`.
    """
    flags = ["--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL"]
    if uid:
        flags += [f"--unshare-{name}" for name in ("pid", "net", "ipc", "uts", "cgroup-try")]
        flags += [word for name in ("SETUID", "SETGID", "SYS_ADMIN") for word in ("--cap-add", f"CAP_{name}")]
    else:
        flags += ["--unshare-all", "--uid", str(UID), "--gid", str(UID)]
    for name, value in (VARIABLES | {"HOME": HOME, "IPYTHONDIR": "/tmp/.ipython", "MPLCONFIGDIR": "/tmp/.mpl"}).items():
        flags += ["--setenv", name, value]
    return flags


def _open_folders() -> list[str]:
    """The folders that mounts lie in, open to all: bubblewrap would make them for their owner alone."""
    inside = [f"{SITE}/x", f"{RUNNER}/tito/sandbox/x", f"{FILES}/x", HOME, "/etc/x", *map(str, prefixes())]
    folders = {str(parent) for path in inside for parent in Path(path).parents} - {"/", "/usr"}
    return [word for folder in sorted(folders) for word in ("--perms", "0755", "--dir", folder)]


def prefixes() -> list[Path]:
    """Where the interpreter is installed, if not with the system."""
    folders = {Path(sys.base_prefix).resolve(), Path(sys.base_exec_prefix).resolve()}
    return sorted(folder for folder in folders if not folder.is_relative_to("/usr"))


def _system() -> list[str]:
    """The operating system, read-only, without any Python packages that are installed in it."""
    flags = ["--ro-bind", "/usr", "/usr"]
    for link in ("/bin", "/sbin", "/lib", "/lib32", "/lib64"):
        path = Path(link)
        if path.is_symlink():
            flags += ["--symlink", str(path.readlink()), link]
        elif path.exists():
            flags += ["--ro-bind", link, link]
    for file in ETC:
        flags += ["--ro-bind-try", file, file]
    return [*flags, "--dev", "/dev"]


def _python(spec: SandboxSpec) -> list[str]:
    """The interpreter and the chosen packages; every other folder of packages is hidden."""
    flags: list[str] = []
    for prefix in prefixes():
        flags += ["--ro-bind", str(prefix), str(prefix)]
    for folder in package_folders():
        if any(folder.is_relative_to(base) for base in (*prefixes(), Path("/usr"))):
            flags += ["--tmpfs", str(folder)]
    flags += _binds((path, f"{SITE}/{name}") for path, name in environment(spec.packages).entries)
    here = Path(__file__).resolve().parent.parent
    names = ("",) if spec.whole else MOUNTED
    return flags + _binds((here / name, f"{RUNNER}/tito/{name}".rstrip("/")) for name in names)


def package_folders() -> list[Path]:
    """Where the base interpreter keeps installed packages (its own and its distribution's)."""
    base = {"base": sys.base_prefix, "platbase": sys.base_exec_prefix}
    folders = {Path(sysconfig.get_path(name, vars=base)) for name in ("purelib", "platlib")}
    folders |= {
        Path(folder) for folder in site.getsitepackages([sys.base_prefix, sys.base_exec_prefix, "/usr", "/usr/local"])
    }
    folders |= set(Path("/usr/lib").glob("python3*/dist-packages")) | set(
        Path("/usr/local/lib").glob("python3*/*-packages")
    )
    return sorted(path.resolve() for path in folders if path.is_dir())


def _folders(spec: SandboxSpec, copies: Path) -> list[str]:
    size = str(spec.limits.scratch_mb << 20)
    flags = [word for name in ("/tmp", HOME) for word in ("--perms", "1777", "--size", size, "--tmpfs", name)]
    return [*flags, *_binds([(copies, FILES)]), "--chdir", HOME]


def _copied(spec: SandboxSpec, scratch: Path, uid: int) -> Path:
    """Copies of the assignment's files in one folder, of the user that sessions run as: each lays its own layer over
    it. What is mounted is told by /proc, with its path on this machine: that of a course would be told."""
    folder = scratch / "files"
    folder.mkdir()
    for path, name in spec.files:
        (shutil.copytree if path.is_dir() else shutil.copyfile)(path, folder / name)
    scratch.chmod(0o711)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
        if uid:
            os.chown(path, uid, uid)
    return folder


def _binds(pairs: Iterable[tuple[Path, str]]) -> list[str]:
    return [word for path, inside in pairs for word in ("--ro-bind", str(path), inside)]


def real_python() -> str:
    """The interpreter behind the virtual environment: the environment itself is not mounted."""
    return str(Path(sys.executable).resolve())


def _descriptor(data: bytes) -> int:
    """A descriptor from which a child can read `data`."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        return os.dup(file.fileno())
