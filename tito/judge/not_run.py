"""What student code returned or wrote is looked at by a test that runs in the judge, and never run by it.

Where a test's own code would (`pickle.load`, an import from the folder, a program), Python's audit events say so, by
whatever name it goes there: the test stops with an error. On the reference that means that it is judged another way.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import Any

# Objects of any class that a file names, programs, and libraries of machine code.
REFUSED = frozenset(
    ("pickle.find_class", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "pty.spawn")
) | frozenset(("sqlite3.enable_load_extension", "sqlite3.load_extension"))


def refuse_to_run(folder: str) -> None:
    """Refuse it from now on, for the rest of this process; `folder` is where files of student code's lie."""
    sys.addaudithook(partial(_hook, f"{os.path.realpath(folder)}/"))


def _hook(folder: str, event: str, details: tuple[Any, ...]) -> None:
    if event in REFUSED:
        raise PermissionError(f"a test that is judged apart from student code does not run what that gives ({event})")
    if event == "compile" and _is_inside(details[1], folder):
        name = str(details[1]).rpartition("/")[2].partition(".")[0]
        raise ModuleNotFoundError("modules of the notebook's are not run where a test is judged", name=name)
    if event == "ctypes.dlopen" and _is_inside(details[0], folder):
        raise PermissionError("libraries of the notebook's are not run where a test is judged")


def _is_inside(path: Any, folder: str) -> bool:
    """Whether that names a file of the folder; `<test 1>` names none."""
    return isinstance(path, str) and not path.startswith("<") and os.path.realpath(path).startswith(folder)
