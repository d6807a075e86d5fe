# ---
# title: Layers that are neither Linear nor quantized are not counted
# kind: wrong
# base: reference
# lost: [test_compare_model_sizes]
# ---

# %% model_bytes
def model_bytes(model: Any) -> int:
    total = 0
    for layer in flat_layers(model):
        if isinstance(layer, QuantizedLinear):
            total += int(layer.memory_usage()["quantized_bytes"])
        elif isinstance(layer, Linear):
            total += sum(parameter.data.nbytes for parameter in parameters_of(layer))
    return total
