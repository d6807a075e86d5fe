"""Tito: autograded assignments for programming-heavy ML courses, on nbgrader."""

__version__ = "0.1.0"
