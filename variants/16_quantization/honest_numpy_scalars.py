# ---
# title: numpy scalars wherever numbers are returned
# kind: correct
# base: reference
# lost: []
# ---

# %% affine_parameters
def affine_parameters(low, high):
    low, high = np.minimum(np.float64(low), 0), np.maximum(np.float64(high), 0)
    if np.equal(low, high):
        return np.float64(1), 0
    scale = np.divide(np.subtract(high, low), 255)
    return scale, np.int32(np.rint(-128 - low / scale))

# %% calibration_range
def calibration_range(sample_inputs):
    low = np.min([np.min(sample.data) for sample in sample_inputs])
    high = np.max([np.max(sample.data) for sample in sample_inputs])
    return affine_parameters(low, high)

# %% layer_memory
def layer_memory(layer):
    sizes = np.array([layer.original_bytes, np.sum([part.nbytes for part in layer.parameters()]) + OVERHEAD_BYTES])
    return dict(zip(["original_bytes", "quantized_bytes", "compression_ratio"], [*sizes, np.true_divide(*sizes)]))
