# ---
# title: The forward pass leaves the bias out
# kind: wrong
# base: reference
# lost: [test_forward]
# ---

# %% quantized_linear
class QuantizedLinear:
    def __init__(self, linear_layer):
        self.in_features, self.out_features = linear_layer.weight.shape
        self.input_scale = None
        self.input_zero_point = None
        self.q_weight, self.weight_scale, self.weight_zero_point = quantize_int8(linear_layer.weight)
        self.bias = None
        if linear_layer.bias is not None:
            self.bias = Tensor(linear_layer.bias.data.copy())
        self.float_bytes = sum(p.data.nbytes for p in linear_layer.parameters())

    def calibrate(self, sample_inputs):
        everything = np.concatenate([sample.data.ravel() for sample in sample_inputs])
        self.input_scale, self.input_zero_point = affine_parameters(everything.min(), everything.max())

    def forward(self, x):
        scale, zero_point = self.input_scale, self.input_zero_point
        if scale is None:
            scale, zero_point = affine_parameters(x.data.min(), x.data.max())
        codes = to_codes(x.data, scale, zero_point)
        sums = int8_matmul(codes, zero_point, self.q_weight.data, self.weight_zero_point)
        return Tensor((sums * scale * self.weight_scale).astype(np.float32))

    def __call__(self, x):
        return self.forward(x)

    def parameters(self):
        return [self.q_weight] if self.bias is None else [self.q_weight, self.bias]

    def memory_usage(self):
        used = OVERHEAD_BYTES + sum(p.data.nbytes for p in self.parameters())
        return {"original_bytes": self.float_bytes, "quantized_bytes": used, "compression_ratio": self.float_bytes / used}
