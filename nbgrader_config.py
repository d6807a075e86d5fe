"""Hands nbgrader the settings of this course and our engine: its own commands and formgrader work on the same data."""

import sys
from pathlib import Path

try:
    from tito.bridge.guard import configure
except ImportError as error:  # nbgrader would log it, and grade with its own engine
    sys.exit(
        f"nbgrader: {__file__} needs tito, which {sys.executable} cannot import ({error}). Run the nbgrader of the "
        "environment that has it; 'tito doctor' tells which that is."
    )

configure(get_config(), Path(__file__).resolve().parent)  # type: ignore[name-defined]  # noqa: F821  (traitlets has it)
