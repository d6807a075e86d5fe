# ---
# title: Errors of its own, which are ValueErrors
# kind: correct
# base: reference
# lost: []
# ---

# %% vectorized_matmul
class ShapeError(ValueError):
    """Shapes that do not fit."""


def vectorized_matmul(a, b):
    if a.data.ndim < 2 or b.data.ndim < 2 or a.shape[-1] != b.shape[-2]:
        raise ShapeError(f"{a.shape} and {b.shape}")
    return Tensor(np.einsum("...ij,...jk->...ik", a.data, b.data, optimize=True))

# %% blocks
class NoBlock(ValueError):
    """A block without a place."""


def blocks(length, size):
    if size < 1:
        raise NoBlock(size)
    return [slice(start, min(start + size, length)) for start in range(0, length, size)]
