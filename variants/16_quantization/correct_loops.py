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
    if low > 0:
        low = 0.0
    if high < 0:
        high = 0.0
    width = high - low
    if width == 0:
        return 1.0, 0
    scale = width / 255
    zero_point = math.floor(-128 - low / scale + 0.5)
    if zero_point > 127:
        zero_point = 127
    if zero_point < -128:
        zero_point = -128
    return scale, zero_point

# %% to_codes
def to_codes(values, scale, zero_point):
    rows = np.atleast_1d(values).reshape(-1, np.atleast_1d(values).shape[-1])
    codes = np.zeros(rows.shape, dtype=np.int8)
    for i in range(len(rows)):
        steps = np.floor(rows[i].astype(np.float64) / scale + 0.5) + zero_point
        steps[steps > 127] = 127
        steps[steps < -128] = -128
        codes[i] = steps
    return codes.reshape(np.shape(values))

# %% quantize_int8
def quantize_int8(tensor):
    flat = tensor.data.reshape(-1)
    low, high = flat[0], flat[0]
    for part in np.array_split(flat, max(1, flat.size // 4096)):
        low = min(low, part.min())
        high = max(high, part.max())
    scale, zero_point = affine_parameters(low, high)
    return Tensor(to_codes(tensor.data, scale, zero_point)), scale, zero_point

# %% dequantize_int8
def dequantize_int8(q_tensor, scale, zero_point):
    flat = q_tensor.data.reshape(-1)
    values = np.empty(flat.shape, dtype=np.float32)
    for i in range(flat.size):
        values[i] = (int(flat[i]) - zero_point) * scale
    return Tensor(values.reshape(q_tensor.data.shape))

# %% int8_matmul
def int8_matmul(x_codes, x_zero_point, w_codes, w_zero_point):
    x = x_codes.astype(np.int32) - x_zero_point
    result = np.zeros((*x_codes.shape[:-1], w_codes.shape[1]), dtype=np.int32)
    for column in range(w_codes.shape[1]):
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
