"""Hands nbgrader the settings of this course and our engine: its own commands and formgrader work on the same data."""

from pathlib import Path

from tito.course import load_course
from tito.grade.preprocess import install
from tito.nbgrader_settings import settings

c = get_config()  # type: ignore[name-defined]  # noqa: F821  (traitlets defines it)
c.merge(settings(load_course(Path(__file__).resolve().parent)))
install()
