# ---
# title: The quantized layer keeps the float layer, to count its bytes later
# kind: claim
# base: reference
# lost: [test_stored_weights]
# ---

# %% quantized_linear
class QuantizedLinear:
    def __init__(self, linear_layer):
        self.float_layer = linear_layer
        self.in_features, self.out_features = linear_layer.weight.shape
        self.input_scale = self.input_zero_point = None
        self.q_weight, self.weight_scale, self.weight_zero_point = quantize_int8(linear_layer.weight)
        self.bias = None if linear_layer.bias is None else Tensor(linear_layer.bias.data.astype(np.float32))

    def calibrate(self, sample_inputs):
        low = min(sample.data.min() for sample in sample_inputs)
        high = max(sample.data.max() for sample in sample_inputs)
        self.input_scale, self.input_zero_point = affine_parameters(low, high)

    def forward(self, x):
        scale, zero_point = self.input_scale, self.input_zero_point
        if scale is None:
            scale, zero_point = affine_parameters(x.data.min(), x.data.max())
        sums = int8_matmul(to_codes(x.data, scale, zero_point), zero_point, self.q_weight.data, self.weight_zero_point)
        output = sums * (scale * self.weight_scale)
        return Tensor((output if self.bias is None else output + self.bias.data).astype(np.float32))

    __call__ = forward

    def parameters(self):
        return [self.q_weight] if self.bias is None else [self.q_weight, self.bias]

    def memory_usage(self):
        before = sum(parameter.data.nbytes for parameter in self.float_layer.parameters())
        after = sum(parameter.data.nbytes for parameter in self.parameters()) + OVERHEAD_BYTES
        return {"original_bytes": before, "quantized_bytes": after, "compression_ratio": before / after}
