"""Writes the submitted folder of this case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cases_support import write


def make(released: dict[str, Any], folder: Path) -> None:
    write(folder, {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": [1, {"x": []}]}, 5]})
