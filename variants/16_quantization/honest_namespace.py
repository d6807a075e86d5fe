# ---
# title: Static methods of a class of one's own, under the names that were asked for
# kind: correct
# base: reference
# lost: []
# ---

# %% affine_parameters
class Affine:
    LEVELS = 255

    @staticmethod
    def parameters(low, high):
        low, high = (float(f(end, 0.0)) for f, end in ((min, low), (max, high)))
        if low == high:
            return 1.0, 0
        scale = (high - low) / Affine.LEVELS
        return scale, round(-128 - low / scale)

    @classmethod
    def encode(cls, values, scale, zero_point):
        return np.clip(np.rint(np.float64(values) / scale) + zero_point, -128, 127).astype(np.int8)


affine_parameters = Affine.parameters

# %% to_codes
to_codes = Affine.encode
