# ---
# title: The overhead is not counted
# kind: wrong
# base: reference
# lost: [test_memory_usage]
# ---

# %% layer_memory
def layer_memory(layer: QuantizedLinear) -> dict[str, float]:
    arrays = [tensor.data for tensor in (layer.q_weight, layer.bias) if tensor is not None]
    quantized_bytes = sum(array.nbytes for array in arrays)
    return {
        "original_bytes": layer.original_bytes,
        "quantized_bytes": quantized_bytes,
        "compression_ratio": layer.original_bytes / quantized_bytes,
    }
