"""nbgrader's commands for tests: it is imported once, and each command is a fork with its own environment and folder.

Run as a script: reads a command a line (JSON: cwd, env, argv, code, path, timeout) and answers with its exit code and
what it said.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIMEOUT_S = 240


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def output(self) -> str:
        return self.out + self.err


class Commands:
    """Runs commands in a helper process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(
        self, cwd: Path, environment: dict[str, str], *argv: str, code: str = "", path: str | Path = ""
    ) -> Ran:
        """Run `nbgrader` with arguments, or Python code beside it; `path` is the folder that Python would find its
        modules in first: that of the script `nbgrader`, unless it is said."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        first = str(path or Path(sys.executable).parent)
        task = {"cwd": str(cwd), "env": environment, "argv": argv, "code": code, "path": first}
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        return Ran(**json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        self._process.communicate()


@functools.cache
def nbgrader_forks() -> Commands:
    """One helper for all tests of this process."""
    helper = Commands()
    atexit.register(helper.close)
    return helper


def _serve() -> None:
    import gc

    import nbgrader.apps  # noqa: F401  (loaded ahead of the forks)
    import nbgrader.apps.nbgraderapp  # noqa: F401  (the same)
    import nbgrader.server_extensions.assignment_list.handlers  # noqa: F401  (the same)

    gc.freeze()
    for line in sys.stdin:
        task = json.loads(line)
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            child = os.fork()
            if child == 0:
                os._exit(_run(task, out.fileno(), err.fileno()))
            code = _ended(child)
            for file in (out, err):
                file.seek(0)
            sys.stdout.write(json.dumps({"code": code, "out": out.read(), "err": err.read()}) + "\n")
            sys.stdout.flush()


def _ended(child: int) -> int:
    """The exit code of a child, which is killed when it takes too long."""
    handle = os.pidfd_open(child)
    if not select.select([handle], [], [], TIMEOUT_S)[0]:
        os.kill(child, signal.SIGKILL)
    os.close(handle)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _run(task: dict[str, Any], out: int, err: int) -> int:
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.chdir(task["cwd"])
    os.environ.clear()
    os.environ.update(task["env"])
    sys.path[0] = task["path"]
    try:
        if task["code"]:
            exec(compile(task["code"], "code", "exec"), {})
        else:
            from nbgrader.apps.nbgraderapp import main

            sys.argv = ["nbgrader", *task["argv"]]
            main()
    except SystemExit as ended:
        if isinstance(ended.code, str):
            sys.stderr.write(f"{ended.code}\n")
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001  (the edge of the fork: it must not go on as its parent)
        traceback.print_exc()
        code = 99
    else:
        code = 0
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    _serve()
