"""The command line, run in the tests' own process. No fixtures and no tests here."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

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


def command_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tito:
    """Runs `tito` in a folder, in this process: importing it anew for each test would take most of the time."""

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
