"""Installed as etc/jupyter/jupyter_config.py, which every program of Jupyter's reads, whatever file is named to it.

A course with a course.toml is graded by tito's engine, and not by nbgrader's own: see tito/bridge/guard.py. The folder
that nbgrader was started in is on Python's path, and may be a student's; nothing is imported from it here.
"""

import sys
from pathlib import Path

if "nbgrader.apps" in sys.modules:
    search_path, here = sys.path[:], Path.cwd()
    sys.path[:] = [entry for entry in search_path if entry and Path(entry) != here]
    try:
        from tito.bridge.guard import watch
    except ImportError as error:  # this file is also read by other environments, where it is the system's
        if any((folder / "course.toml").is_file() for folder in (here, *here.parents)):
            sys.exit(
                f"nbgrader: {here} belongs to a course of tito's, which {sys.executable} cannot import ({error}). "
                "Run the nbgrader of the environment that has it; 'tito doctor' tells which that is."
            )
    else:
        watch()
    finally:
        sys.path[:] = search_path
