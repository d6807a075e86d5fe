# ---
# title: Only the last sample is looked at
# kind: wrong
# base: reference
# lost: [test_calibrate]
# ---

# %% calibration_range
def calibration_range(sample_inputs: list[Tensor]) -> tuple[float, int]:
    low = min(sample.data.min() for sample in sample_inputs[-1:])
    high = max(sample.data.max() for sample in sample_inputs[-1:])
    return affine_parameters(low, high)
