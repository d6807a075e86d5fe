# ---
# title: quantize_model without recursion, with a stack of places that are still to be visited
# kind: correct
# base: reference
# lost: []
# ---

# %% quantize_model
def quantize_model(model, calibration_data=None):
    if getattr(model, "layers", None) is None:
        raise ValueError("a model has layers")
    before = model_bytes(model)
    done, batches = {}, calibration_data or []
    waiting = [("layer_", model.layers, 0)]
    while waiting:
        prefix, layers, place = waiting.pop()
        if place == len(layers):
            continue
        waiting.append((prefix, layers, place + 1))
        layer, name = layers[place], f"{prefix}{place}"
        if hasattr(layer, "layers"):
            waiting.append((name + ".", layer.layers, 0))
        elif isinstance(layer, Dropout):
            batches = [layer(batch, training=False) for batch in batches]
        else:
            if isinstance(layer, Linear):
                layer = QuantizedLinear(layer)
                layers[place] = layer
                if len(batches) > 0:
                    layer.calibrate(batches)
                done[name] = {
                    "quantized": layer.q_weight, "scale": layer.weight_scale,
                    "zero_point": layer.weight_zero_point, "original_shape": tuple(layer.q_weight.shape),
                }
            batches = [layer(batch) for batch in batches]
    after = model_bytes(model)
    sizes = {"original_size_mb": before / BYTES_PER_MB, "quantized_size_mb": after / BYTES_PER_MB}
    return {"quantized_layers": done, **sizes, "compression_ratio": before / after}
