# ---
# title: The forward pass turns codes back into floats and multiplies those
# kind: claim
# base: reference
# lost: [test_forward]
# ---

# %% quantized_forward
def quantized_forward(layer, x):
    scale, zero_point = layer.input_scale, layer.input_zero_point
    if scale is None:
        scale, zero_point = affine_parameters(x.data.min(), x.data.max())
    inputs = dequantize_int8(Tensor(to_codes(x.data, scale, zero_point)), scale, zero_point)
    weights = dequantize_int8(layer.q_weight, layer.weight_scale, layer.weight_zero_point)
    output = inputs.data @ weights.data
    return Tensor(output if layer.bias is None else output + layer.bias.data)
