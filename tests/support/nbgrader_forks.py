"""nbgrader's commands for tests: it is imported once, and each command is a fork with its own environment and folder.

Run as a script: reads a command a line (JSON: cwd, env, argv or code) and answers with its exit code and what it said.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    output: str


class Commands:
    """Runs commands in a helper process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(self, cwd: Path, environment: dict[str, str], *argv: str, code: str = "") -> Ran:
        """Run `nbgrader` with arguments, or Python code beside it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        task = {"cwd": str(cwd), "env": environment, "argv": argv, "code": code}
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        return Ran(**json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        self._process.communicate()


def _serve() -> None:
    import nbgrader.apps  # noqa: F401  (loaded ahead of the forks)
    import nbgrader.apps.nbgraderapp  # noqa: F401  (the same)
    import nbgrader.server_extensions.assignment_list.handlers  # noqa: F401  (the same)

    for line in sys.stdin:
        task = json.loads(line)
        with tempfile.TemporaryFile("w+") as output:
            child = os.fork()
            if child == 0:
                os._exit(_run(task, output.fileno()))
            _, status = os.waitpid(child, 0)
            output.seek(0)
            sys.stdout.write(json.dumps({"code": os.waitstatus_to_exitcode(status), "output": output.read()}) + "\n")
            sys.stdout.flush()


def _run(task: dict[str, Any], out: int) -> int:
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.chdir(task["cwd"])
    os.environ.clear()
    os.environ.update(task["env"])
    try:
        if task["code"]:
            exec(compile(task["code"], "code", "exec"), {})
        else:
            from nbgrader.apps.nbgraderapp import main

            sys.argv = ["nbgrader", *task["argv"]]
            main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001  (the edge of the fork: it must not go on as its parent)
        traceback.print_exc()
        code = 99
    else:
        code = 0
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    _serve()
