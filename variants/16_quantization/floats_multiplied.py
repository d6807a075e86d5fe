# ---
# title: The forward pass turns codes back into floats and multiplies those
# kind: claim
# base: reference
# lost: [test_forward]
# ---

# %% quantized_linear
class QuantizedLinear:
    def __init__(self, linear_layer):
        self.in_features, self.out_features = linear_layer.weight.shape
        self.input_scale = self.input_zero_point = None
        self.q_weight, self.weight_scale, self.weight_zero_point = quantize_int8(linear_layer.weight)
        self.bias = None if linear_layer.bias is None else Tensor(linear_layer.bias.data.astype(np.float32))
        self.original_bytes = sum(parameter.data.nbytes for parameter in linear_layer.parameters())

    def calibrate(self, sample_inputs):
        low = min(sample.data.min() for sample in sample_inputs)
        high = max(sample.data.max() for sample in sample_inputs)
        self.input_scale, self.input_zero_point = affine_parameters(low, high)

    def forward(self, x):
        scale, zero_point = self.input_scale, self.input_zero_point
        if scale is None:
            scale, zero_point = affine_parameters(x.data.min(), x.data.max())
        inputs = dequantize_int8(Tensor(to_codes(x.data, scale, zero_point)), scale, zero_point)
        weights = dequantize_int8(self.q_weight, self.weight_scale, self.weight_zero_point)
        output = inputs.data @ weights.data
        return Tensor(output if self.bias is None else output + self.bias.data)

    __call__ = forward

    def parameters(self):
        return [self.q_weight] if self.bias is None else [self.q_weight, self.bias]

    def memory_usage(self):
        used = sum(parameter.data.nbytes for parameter in self.parameters()) + OVERHEAD_BYTES
        return {
            "original_bytes": self.original_bytes,
            "quantized_bytes": used,
            "compression_ratio": self.original_bytes / used,
        }
