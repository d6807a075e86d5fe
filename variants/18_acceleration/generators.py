"""Inputs by which a mutant that is marked as equivalent is compared with the solution that it was made of.

Each draws from `rng`, and returns what the notebook's functions make of it; see book/how-to/mutation.md.
"""


def outcome(call, *arguments):
    """What a call makes of its arguments, or the kind of error; a subclass of ValueError says no more than that."""
    try:
        return call(*arguments)
    except Exception as error:
        return "ValueError" if isinstance(error, ValueError) else type(error).__name__


def products(rng, notebook):
    """Matrices with up to two axes in front, of which many do not fit."""
    left, right = (
        notebook.Tensor(rng.normal(size=tuple(int(length) for length in rng.integers(1, 4, size=rng.integers(1, 5)))))
        for _ in range(2)
    )
    answer = outcome(notebook.vectorized_matmul, left, right)
    return answer if isinstance(answer, str) else answer.data


def cuts(rng, notebook):
    """Lengths of 0 and more, sizes below and above 0."""
    answer = outcome(notebook.blocks, int(rng.integers(0, 20)), int(rng.integers(-3, 8)))
    return answer if isinstance(answer, str) else [[part.start, part.stop] for part in answer]
