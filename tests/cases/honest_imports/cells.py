# %% total
from __future__ import annotations

import collections
import decimal
import fractions
import itertools
import json
import math
import pathlib
import sqlite3
import statistics

import matplotlib


def total(values: list[float]) -> float:
    return math.fsum(values)

# %% running
def running(values):
    return [float(value) for value in itertools.accumulate(values)]
