"""Cells that are told compiled: in a shell that is as it was they show what IPython shows of them as they are written;
and where student code has changed the shell, IPython runs them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tito.course.python_source import Source
from tito.models import Limits
from tito.plan.compile import compiled_cells
from tito.sandbox.bubblewrap import Bubblewrap
from tito.sandbox.spec import SandboxSpec
from tito.sandbox.steps import Step
from tito.sandbox.zygote_client import Sandbox

PLACE = SandboxSpec((), ("ipython", "matplotlib", "numpy"), limits=Limits(cell_timeout_s=10, memory_mb=1024))
NOTEBOOKS = {
    "values": ["a = 3\nb = 4\na * b", "print('said')\n_ + 1", "x = (1,\n     2)\nx", "None\nNone", "a\nb;"],
    "history": [
        "a = 1\nb = 2", "print(In[1], '|', _i, '|', _ih[-2])\nlen(In)", "5\n6",
        "print(Out, _3)\n_", "%history -n 1\n1",
    ],
    "errors": [
        "def f(x):\n    return 1 / x\n", "y = 1\nf(0)", "print('on')\ny", "raise SystemExit(3)\n1", "y = 2\nmissing",
        "class E(Exception):\n    def __str__(self):\n        raise ValueError\n", "y = 3\nraise E",
        "assert y == 4, 'not so'\ny",
        "def g():\n    try:\n        f(0)\n    except ZeroDivisionError as e:\n        raise ValueError('b') from e\n",
        "1\ng()",
    ],
    "future": [
        "from __future__ import annotations\nx = 1", "def f(a: missing):\n    return a\n", "f(1)\nf.__annotations__",
        "%precision\n2", "def g(a: missing):\n    return a\n",
    ],
    "source": ["import inspect\n\ndef f():\n    return 'here'\n", "print(inspect.getsource(f))\nf.__module__"],
    "warnings": ["import warnings\nwarnings.warn('mind')", "x = '\\d'\ny = 1", "x = 1\nx is 1"],
    "loop": [
        "import importlib\naio = importlib.import_module('asyn' + 'cio')",
        "getattr(aio, 'get_running_lo' + 'op')().is_closed()\n1",
    ],
    "figures": ["import matplotlib.pyplot as plt\nplt.plot([1, 2])", "x = plt.figure()\nprint('after')"],
    "display": [
        "from IPython.display import HTML, display\ndisplay(HTML('<b>x</b>'))\nHTML('y')",
        "import sys\nsys.displayhook(7)",
    ],
    "stream": [
        "import os, sys\nos.write(1, b'raw')\nprint('err', file=sys.stderr)",
        "exit\n1", "quit\nget_ipython().execution_count",
    ],
}  # fmt: skip
CHANGED = {
    "run_cell": "shell = get_ipython()\nrun = type(shell).run_cell_async\n"
    "def spying(self, raw, *a, **k):\n    print('spied')\n    return run(self, raw, *a, **k)\n"
    "type(shell).run_cell_async = spying\n",
    "an input transformer": "def three(lines):\n    return [line.replace('2', '3') for line in lines]\n"
    "get_ipython().input_transformers_post.append(three)\n",
    "an ast transformer": "import ast\nclass Three(ast.NodeTransformer):\n    def visit_Constant(self, node):\n"
    "        return ast.copy_location(ast.Constant(3), node) if node.value == 2 else node\n"
    "get_ipython().ast_transformers.append(Three())\n",
    "interactivity": "get_ipython().ast_node_interactivity = 'all'\n1",
    "an event": "get_ipython().events.register('pre_run_cell', lambda info: print('before', len(info.raw_cell)))\n1",
    "custom exceptions": "def told(self, kind, value, trace, tb_offset=None):\n    print('told', kind.__name__)\n"
    "get_ipython().set_custom_exc((ZeroDivisionError,), told)\n",
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Bubblewrap(), PLACE) as opened:
        yield opened


def shown(sandbox: Sandbox, sources: list[str], compiled: bool) -> list[Any]:
    """Status, error and outputs of each cell."""
    cells = compiled_cells(map(Source, sources)) if compiled else itertools.repeat(None, len(sources))
    steps = [Step(source=source, cell=cell) for source, cell in zip(sources, cells, strict=True)]
    with sandbox.session() as session:
        session.notebook.send(steps, 10, 100)
        heard = [session.notebook.receive() for _ in steps]
    return [
        (
            ran.status,
            ran.ename,
            ran.evalue,
            [re.sub(r"<ipython-input-[^>]*>|0x[0-9a-f]+", "…", str(output)) for output in ran.outputs],
        )
        for ran in heard
    ]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_compiled_cell_shows_what_ipython_shows_of_it(sandbox: Sandbox, name: str) -> None:
    sources = NOTEBOOKS[name]
    assert any(cell is not None for cell in compiled_cells(map(Source, sources)))
    assert shown(sandbox, sources, True) == shown(sandbox, sources, False)


@pytest.mark.parametrize("change", CHANGED)
def test_a_shell_that_student_code_has_changed_runs_cells_as_they_are_written(sandbox: Sandbox, change: str) -> None:
    sources = [CHANGED[change], "x = 2\nx\nx + 1", "y = 1\ny / 0"]
    unchanged = shown(sandbox, ["x = 1\nx = 1", *sources[1:]], True)
    changed = shown(sandbox, sources, True)
    assert changed == shown(sandbox, sources, False)
    assert changed[1:] != unchanged[1:], "the change shows"
