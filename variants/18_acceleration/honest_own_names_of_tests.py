# ---
# title: Uses names that tests use too, and imports again what is there
# kind: correct
# base: reference
# lost: []
# ---

# %% multiply_tiles
import numpy as np
from tinytorch.core.tensor import Tensor

journal = counts = is_right = moved = None


def multiply_tiles(a, b, out, tile_size):
    for rows in blocks(a.shape[0], tile_size):
        for columns in blocks(b.shape[1], tile_size):
            total = np.zeros((rows.stop - rows.start, columns.stop - columns.start), dtype=np.float32)
            for middle in blocks(a.shape[1], tile_size):
                total += a[rows, middle] @ b[middle, columns]
            out[rows, columns] = total

# %% LossScaler
taken = scales = good = bad = scaler = None


class LossScaler:
    def __init__(self, scale=2.0**16, patience=200, largest=2.0**24):
        self.scale, self.patience, self.largest, self.good = scale, patience, largest, 0

    def unscale(self, gradients):
        return [np.asarray(gradient).astype(np.float32) / np.float32(self.scale) for gradient in gradients]

    def update(self, gradients):
        if all(np.isfinite(gradient).all() for gradient in gradients):
            self.good += 1
            if self.good == self.patience:
                self.scale, self.good = min(self.scale * 2, self.largest), 0
            return True
        self.scale, self.good = max(1.0, self.scale / 2), 0
        return False
