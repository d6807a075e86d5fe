# ---
# title: The forward pass takes one row at a time
# kind: correct
# base: reference
# lost: []
# ---

# %% quantized_forward
def quantized_forward(layer, x):
    scale, zero_point = layer.input_scale, layer.input_zero_point
    if scale is None:
        scale, zero_point = affine_parameters(x.data.min(), x.data.max())
    rows = []
    for row in x.data.reshape(-1, x.shape[-1]):
        sums = int8_matmul(to_codes(row, scale, zero_point), zero_point, layer.q_weight.data, layer.weight_zero_point)
        rows.append(sums * float(scale * layer.weight_scale))
    result = np.array(rows, dtype=np.float32).reshape(*x.shape[:-1], layer.q_weight.shape[1])
    if layer.bias is not None:
        result = result + layer.bias.data
    return Tensor(result)
