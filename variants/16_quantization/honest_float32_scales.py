# ---
# title: Scales are stored as float32, zero points as int32, as the overhead counts them
# kind: correct
# base: reference
# lost: []
# ---

# %% store_weights
def store_weights(layer, linear_layer):
    codes, scale, zero_point = quantize_int8(linear_layer.weight)
    layer.q_weight, layer.weight_scale, layer.weight_zero_point = codes, np.float32(scale), np.int32(zero_point)
    layer.bias = None if linear_layer.bias is None else Tensor(linear_layer.bias.data.astype("f4"))
    layer.original_bytes = sum(p.nbytes for p in linear_layer.parameters())

# %% calibration_range
def calibration_range(sample_inputs):
    lows, highs = zip(*((sample.data.min(), sample.data.max()) for sample in sample_inputs))
    scale, zero_point = affine_parameters(min(lows), max(highs))
    return np.float32(scale), np.int32(zero_point)
