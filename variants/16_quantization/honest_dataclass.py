# ---
# title: A frozen dataclass for the code, with properties
# kind: correct
# base: reference
# lost: []
# ---

# %% affine_parameters
from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    low: float
    high: float

    @property
    def scale(self):
        return (self.high - self.low) / 255 or 1.0

    @property
    def zero_point(self):
        return round(-128 - self.low / self.scale) if self.high > self.low else 0


def affine_parameters(low: float, high: float) -> tuple[float, int]:
    code = Code(min(0.0, float(low)), max(0.0, float(high)))
    return code.scale, code.zero_point
