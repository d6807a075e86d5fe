"""Why a process may make no namespaces here, and what to do about it: found by looking, for `tito doctor`."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import tito

# A file of the kernel's settings, the value that forbids, what that means, what to do.
SETTINGS = (
    (
        "kernel/unprivileged_userns_clone",
        "0",
        "The kernel keeps user namespaces to root (kernel.unprivileged_userns_clone is 0).",
        "Run 'sysctl -w kernel.unprivileged_userns_clone=1' as root.",
    ),
    (
        "user/max_user_namespaces",
        "0",
        "No user namespaces are allowed (user.max_user_namespaces is 0).",
        "Run 'sysctl -w user.max_user_namespaces=10000' as root.",
    ),
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "AppArmor keeps user namespaces to programs with a profile for them "
        "(kernel.apparmor_restrict_unprivileged_userns is 1).",
        "Give /usr/bin/bwrap a profile with the rule 'userns,', or set the sysctl to 0.",
    ),
)
MARKS = ("/.dockerenv", "/run/.containerenv", "/var/run/secrets/kubernetes.io")  # what container runtimes leave
PROBE = """
import sys
sys.path.insert(0, {platform!r})
from tito.sandbox.inside.kernel import CLONE_NEWUSER, unshare
try:
    unshare(CLONE_NEWUSER)
except OSError as error:
    sys.exit(error.errno)
"""
FILTERED = (
    "System calls are filtered (seccomp), and making a namespace is among those refused.",
    "Where this is a container, start it with '--security-opt seccomp=' and a profile that allows unshare, clone "
    "and mount, and allow user namespaces on the machine.",
)


@dataclass(frozen=True)
class Obstacle:
    """Something that keeps namespaces from us."""

    cause: str
    remedy: str


def obstacles(settings: Path = Path("/proc/sys"), status: Path = Path("/proc/self/status")) -> list[Obstacle]:
    """What stands in the way of namespaces; none where they can be made."""
    error = _refused()
    if not error:
        return []
    forbidden = [Obstacle(cause, remedy) for name, value, cause, remedy in SETTINGS if _reads(settings / name) == value]
    if not forbidden and "\nSeccomp:\t2" in _reads(status):
        forbidden = [Obstacle(*FILTERED)]
    where = " inside a container" if in_container() else ""
    return forbidden or [Obstacle(f"A user namespace cannot be made{where}: {os.strerror(error)}.", "Ask who runs it.")]


def in_container() -> bool:
    """Whether a container's runtime has left its marks."""
    return any(Path(mark).exists() for mark in MARKS)


def _refused() -> int:
    """The error with which the kernel refuses a user namespace, or 0."""
    program = PROBE.format(platform=str(Path(tito.__file__).parents[1]))
    return subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, check=False).returncode


def _reads(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
