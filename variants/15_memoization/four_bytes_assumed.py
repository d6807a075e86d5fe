# ---
# title: Every number is counted as four bytes
# kind: wrong
# base: reference
# lost: [test_memory_usage]
# ---

# %% memory_usage
def memory_usage(cache):
    elements = 2 * cache.num_layers * cache.batch_size * cache.num_heads * cache.max_seq_len * cache.head_dim
    total = elements * 4 / 2**20
    return {"total_mb": total, "per_layer_mb": total / cache.num_layers,
            "cache_tensors": 2 * cache.num_layers, "total_elements": elements}
