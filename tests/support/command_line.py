"""The command line, run in the tests' own process. No fixtures and no tests here."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from nbgrader_forks import nbgrader_forks

import tito.cli


@dataclass
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """Its one line of error."""
        lines = self.err.strip().splitlines()
        assert len(lines) == 1, self.err
        return lines[0]


Tito = Callable[..., Done]
FACTS = "tito.bridge.nbgrader_facts"


def command_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tito:
    """Runs `tito` in a folder, in this process: importing it anew for each test would take most of the time. So would
    importing nbgrader, for the process that `tito init` asks what nbgrader makes of the folder."""
    processes = SimpleNamespace(run=facts_of_a_fork, TimeoutExpired=subprocess.TimeoutExpired)
    monkeypatch.setattr("tito.bridge.nbgrader_facts.subprocess", processes)

    def run(folder: Path, *arguments: str) -> Done:
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["tito", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            tito.cli.main()
            sys.exit(0)
        out, err = capsys.readouterr()
        return Done(int(ended.value.code or 0), out, err)

    return run


def facts_of_a_fork(command: list[str], cwd: Path, **_: object) -> subprocess.CompletedProcess[str]:
    """The process that reads nbgrader's settings, forked from one that has imported nbgrader."""
    assert command[:4] == [sys.executable, "-P", "-m", FACTS]
    code = f"import runpy, sys\nsys.argv = {command[3:]!r}\nrunpy.run_module({FACTS!r}, run_name='__main__')"
    ran = nbgrader_forks()(cwd, dict(os.environ), code=code)
    return subprocess.CompletedProcess(command, ran.code, ran.out, ran.err)
