# ---
# title: The range is the average of those of the samples
# kind: wrong
# base: reference
# lost: [test_calibrate]
# ---

# %% calibration_range
def calibration_range(sample_inputs: list[Tensor]) -> tuple[float, int]:
    low = np.mean([sample.data.min() for sample in sample_inputs])
    high = np.mean([sample.data.max() for sample in sample_inputs])
    return affine_parameters(low, high)
