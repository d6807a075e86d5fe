# ---
# title: Own helper functions and names, calibration through the quantized layers
# kind: correct
# base: reference
# lost: []
# ---

# %% affine_parameters
STEPS = 255


def span_with_zero(*numbers):
    numbers = [0.0, *map(float, numbers)]
    return min(numbers), max(numbers)


def affine_parameters(low, high):
    ### EQUIVALENT 5ecf28ae by ranges: the helper sorts them
    bottom, top = span_with_zero(low, high)
    ### EQUIVALENT d2736f10 by ranges: zero is zero from both sides
    if top - bottom == 0:
        return 1.0, 0
    step = np.float64(top - bottom) / STEPS
    return step, int(np.rint(-128 - bottom / step))

# %% to_codes
def saturate(steps):
    return np.minimum(np.maximum(steps, -128), 127).astype("int8")


def to_codes(values, scale, zero_point):
    return saturate(np.round(np.divide(values, scale, dtype=np.float64) + zero_point))

# %% quantize_int8
def quantize_int8(tensor):
    step, zero = affine_parameters(np.min(tensor.numpy()), np.max(tensor.numpy()))
    ### EQUIVALENT 8a34557c by tensors: codes are int8 already
    return Tensor(to_codes(tensor.numpy(), step, zero), dtype=np.int8), step, zero

# %% dequantize_int8
def dequantize_int8(q_tensor, scale, zero_point):
    ### EQUIVALENT da489011 by restored: a Tensor holds floats as float32
    table = ((np.arange(-128, 128) - zero_point) * scale).astype(np.float32)
    ### EQUIVALENT ad06b8f9 by restored: an index below zero counts from the end of 256 rows
    ### EQUIVALENT 6f1d42cb by restored: an index below zero counts from the end of 256 rows
    return Tensor(table[q_tensor.data.astype(np.int16) + 128])

# %% int8_matmul
def int8_matmul(x_codes, x_zero_point, w_codes, w_zero_point):
    ### EQUIVALENT 59529e57 by products: a code fits into int16, and the product is of int32
    shifted_x = np.subtract(x_codes, x_zero_point, dtype=np.int32)
    ### EQUIVALENT 2cc1bbd3 by products: a code fits into int16, and the product is of int32
    shifted_w = np.subtract(w_codes, w_zero_point, dtype=np.int32)
    return np.tensordot(shifted_x, shifted_w, axes=(-1, 0))

# %% quantize_per_channel
def quantize_per_channel(weight):
    values = weight.numpy()
    codes = np.zeros(values.shape, dtype=np.int8)
    steps, zeros = np.ones(values.shape[1]), np.zeros(values.shape[1], dtype=int)
    for j, column in enumerate(np.transpose(values)):
        steps[j], zeros[j] = affine_parameters(column.min(), column.max())
        codes[:, j] = to_codes(column, steps[j], zeros[j])
    return Tensor(codes), steps, zeros

# %% store_weights
def own_copy(tensor):
    return None if tensor is None else Tensor(np.array(tensor.data, dtype=np.float32))


def store_weights(layer, linear_layer):
    weight, bias = linear_layer.weight, linear_layer.bias
    layer.q_weight, layer.weight_scale, layer.weight_zero_point = quantize_int8(weight)
    layer.bias = own_copy(bias)
    layer.original_bytes = weight.data.nbytes + (bias.data.nbytes if bias is not None else 0)

# %% calibration_range
class InputRange:
    """Smallest and largest value seen so far."""

    def __init__(self):
        self.values = []

    def see(self, tensor):
        self.values += [tensor.data.min(), tensor.data.max()]
        return self

    def code(self):
        return affine_parameters(min(self.values), max(self.values))


def calibration_range(sample_inputs):
    seen = InputRange()
    for sample in sample_inputs:
        seen.see(sample)
    return seen.code()

# %% quantized_forward
def code_for(layer, x):
    if layer.input_scale is not None:
        return layer.input_scale, layer.input_zero_point
    return InputRange().see(x).code()


def quantized_forward(layer, x):
    step, zero = code_for(layer, x)
    sums = int8_matmul(to_codes(x.data, step, zero), zero, layer.q_weight.data, layer.weight_zero_point)
    result = np.multiply(sums, np.float32(step * layer.weight_scale), dtype=np.float32)
    if layer.bias is not None:
        result += layer.bias.data
    return Tensor(result)

# %% layer_memory
def layer_memory(layer):
    after = sum(tensor.nbytes for tensor in layer.parameters()) + OVERHEAD_BYTES
    return dict(original_bytes=layer.original_bytes, quantized_bytes=after, compression_ratio=layer.original_bytes / after)

# %% quantize_model
def quantize_model(model, calibration_data=None):
    if not hasattr(model, "layers"):
        raise ValueError("give me a model with layers")
    before = model_bytes(model)
    report = {}
    ### EQUIVALENT ab06684c by models: the list is not changed
    flow = list(calibration_data) if calibration_data else []

    def visit(container, path):
        nonlocal flow
        ### EQUIVALENT c15b84bf by models: a layer is replaced at the place that has been visited
        for place, layer in enumerate(list(container.layers)):
            here = path + [str(place)]
            if hasattr(layer, "layers"):
                visit(layer, here)
                continue
            if type(layer) is Linear:
                layer = container.layers[place] = QuantizedLinear(layer)
                if flow:
                    layer.calibrate(flow)
                report["layer_" + ".".join(here)] = dict(
                    quantized=layer.q_weight, scale=layer.weight_scale, zero_point=layer.weight_zero_point,
                    original_shape=(layer.in_features, layer.out_features),
                )
            if not isinstance(layer, Dropout):
                flow = [layer.forward(tensor) for tensor in flow]

    visit(model, [])
    after = model_bytes(model)
    return {
        "quantized_layers": report,
        "original_size_mb": before / 2**20,
        "quantized_size_mb": after / 2**20,
        "compression_ratio": before / after,
    }
