# ---
# title: Every call by keywords
# kind: correct
# base: reference
# lost: []
# ---

# %% quantize_int8
def quantize_int8(tensor):
    scale, zero_point = affine_parameters(low=tensor.data.min(), high=tensor.data.max())
    codes = to_codes(values=tensor.data, scale=scale, zero_point=zero_point)
    return Tensor(data=codes), scale, zero_point

# %% quantized_forward
def quantized_forward(layer, x):
    scale, zero_point = layer.input_scale, layer.input_zero_point
    if scale is None:
        scale, zero_point = affine_parameters(low=np.min(a=x.data), high=np.max(a=x.data))
    codes = to_codes(values=x.data, scale=scale, zero_point=zero_point)
    sums = int8_matmul(
        x_codes=codes, x_zero_point=zero_point, w_codes=layer.q_weight.data, w_zero_point=layer.weight_zero_point
    )
    values = scale * layer.weight_scale * sums
    return Tensor(data=values if layer.bias is None else values + layer.bias.data)
