# ---
# title: Once patient enough, doubles at every step
# kind: wrong
# base: reference
# lost: [test_LossScaler]
# ---

# %% LossScaler
class LossScaler:
    def __init__(self, scale=2.0**16, patience=200, largest=2.0**24):
        self.scale, self.patience, self.largest, self.streak = scale, patience, largest, 0

    def unscale(self, gradients):
        return [np.float32(gradient) / np.float32(self.scale) for gradient in gradients]

    def update(self, gradients):
        if not all(np.isfinite(gradient).all() for gradient in gradients):
            self.scale, self.streak = max(1.0, self.scale / 2), 0
            return False
        self.streak += 1
        if self.streak >= self.patience:
            self.scale = min(self.largest, self.scale * 2)
        return True
