"""Cells with magics: which names flow through them, told from their text."""

from __future__ import annotations

import pytest

from tito.course.python_source import Source
from tito.plan.magics import flow_with_magics, plain_python


@pytest.mark.parametrize(
    ("source", "bound", "read"),
    [
        ("%%time\ny = f(x)", {"y"}, {"f", "x"}),
        ("%%timeit\ny = f(x)", set(), {"f", "x"}),
        ("%%capture out\ny = 1", {"y"}, {"out"}),
        ("%time y = g(1)\nz = 2", {"z"}, {"y", "g", "time"}),
        ("files = !ls {folder}\nn = len(files)", {"files", "n"}, {"folder", "len"}),
        ("if x:\n    !ls\nhelp?", set(), {"x"}),
        ("%%bash\necho $name", set(), {"name"}),
    ],
)
def test_names_flow_through_magics(source: str, bound: set[str], read: set[str]) -> None:
    flow = flow_with_magics(Source(source))
    assert flow is not None
    assert flow.bound == bound
    assert read <= flow.read


def test_a_percent_sign_is_no_magic() -> None:
    assert plain_python("x = 7 % 2\ny = '%d' % x") == "x = 7 % 2\ny = '%d' % x"
    assert flow_with_magics(Source("x = (")) is None
