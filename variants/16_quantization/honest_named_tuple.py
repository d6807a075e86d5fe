# ---
# title: Named tuples for what is returned
# kind: correct
# base: reference
# lost: []
# ---

# %% quantize_int8
from typing import NamedTuple


class Quantized(NamedTuple):
    q_tensor: Tensor
    scale: float
    zero_point: int


def quantize_int8(tensor):
    scale, zero_point = affine_parameters(float(tensor.data.min()), float(tensor.data.max()))
    return Quantized(q_tensor=Tensor(to_codes(tensor.data, scale, zero_point)), scale=scale, zero_point=zero_point)

# %% store_weights
def store_weights(layer, linear_layer):
    quantized = quantize_int8(linear_layer.weight)
    layer.q_weight = quantized[0]
    layer.weight_scale = quantized[1]
    layer.weight_zero_point = quantized[2]
    layer.original_bytes = linear_layer.weight.data.nbytes
    layer.bias = None
    if linear_layer.bias is not None:
        layer.bias = Tensor(linear_layer.bias.data, dtype=np.float32)
        layer.original_bytes += linear_layer.bias.data.nbytes
