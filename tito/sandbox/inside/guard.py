"""Before a test that runs beside student code: what its asserts rely on is compared with how it was, and put back.

Such a test can be forged all the same: student code shares its process, and whoever wants to can undo what is done
here, or read what the test expects. This stops accidents and common tricks, and tells the grader about them.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import threading
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

WATCHED = (
    *("builtins", "math", "operator", "unittest.case"),
    *("numpy", "numpy.linalg", "numpy.testing", "numpy.testing._private.utils"),
)
VARIABLES = ("NBGRADER_EXECUTION",)  # by which a test knows that it is graded
LIBRARIES = ("IPython.", "matplotlib", "tito.")  # whose hooks are no student's
MOST_NOTES = 10


class Guard:
    """How things were before any student code ran."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.variables = {name: os.environ[name] for name in VARIABLES if name in os.environ}
        modules = [importlib.import_module(name) for name in WATCHED]
        self.modules = [(module, dict(vars(module))) for module in modules]
        self.class_of_shell = {cls: dict(vars(cls)) for cls in (type(shell), InteractiveShell)}
        manager = shell.input_transformer_manager
        self.lists = [
            (transforms, list(transforms)) for transforms in (manager.cleanup_transforms, manager.line_transforms)
        ]
        self.lists += [
            (transforms, list(transforms)) for transforms in (manager.token_transformers, shell.input_transformers_post)
        ]

    def restore(self) -> list[str]:
        """Put back what was changed, and say what it was."""
        changed = [f"{module.__name__}.{name}" for module, before in self.modules for name in _put_back(module, before)]
        changed += [
            f"get_ipython().{name}" for cls, before in self.class_of_shell.items() for name in _put_back(cls, before)
        ]
        changed += [f"get_ipython().{name}" for name in ("run_cell", "run_code", "run_ast_nodes") if self._own(name)]
        changed += self._hooks() + self._variables()
        return [f"`{name}`" for name in dict.fromkeys(changed)][:MOST_NOTES]

    def _variables(self) -> list[str]:
        changed = [name for name, value in self.variables.items() if os.environ.get(name) != value]
        os.environ |= self.variables
        return [f"os.environ['{name}']" for name in changed]

    def _own(self, name: str) -> bool:
        return vars(self.shell).pop(name, None) is not None

    def _hooks(self) -> list[str]:
        """Code of the student's that runs around or within each cell, or that would change its source."""
        changed = ["get_ipython().ast_transformers"] if self.shell.ast_transformers else []
        self.shell.ast_transformers.clear()
        for transforms, before in self.lists:
            if transforms != before:
                changed.append("get_ipython().input_transformers")
                transforms[:] = before
        for name, callbacks in self.shell.events.callbacks.items():
            students = [
                callback for callback in callbacks if not str(getattr(callback, "__module__", "")).startswith(LIBRARIES)
            ]
            changed += [f"get_ipython().events ({name})"] * bool(students)
            callbacks[:] = [callback for callback in callbacks if callback not in students]
        if sys.gettrace() is not None or sys.getprofile() is not None:
            changed.append("sys.settrace")
        for stop in (sys.settrace, sys.setprofile, threading.settrace, threading.setprofile):
            stop(None)
        return changed


def _put_back(owner: Any, before: dict[str, Any]) -> list[str]:
    changed = [name for name, value in before.items() if vars(owner).get(name) is not value]
    for name in changed:
        with contextlib.suppress(AttributeError, TypeError):
            setattr(owner, name, before[name])
    return [name for name in changed if not name.startswith("__")]
