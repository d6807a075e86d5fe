# ---
# title: Dropout is active while the layers are calibrated
# kind: wrong
# base: reference
# lost: [test_quantize_model]
# ---

# %% quantize_model
def quantize_model(model: Any, calibration_data: list[Tensor] | None = None) -> dict[str, Any]:
    if not hasattr(model, "layers"):
        raise ValueError(f"quantize_model needs a model with .layers, got {type(model).__name__}")
    original_bytes = model_bytes(model)
    quantized_layers: dict[str, dict[str, Any]] = {}

    def replace(layers: list[Any], data: list[Tensor], prefix: str) -> list[Tensor]:
        for index, layer in enumerate(layers):
            name = f"{prefix}{index}"
            if hasattr(layer, "layers"):
                data = replace(layer.layers, data, f"{name}.")
                continue
            if isinstance(layer, Linear):
                layers[index] = quantized = QuantizedLinear(layer)
                if data:
                    quantized.calibrate(data)
                quantized_layers[name] = {
                    "quantized": quantized.q_weight,
                    "scale": quantized.weight_scale,
                    "zero_point": quantized.weight_zero_point,
                    "original_shape": quantized.q_weight.data.shape,
                }
            data = [layer(x) for x in data]
        return data

    replace(model.layers, list(calibration_data or []), "layer_")
    quantized_bytes = model_bytes(model)
    return {
        "quantized_layers": quantized_layers,
        "original_size_mb": original_bytes / BYTES_PER_MB,
        "quantized_size_mb": quantized_bytes / BYTES_PER_MB,
        "compression_ratio": original_bytes / quantized_bytes,
    }
