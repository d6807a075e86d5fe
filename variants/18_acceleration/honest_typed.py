# ---
# title: With all annotations
# kind: correct
# base: reference
# lost: []
# ---

# %% multiply_tiles
from typing import Protocol


class Matrix(Protocol):
    shape: tuple[int, int]

    def __getitem__(self, place: tuple[slice, slice]) -> np.ndarray: ...


def multiply_tiles(a: Matrix, b: Matrix, out: Matrix, tile_size: int) -> None:
    n, inner = a.shape
    m: int = b.shape[1]
    for rows in blocks(n, tile_size):
        for columns in blocks(m, tile_size):
            total: np.ndarray = np.zeros((rows.stop - rows.start, columns.stop - columns.start), dtype=np.float32)
            for middle in blocks(inner, tile_size):
                np.add(total, a[rows, middle] @ b[middle, columns], out=total)
            out[rows, columns] = total

# %% mixed_matmul
def mixed_matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    half: list[np.ndarray] = [factor.astype(np.float16).astype(np.float32) for factor in (a, b)]
    return np.matmul(half[0], half[1])
