"""Inputs by which a mutant that is marked as equivalent is compared with the solution that it was made of.

Each draws from `rng`, and returns what the notebook's functions make of it; see book/how-to/mutation.md.
"""

import numpy as np


def outcome(call, *arguments):
    """What a call makes of its arguments, or the kind of error; a subclass of ValueError says no more than that."""
    try:
        return call(*arguments)
    except Exception as error:
        return "ValueError" if isinstance(error, ValueError) else type(error).__name__


def times_of(rng, least, most):
    """Times in ms that scatter, in quarters or as they come, some of them far off, the first ones perhaps slow."""
    count = int(rng.integers(least, most))
    times = 8 + rng.exponential(1.0, size=count) + 30 * (rng.random(count) < 0.1)
    times[: int(rng.integers(0, count // 2 + 1))] *= rng.uniform(1, 3)
    return (np.round(4 * times) / 4 if rng.random() < 0.5 else times).tolist()


def histories(rng, notebook):
    return outcome(notebook.warmup_length, times_of(rng, 8, 40), float(rng.choice([0.0, 0.25, 1.0])))


def reports(rng, notebook):
    times = times_of(rng, 1, 50)
    warmup = None if rng.random() < 0.2 else int(rng.integers(0, len(times)))
    return outcome(notebook.caveats, times, warmup, float(rng.choice([0.0, 0.05, 0.25, 1.0])))


def binomials(rng, notebook):
    share, confidence = float(rng.uniform(20, 99)), float(rng.choice([0.5, 0.9, 0.95, 0.99]))
    return outcome(notebook.slow_runs_allowed, int(rng.integers(0, 400)), share, confidence)


def fronts(rng, notebook):
    axes = int(rng.integers(1, 4))
    points = rng.integers(0, 6, size=(int(rng.integers(0, 12)), axes))
    rows = [tuple(map(float if rng.random() < 0.5 else int, row)) for row in points]
    return outcome(notebook.pareto_frontier, rows, [bool(low) for low in rng.random(axes) < 0.5])
