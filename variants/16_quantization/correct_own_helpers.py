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
    ### EQUIVALENT 7bc9a5a5 by tensors: the helper sorts them
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

# %% quantized_linear
class InputRange:
    """Smallest and largest value seen so far."""

    def __init__(self):
        self.values = []

    def see(self, tensor):
        self.values += [tensor.data.min(), tensor.data.max()]
        return self

    def code(self):
        ### EQUIVALENT c8ca678b by layers: the helper sorts them
        return affine_parameters(min(self.values), max(self.values))


class QuantizedLinear:
    def __init__(self, linear_layer):
        self.in_features, self.out_features = linear_layer.weight.shape
        self.input_scale = self.input_zero_point = None
        self.q_weight, self.weight_scale, self.weight_zero_point = quantize_int8(linear_layer.weight)
        has_bias = linear_layer.bias is not None
        ### EQUIVALENT 4a769946 by layers: a Tensor copies, and holds floats as float32
        ### EQUIVALENT f2b225b5 by layers: a Tensor copies, and holds floats as float32
        self.bias = Tensor(np.array(linear_layer.bias.data, dtype=np.float32)) if has_bias else None
        self._before = linear_layer.weight.data.nbytes + (linear_layer.bias.data.nbytes if has_bias else 0)

    def calibrate(self, sample_inputs):
        seen = InputRange()
        for sample in sample_inputs:
            seen.see(sample)
        self.input_scale, self.input_zero_point = seen.code()

    def _code_for(self, x):
        if self.input_scale is not None:
            return self.input_scale, self.input_zero_point
        return InputRange().see(x).code()

    def forward(self, x):
        step, zero = self._code_for(x)
        sums = int8_matmul(to_codes(x.data, step, zero), zero, self.q_weight.data, self.weight_zero_point)
        result = np.multiply(sums, np.float32(step * self.weight_scale), dtype=np.float32)
        if self.bias is not None:
            result += self.bias.data
        return Tensor(result)

    __call__ = forward

    def parameters(self):
        return [tensor for tensor in (self.q_weight, self.bias) if tensor is not None]

    def memory_usage(self):
        after = sum(tensor.nbytes for tensor in self.parameters()) + OVERHEAD_BYTES
        return dict(original_bytes=self._before, quantized_bytes=after, compression_ratio=self._before / after)

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
