"""Kernels for tests: what they import is imported once, and each kernel is a fork, with an environment of its own.

Run as a script: reads a kernel a line (JSON: argv, env, cwd) and answers with the number of its process.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

PACKAGES = ("ipykernel.ipkernel", "ipykernel.kernelapp", "matplotlib_inline.backend_inline", "otter", "otter.execute")


def fork_kernels() -> None:
    """Have jupyter_client fork the kernels that this process starts from here on."""
    from jupyter_client.provisioning import local_provisioner

    mock.patch.object(local_provisioner, "launch_kernel", Template().launch).start()


class Template:
    """The process that kernels are forked from; it ends with the one that started it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        atexit.register(self._process.communicate)

    def launch(self, cmd: list[str], *, cwd: str | None = None, env: dict[str, str] | None = None, **_: Any) -> Kernel:
        """What jupyter_client's `launch_kernel` does with the command of a Python kernel."""
        assert cmd[1:3] == ["-m", "ipykernel_launcher"]
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        kernel = {"argv": cmd[2:], "cwd": str(cwd or Path.cwd()), "env": dict(os.environ if env is None else env)}
        self._process.stdin.write(json.dumps(kernel) + "\n")
        self._process.stdin.flush()
        return Kernel(int(self._process.stdout.readline()))


class Kernel:
    """A kernel that runs, with what jupyter_client wants of a `Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._handle = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """None while it runs. How it ended is not known: nobody asks."""
        if self._handle >= 0 and select.select([self._handle], [], [], 0)[0]:
            os.close(self._handle)
            self._handle = -1
        return None if self._handle >= 0 else 0

    def wait(self) -> int:
        if self._handle >= 0:
            select.select([self._handle], [], [])
        return self.poll() or 0

    def send_signal(self, number: int) -> None:
        if self._handle >= 0:
            signal.pidfd_send_signal(self._handle, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


# ---- the template ------------------------------------------------------------------------------


def _serve() -> None:
    import gc
    import importlib

    for package in PACKAGES:
        importlib.import_module(package)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel of the machine forgets those that have ended
    line = sys.stdin.readline()
    while line:
        sys.stdout.write(f"{_forked(json.loads(line))}\n")
        sys.stdout.flush()
        line = sys.stdin.readline()


def _forked(kernel: dict[str, Any]) -> int:
    """The number of a kernel's process, once its group is its own: jupyter_client sends signals to all of the group."""
    ready, begun = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.close(begun)
        os.close(ready)
        _become(**kernel)
    os.close(begun)
    os.read(ready, 1)
    os.close(ready)
    return pid


def _become(argv: list[str], env: dict[str, str], cwd: str) -> None:
    """Run a kernel in this process, as `python -m ipykernel_launcher` would in one of its own."""
    import numpy
    from ipykernel.kernelapp import launch_new_instance

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env | {"JPY_PARENT_PID": str(os.getppid())})
    numpy.random.seed()  # else all would draw the same; `random` sees to it itself
    sys.argv = argv
    code = 1
    try:
        launch_new_instance()
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    _serve()
