# ---
# title: A megabyte is a million bytes
# kind: wrong
# base: reference
# lost: [test_compare_model_sizes]
# ---

# %% compare_model_sizes
def compare_model_sizes(original_model: Any, quantized_model: Any) -> dict[str, float]:
    original_bytes, quantized_bytes = model_bytes(original_model), model_bytes(quantized_model)
    saved = original_bytes - quantized_bytes

    def count(model: Any) -> int:
        return sum(parameter.data.size for layer in flat_layers(model) for parameter in parameters_of(layer))

    return {
        "original_params": count(original_model),
        "quantized_params": count(quantized_model),
        "original_bytes": original_bytes,
        "quantized_bytes": quantized_bytes,
        "compression_ratio": original_bytes / quantized_bytes,
        "memory_saved_mb": saved / 1_000_000,
        "memory_saved_percent": 100 * saved / original_bytes,
    }
