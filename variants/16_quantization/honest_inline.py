# ---
# title: The forward pass calls nothing of the earlier exercises
# kind: correct
# base: reference
# lost: []
# ---

# %% quantized_forward
def quantized_forward(layer, x):
    if layer.input_scale is None:
        low, high = min(0.0, float(x.data.min())), max(0.0, float(x.data.max()))
        scale = (high - low) / 255 if high > low else 1.0
        zero_point = round(-128 - low / scale) if high > low else 0
    else:
        scale, zero_point = layer.input_scale, layer.input_zero_point
    codes = np.clip(np.rint(x.data.astype(np.float64) / scale) + zero_point, -128, 127).astype(np.int64)
    sums = (codes - zero_point) @ (layer.q_weight.data.astype(np.int64) - layer.weight_zero_point)
    biases = 0.0 if layer.bias is None else layer.bias.data
    return Tensor((sums * scale * layer.weight_scale + biases).astype(np.float32))
