"""Writes the submitted folder of this case."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

from cases_support import NOTEBOOK


def make(released: dict[str, Any], folder: Path) -> None:
    here = os.open(folder, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(f"/proc/self/fd/{here}/{NOTEBOOK}")
    os.close(here)
