# ---
# title: Everything in as few characters as possible
# kind: correct
# base: reference
# lost: []
# ---

# %% affine_parameters
def affine_parameters(low, high):
    l, h = min(float(low), 0), max(float(high), 0)
    return (s := (h - l) / 255, round(-128 - l / s)) if h > l else (1.0, 0)

# %% int8_matmul
int8_matmul = lambda x, zx, w, zw: (x.astype("i4") - zx) @ (w.astype("i4") - zw)
