"""How a zygote is started: what every backend says of it, and what stands in its arguments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tito.sandbox.spec import SandboxSpec

VARIABLES = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "NBGRADER_EXECUTION": "autograde",
}
BOOT = "import sys; sys.path[:0] = {paths!r}; from tito.sandbox.inside.zygote import main; main()"


class Backend(Protocol):
    """A way to isolate; its `name` is recorded with the grades."""

    name: str

    def launch(self, spec: SandboxSpec, fd: int) -> Launch:
        """How to start a zygote in isolation, that listens on the socket with the descriptor `fd`."""
        ...


@dataclass(frozen=True)
class Launch:
    """How to start a zygote: argv, environment, the descriptors it inherits beside its own, and its folder."""

    argv: list[str]
    pass_fds: tuple[int, ...] = ()
    env: Mapping[str, str] = field(default_factory=lambda: {"PATH": "/usr/bin:/bin"})
    scratch: Path | None = None  # a folder to start in, and to remove at the end
    in_memory: bool = False  # whether sessions have file systems of their own in memory
    supervisors: bool = False  # whether sessions have supervisors, see `supervisor`
    patience_s: float = 5.0  # with a zygote that ends by itself when it is hung up on


def boot(paths: list[str], settings: dict[str, Any]) -> list[str]:
    """Interpreter arguments that start a zygote, with `paths` first on sys.path."""
    return ["-s", "-P", "-S", "-B", "-c", BOOT.format(paths=paths), json.dumps(settings)]


def zygote_settings(
    spec: SandboxSpec, fd: int, *, home: str, files: str, confined: bool, layers: bool = False
) -> dict[str, Any]:
    """A zygote's settings: the socket that it listens on, its folders, and the limits that hold for each session."""
    limits = spec.limits
    rlimits = {
        "RLIMIT_FSIZE": limits.scratch_mb << 20,
        "RLIMIT_CPU": int(limits.notebook_timeout_s) + 10,
        "RLIMIT_NOFILE": 256,
        "RLIMIT_CORE": 0,
    }
    if confined:  # counted within the session's own user namespace; unconfined, it would count the grader's processes
        rlimits["RLIMIT_NPROC"] = limits.processes
    return {
        "fd": fd,
        "home": home,
        "files": files,
        "confined": confined,
        "fence": None,  # what `landlock_session` needs, in place of namespaces
        "uid": 0,
        "role": spec.role,
        "staged": spec.staged,
        "copied_mb": spec.copied_mb,
        "layered": layers,  # whether a layer may be laid over the files; the zygote finds out whether it can be
        "own_homes": "",  # a folder in which each session is to make itself a home, where it has no other
        "offline": spec.offline,
        "scratch_mb": limits.scratch_mb,
        "memory_mb": limits.memory_mb,
        "output_bytes": limits.output_kb * 1024,
        "rlimits": rlimits,
    }
