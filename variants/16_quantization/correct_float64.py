# ---
# title: float64 inside, sums in int64, compact expressions
# kind: correct
# base: reference
# lost: []
# ---

# %% affine_parameters
def affine_parameters(low, high):
    ends = np.array([min(low, 0), max(high, 0)], dtype=np.float64)
    scale = np.ptp(ends) / 255
    ### EQUIVALENT 8d095949 by ranges: the range holds zero, so that the zero point is a code
    ### EQUIVALENT 256c45f0 by ranges: the range holds zero, so that the zero point is a code
    ### EQUIVALENT d8666530 by ranges: the range holds zero, so that the zero point is a code
    return (float(scale), int(np.clip(np.round(-128 - ends[0] / scale), -128, 127))) if scale else (1.0, 0)

# %% to_codes
to_codes = lambda values, scale, zero_point: np.clip(
    np.round(np.float64(values) / scale + zero_point), -128, 127
).astype(np.int8)

# %% dequantize_int8
def dequantize_int8(q_tensor, scale, zero_point):
    ### EQUIVALENT 7052cf0e by restored: a Tensor holds floats as float32
    return Tensor(np.float64(scale) * (np.float64(q_tensor.data) - zero_point), dtype=np.float32)

# %% int8_matmul
def int8_matmul(x_codes, x_zero_point, w_codes, w_zero_point):
    ### EQUIVALENT b519562d by products: sums of int64 either way
    x, w = np.int64(x_codes), np.int64(w_codes)
    return np.einsum("...k,kj->...j", x, w) - w_zero_point * x.sum(-1)[..., None] - x_zero_point * w.sum(0) + len(w) * x_zero_point * w_zero_point

# %% compare_model_sizes
def compare_model_sizes(original_model, quantized_model):
    (params_a, bytes_a), (params_b, bytes_b) = (
        (sum(p.size for layer in flat_layers(m) for p in parameters_of(layer)), model_bytes(m))
        for m in (original_model, quantized_model)
    )
    return {
        "original_params": params_a,
        "quantized_params": params_b,
        "original_bytes": bytes_a,
        "quantized_bytes": bytes_b,
        "compression_ratio": bytes_a / bytes_b,
        "memory_saved_mb": (bytes_a - bytes_b) / 2**20,
        "memory_saved_percent": 100 - 100 * bytes_b / bytes_a,
    }
