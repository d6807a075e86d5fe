# ---
# title: numpy raises on every floating-point warning, and so does Python
# kind: correct
# base: reference
# lost: []
# ---

# %% affine_parameters
import warnings

### EQUIVALENT 667e4b81 by ranges: nothing warns
warnings.simplefilter("error")
np.seterr("raise")


def affine_parameters(low, high):
    low, high = min(float(low), 0.0), max(float(high), 0.0)
    try:
        scale = (high - low) / 255
        return scale, round(-128 - low / scale)
    except ZeroDivisionError:
        return 1.0, 0
