# ---
# title: The forward pass returns an array instead of a Tensor
# kind: wrong
# base: reference
# lost: [test_forward]
# ---

# %% quantized_forward
def quantized_forward(layer: QuantizedLinear, x: Tensor) -> Tensor:
    scale, zero_point = layer.input_scale, layer.input_zero_point
    if scale is None or zero_point is None:
        scale, zero_point = affine_parameters(x.data.min(), x.data.max())
    codes = to_codes(x.data, scale, zero_point)
    sums = int8_matmul(codes, zero_point, layer.q_weight.data, layer.weight_zero_point)
    output = sums * (scale * layer.weight_scale)
    if layer.bias is not None:
        output = output + layer.bias.data
    return output.astype(np.float32)
