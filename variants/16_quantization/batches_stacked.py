# ---
# title: Samples are put into one array, which batches of different shapes cannot be
# kind: wrong
# base: reference
# lost: [test_calibrate]
# ---

# %% calibration_range
def calibration_range(sample_inputs: list[Tensor]) -> tuple[float, int]:
    samples = np.stack([sample.data for sample in sample_inputs])
    low, high = samples.min(), samples.max()
    return affine_parameters(low, high)
