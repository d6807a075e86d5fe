# ---
# title: Counts and amounts are numpy's numbers
# kind: correct
# base: reference
# lost: []
# ---

# %% keys_per_step
def keys_per_step(prompt_tokens, new_tokens, cached):
    steps = np.arange(new_tokens)
    return np.where(steps == 0, prompt_tokens, 1) if cached else prompt_tokens + steps

# %% memory_usage
def memory_usage(cache):
    stacked = np.array([[buffer.data.nbytes, buffer.data.size, 1] for pair in cache.caches for buffer in pair])
    total, elements, tensors = stacked.sum(axis=0)
    ### EQUIVALENT 6c380474 by amounts: so many bytes fit into a float32
    return {"total_mb": np.float64(total) / 2**20, "per_layer_mb": total / np.int64(cache.num_layers) / 2**20,
            "cache_tensors": tensors, "total_elements": elements, "note": "measured"}
