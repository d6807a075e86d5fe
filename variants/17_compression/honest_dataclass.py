# ---
# title: Frozen dataclasses for what is ranked, with properties
# kind: correct
# base: reference
# lost: []
# ---

# %% magnitude_masks
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Place:
    magnitude: float
    which: int
    index: int


def magnitude_masks(weights, sparsity):
    if not 0 <= sparsity <= 1:
        raise ValueError("a fraction is asked for")
    places = [
        Place(float(abs(number)), which, index)
        for which, array in enumerate(weights)
        for index, number in enumerate(array.flat)
    ]
    gone = set(sorted(places)[: round(sparsity * len(places))])
    rows = [[Place(float(abs(number)), which, index) not in gone for index, number in enumerate(array.flat)]
            for which, array in enumerate(weights)]
    ### EQUIVALENT e22b7a81 by masks: truth values are of dtype bool
    return [np.array(row, dtype=bool).reshape(array.shape) for row, array in zip(rows, weights)]

# %% low_rank_approximate
@dataclass
class Shape:
    rows: int
    columns: int
    ratio: float

    @property
    def rank(self):
        return max(1, round(self.ratio * min(self.rows, self.columns)))

    @property
    def gains(self):
        return self.rank * (self.rows + self.columns) <= self.rows * self.columns


def low_rank_approximate(weight_matrix, rank_ratio=0.5):
    shape = Shape(*weight_matrix.shape, rank_ratio)
    if not shape.gains:
        raise ValueError("nothing to gain")
    u, s, v = np.linalg.svd(weight_matrix)
    return u[:, : shape.rank], s[: shape.rank], v[: shape.rank]
