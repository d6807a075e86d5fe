# ---
# title: The scaler as a dataclass
# kind: correct
# base: reference
# lost: []
# ---

# %% LossScaler
from dataclasses import dataclass, field


@dataclass
class LossScaler:
    scale: float = 2.0**16
    patience: int = 200
    largest: float = 2.0**24
    good_steps: int = field(default=0, init=False)

    def unscale(self, gradients):
        return [gradient.astype(np.float32) * np.float32(1 / self.scale) for gradient in gradients]

    def update(self, gradients):
        finite = all(bool(np.isfinite(gradient).all()) for gradient in gradients)
        if not finite:
            self.scale = max(self.scale * 0.5, 1.0)
        elif self.good_steps + 1 == self.patience:
            self.scale = min(self.scale * 2, self.largest)
            finite, self.good_steps = True, -1
        self.good_steps = self.good_steps + 1 if finite else 0
        return finite
