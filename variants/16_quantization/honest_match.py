# ---
# title: Structural matching, and kinds of layers by class
# kind: correct
# base: reference
# lost: []
# ---

# %% model_bytes
def model_bytes(model):
    total = 0
    for layer in flat_layers(model):
        match layer:
            case QuantizedLinear():
                total += layer.memory_usage()["quantized_bytes"]
            case Linear(bias=None, weight=weight):
                total += weight.data.nbytes
            case _:
                total += sum(tensor.data.nbytes for tensor in parameters_of(layer))
    return total
