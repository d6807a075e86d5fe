# ---
# title: Loops over rows and columns, rounding half up
# kind: correct
# base: reference
# lost: []
# ---

# %% affine_parameters
import math


def affine_parameters(low, high):
    low = float(low)
    high = float(high)
    ### EQUIVALENT 6174f4c1 by ranges: at the bound it sets what is there
    if low > 0:
        low = 0.0
    ### EQUIVALENT 405edb3d by ranges: at the bound it sets what is there
    if high < 0:
        high = 0.0
    width = high - low
    if width == 0:
        return 1.0, 0
    scale = width / 255
    zero_point = math.floor(-128 - low / scale + 0.5)
    ### EQUIVALENT bdfdea5c by ranges: the range holds zero, so that the zero point is a code
    ### EQUIVALENT e4c87135 by ranges: the range holds zero, so that the zero point is a code
    ### EQUIVALENT 6ba1c61c by ranges: the range holds zero, so that the zero point is a code
    ### EQUIVALENT 9540be3d by ranges: the range holds zero, so that the zero point is a code
    if zero_point > 127:
        ### EQUIVALENT ed00e055 by ranges: the range holds zero, so that the zero point is a code
        ### EQUIVALENT 3d49add5 by ranges: the range holds zero, so that the zero point is a code
        ### EQUIVALENT 13ff8fd0 by ranges: the range holds zero, so that the zero point is a code
        ### EQUIVALENT 1cdfd10c by ranges: the range holds zero, so that the zero point is a code
        zero_point = 127
    ### EQUIVALENT dc1ccae3 by ranges: the range holds zero, so that the zero point is a code
    ### EQUIVALENT 2649038c by ranges: the range holds zero, so that the zero point is a code
    ### EQUIVALENT ceba3287 by ranges: the range holds zero, so that the zero point is a code
    ### EQUIVALENT 2e892c9f by ranges: the range holds zero, so that the zero point is a code
    if zero_point < -128:
        ### EQUIVALENT 778107e8 by ranges: the range holds zero, so that the zero point is a code
        ### EQUIVALENT 1cabc8a7 by ranges: the range holds zero, so that the zero point is a code
        ### EQUIVALENT a8158cc4 by ranges: the range holds zero, so that the zero point is a code
        ### EQUIVALENT d5b48189 by ranges: the range holds zero, so that the zero point is a code
        zero_point = -128
    return scale, zero_point

# %% to_codes
def to_codes(values, scale, zero_point):
    ### EQUIVALENT eeb5a575 by codes: each element is rounded by itself, and the shape is put back
    ### EQUIVALENT 8a8c1d6c by codes: numpy takes any negative size for what is left
    rows = np.atleast_1d(values).reshape(-1, np.atleast_1d(values).shape[-1])
    codes = np.zeros(rows.shape, dtype=np.int8)
    for i in range(len(rows)):
        steps = np.floor(rows[i].astype(np.float64) / scale + 0.5) + zero_point
        ### EQUIVALENT f867b552 by codes: at the bound it sets what is there
        ### EQUIVALENT 9473ed3f by codes: at the bound it sets what is there
        steps[steps > 127] = 127
        ### EQUIVALENT f004cced by codes: at the bound it sets what is there
        ### EQUIVALENT 1937445f by codes: at the bound it sets what is there
        steps[steps < -128] = -128
        codes[i] = steps
    return codes.reshape(np.shape(values))

# %% quantize_int8
def quantize_int8(tensor):
    ### EQUIVALENT 219d8772 by tensors: numpy takes any negative size for what is left
    flat = tensor.data.reshape(-1)
    ### EQUIVALENT d1927c81 by tensors: any element may come first
    low, high = flat[0], flat[0]
    ### EQUIVALENT c1d624f6 by tensors: into how many parts it is split makes no difference
    ### EQUIVALENT 5add842b by tensors: into how many parts it is split makes no difference
    ### EQUIVALENT 139ad8ee by tensors: into how many parts it is split makes no difference
    for part in np.array_split(flat, max(1, flat.size // 4096)):
        low = min(low, part.min())
        high = max(high, part.max())
    scale, zero_point = affine_parameters(low, high)
    return Tensor(to_codes(tensor.data, scale, zero_point)), scale, zero_point

# %% dequantize_int8
def dequantize_int8(q_tensor, scale, zero_point):
    ### EQUIVALENT ebd8717f by restored: numpy takes any negative size for what is left
    flat = q_tensor.data.reshape(-1)
    ### EQUIVALENT 42beaf96 by restored: a Tensor holds floats as float32
    values = np.empty(flat.shape, dtype=np.float32)
    for i in range(flat.size):
        values[i] = (int(flat[i]) - zero_point) * scale
    return Tensor(values.reshape(q_tensor.data.shape))

# %% int8_matmul
def int8_matmul(x_codes, x_zero_point, w_codes, w_zero_point):
    ### EQUIVALENT eca6e38b by products: a corrected code fits into int16, and the product is of int32
    x = x_codes.astype(np.int32) - x_zero_point
    result = np.zeros((*x_codes.shape[:-1], w_codes.shape[1]), dtype=np.int32)
    for column in range(w_codes.shape[1]):
        ### EQUIVALENT b2237f7b by products: a corrected code fits into int16, and the product is of int32
        weights = w_codes[:, column].astype(np.int32) - w_zero_point
        result[..., column] = x @ weights
    return result

# %% model_bytes
def model_bytes(model):
    total = 0
    for layer in model.layers:
        if hasattr(layer, "layers"):
            total = total + model_bytes(layer)
        elif hasattr(layer, "memory_usage"):
            total = total + layer.memory_usage()["quantized_bytes"]
        else:
            for parameter in parameters_of(layer):
                total = total + parameter.data.nbytes
    return total
