# ---
# title: The zero point is subtracted where codes are made
# kind: wrong
# base: reference
# lost: [test_to_codes]
# ---

# %% to_codes
def to_codes(values: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    steps = np.rint(np.asarray(values, dtype=np.float64) / scale) - zero_point
    codes: np.ndarray = np.clip(steps, INT8_MIN, INT8_MAX).astype(np.int8)
    return codes
