# ---
# title: A Tensor of one's own, a subclass
# kind: correct
# base: reference
# lost: []
# ---

# %% dequantize_int8
class Restored(Tensor):
    """A Tensor that was codes before."""


def dequantize_int8(q_tensor, scale, zero_point):
    return Restored(((q_tensor.data.astype(np.int32) - zero_point) * scale).astype(np.float32))

# %% quantize_int8
class Codes(Tensor):
    """A Tensor of int8."""


def quantize_int8(tensor):
    scale, zero_point = affine_parameters(tensor.data.min(), tensor.data.max())
    return Codes(to_codes(tensor.data, scale, zero_point)), scale, zero_point
