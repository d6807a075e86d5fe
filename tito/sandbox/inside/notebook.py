"""What sessions of a sandbox for notebooks are forked from: IPython's shell, and what every notebook imports.

One of the roles that a zygote can have, see `zygote`; the judge's is another.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import random
import sys
from typing import Any, NoReturn

import numpy as np
import numpy.random  # not with numpy itself, but when it is first asked for

from tito.sandbox.inside.codec import Channel
from tito.sandbox.inside.guard import Guard
from tito.sandbox.inside.rehearsed import rehearse_questions
from tito.sandbox.inside.runner import make_shell, rehearse
from tito.sandbox.inside.server import Server
from tito.sandbox.inside.shared_resources import SharedResources

SEED = 2018


def rehearse_figures() -> None:
    """Draw a figure that nobody will see, where the instructor's cells import pyplot: fonts, what writes mathematics,
    and what makes a picture are then read once for all notebooks. No backend is chosen yet, and pyplot knows no figure.
    """
    if "matplotlib.pyplot" not in sys.modules:
        return
    with contextlib.suppress(Exception):
        figure = importlib.import_module("matplotlib.figure").Figure()
        importlib.import_module("matplotlib.backends.backend_agg").FigureCanvasAgg(figure)
        left, right = figure.subplots(1, 2)
        left.plot([1, 2, 3], label="text")
        left.legend()
        left.set(title="title", xlabel="x", ylabel="y")
        right.scatter([1, 10], [1, 1000])
        right.set(xscale="log", yscale="log")
        figure.canvas.print_figure(io.BytesIO(), format="png", bbox_inches="tight")


class Role:
    """A shell, warm; and in a session, the server that runs its cells."""

    def __init__(self, settings: dict[str, Any]) -> None:
        rehearse()
        self.shell = make_shell(settings["output_bytes"])

    def warm(self, order: dict[str, Any], plan: bytes) -> None:
        """Import what the instructor's cells import. What fails here will fail in the notebook, where it is shown."""
        for statement in order["imports"]:
            with contextlib.suppress(Exception):
                exec(statement, {})
        rehearse_figures()
        self.shell.outputs.reset()
        if order["guarded"]:  # there are tests without a judge half, which ask for the notebook's objects
            rehearse_questions()
            self.shell.guard = Guard(self.shell)

    def serve(self, channel: Channel, branches: dict[int, int], shared_resources: SharedResources | None) -> NoReturn:
        """In a session: answer the grader. Called after the last fork, which seeds `random` anew."""
        random.seed(SEED)
        np.random.seed(SEED)
        channel.send({"op": "ready"})
        Server(self.shell, channel, branches, shared_resources).serve()
