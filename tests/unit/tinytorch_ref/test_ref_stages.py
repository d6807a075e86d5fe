"""What a student at module N is given: everything below N, working, and nothing of N or above."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import tinytorch_ref
from tito.course.course import load_course

ROOT = Path(tinytorch_ref.__file__).parents[1]
FIRST_WITH_GRADIENTS = 6  # autograd is module 05


def module_number(path: Path) -> int:
    return int(path.read_text(encoding="utf-8")[10:12])


@pytest.mark.parametrize("below", range(2, 21))
def test_a_stage_imports_by_itself_and_holds_nothing_of_its_module_or_above(below: int, tmp_path: Path) -> None:
    package = load_course(ROOT).stage(below, tmp_path)
    assert package is not None
    files = [path for path in package.rglob("*.py") if path.name != "__init__.py"]
    assert max(map(module_number, files)) < below
    expected = {
        path.relative_to(ROOT / "tinytorch_ref")
        for path in (ROOT / "tinytorch_ref").rglob("*.py")
        if path.name != "__init__.py" and module_number(path) < below
    }
    assert {path.relative_to(package) for path in files} == expected
    assert bool(list(package.rglob("digits.npz"))) == (below > 8)
    names = [".".join(path.relative_to(tmp_path).with_suffix("").parts) for path in files]
    program = (
        f"for name in {names!r}: __import__(name)\n"
        "from tinytorch.core.tensor import Tensor\n"
        f"assert (Tensor._recorder is not None) == {below >= FIRST_WITH_GRADIENTS}\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, timeout=60)
