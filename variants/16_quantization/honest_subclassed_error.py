# ---
# title: An exception of one's own, a kind of ValueError
# kind: correct
# base: reference
# lost: []
# ---

# %% quantize_model
class NotAModel(ValueError):
    """There is nothing to replace a layer in."""


def quantize_model(model, calibration_data=None):
    try:
        top = model.layers
    except AttributeError as error:
        raise NotAModel("no layers") from error
    before = model_bytes(model) / BYTES_PER_MB
    entries = {}

    def walk(layers, batches, names):
        for place in range(len(layers)):
            path = [*names, str(place)]
            if hasattr(layers[place], "layers"):
                batches = walk(layers[place].layers, batches, path)
                continue
            if isinstance(layers[place], Linear):
                int8 = layers[place] = QuantizedLinear(layers[place])
                if batches:
                    int8.calibrate(batches)
                entry = {"quantized": int8.q_weight, "scale": int8.weight_scale, "zero_point": int8.weight_zero_point}
                entries["layer_" + ".".join(path)] = entry | {"original_shape": int8.q_weight.shape}
            extra = {"training": False} if isinstance(layers[place], Dropout) else {}
            batches = [layers[place].forward(batch, **extra) for batch in batches]
        return batches

    walk(top, calibration_data or [], [])
    after = model_bytes(model) / BYTES_PER_MB
    return dict(quantized_layers=entries, original_size_mb=before, quantized_size_mb=after, compression_ratio=before / after)
