# ---
# title: Four bytes per number are assumed, not measured
# kind: wrong
# base: reference
# lost: [test_stored_weights]
# ---

# %% store_weights
def store_weights(layer: QuantizedLinear, linear_layer: Linear) -> None:
    layer.q_weight, layer.weight_scale, layer.weight_zero_point = quantize_int8(linear_layer.weight)
    layer.bias = None if linear_layer.bias is None else Tensor(linear_layer.bias.data.astype(np.float32))
    layer.original_bytes = sum(4 * parameter.data.size for parameter in linear_layer.parameters())
