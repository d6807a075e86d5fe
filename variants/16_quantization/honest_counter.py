# ---
# title: Sizes by a Counter, and the model walked twice
# kind: correct
# base: reference
# lost: []
# ---

# %% compare_model_sizes
from collections import Counter


def counted(model):
    totals = Counter()
    for layer in flat_layers(model):
        totals.update(numbers=sum(int(np.prod(parameter.shape)) for parameter in parameters_of(layer)))
    totals["bytes"] = model_bytes(model)
    return totals


def compare_model_sizes(original_model, quantized_model):
    before, after = counted(original_model), counted(quantized_model)
    difference = before["bytes"] - after["bytes"]
    return dict(
        original_params=before["numbers"], quantized_params=after["numbers"],
        original_bytes=before["bytes"], quantized_bytes=after["bytes"],
        compression_ratio=before["bytes"] / after["bytes"],
        memory_saved_mb=difference / 1024 / 1024, memory_saved_percent=difference / before["bytes"] * 100,
    )
