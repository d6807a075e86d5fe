# ---
# title: A megabyte is taken for a million bytes
# kind: wrong
# base: reference
# lost: [test_memory_usage]
# ---

# %% memory_usage
def memory_usage(cache):
    total = sum(tensor.nbytes for pair in cache.caches for tensor in pair)
    elements = sum(tensor.size for pair in cache.caches for tensor in pair)
    return {"total_mb": total / 1e6, "per_layer_mb": total / 1e6 / cache.num_layers,
            "cache_tensors": 2 * cache.num_layers, "total_elements": elements}
