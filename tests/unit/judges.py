"""A judge without isolation, for what is tested without a sandbox. No fixtures and no tests here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tito.judge.judge import Judge, judging
from tito.models import Limits
from tito.plan.plan import AssignmentPlan
from tito.sandbox.spec import SandboxSpec
from tito.sandbox.unconfined import Unconfined


@contextmanager
def judge_beside(**files: str) -> Iterator[Judge]:
    """A judge without isolation, that finds Python files of these names and contents beside it."""
    with TemporaryDirectory() as folder:
        paths = [Path(folder, f"{name}.py") for name in files]
        for path, text in zip(paths, files.values(), strict=True):
            path.write_text(text)
        place = SandboxSpec(tuple((path, path.name) for path in paths), ("ipython", "numpy"), limits=Limits(1.0))
        with judging(Unconfined(), AssignmentPlan("any", (), place, Path(folder), "", "")) as judge:
            yield judge
