# ---
# title: Calibration data go through the float layer before it is replaced, joined into one batch
# kind: correct
# base: reference
# lost: []
# ---

# %% quantize_model
def quantize_model(model, calibration_data=None):
    if not hasattr(model, "layers"):
        raise ValueError("no layers")
    original = model_bytes(model)
    entries = {}
    everything = Tensor(np.concatenate([data.data for data in calibration_data])) if calibration_data else None

    def visit(layers, x, prefix):
        for index, layer in enumerate(layers[:]):
            if hasattr(layer, "layers"):
                x = visit(layer.layers, x, f"{prefix}{index}.")
                continue
            arriving = x
            if x is not None:
                x = layer.forward(x, training=False) if isinstance(layer, Dropout) else layer.forward(x)
            if isinstance(layer, Linear):
                layers[index] = QuantizedLinear(layer)
                if arriving is not None:
                    layers[index].calibrate([arriving])
                entries[f"{prefix}{index}"] = {
                    "quantized": layers[index].q_weight,
                    "scale": layers[index].weight_scale,
                    "zero_point": layers[index].weight_zero_point,
                    "original_shape": layer.weight.shape,
                }
        return x

    visit(model.layers, everything, "layer_")
    quantized = model_bytes(model)
    return {
        "quantized_layers": entries,
        "original_size_mb": original / BYTES_PER_MB,
        "quantized_size_mb": quantized / BYTES_PER_MB,
        "compression_ratio": original / quantized,
    }
