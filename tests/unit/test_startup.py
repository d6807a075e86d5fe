"""What `tito` spares itself at its start: nothing that is asked for is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

START = "from tito.cli.startup import spare_start_up; spare_start_up(); import sys; "


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", START + code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_gradebook_does_without_a_web_server() -> None:
    assert run("import nbgrader.api; print('jupyter_server' in sys.modules)") == "False"


@pytest.mark.parametrize("code", ["import nbgrader", "from nbgrader import api", "import nbgrader.apps"])
def test_what_the_package_makes_is_there_when_it_is_asked_for(code: str) -> None:
    output = run(f"{code}; import nbgrader; print(nbgrader.__version__, nbgrader._jupyter_server_extension_points())")
    assert output.startswith("0.9.")
    assert "'module': 'nbgrader'" in output


def test_what_is_not_there_is_missed() -> None:
    output = run("import nbgrader\ntry:\n    nbgrader.nothing\nexcept AttributeError as error:\n    print(error)")
    assert "nothing" in output
