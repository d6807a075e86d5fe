# ---
# title: Low rank is named, and not carried out
# kind: wrong
# base: reference
# lost: [test_compress_model]
# ---

# %% compress_model
def compress_model(model, compression_config):
    techniques = {"magnitude_prune": magnitude_prune, "structured_prune": structured_prune, "low_rank": low_rank_model}
    if not set(compression_config) <= set(techniques):
        raise ValueError("unknown")
    original_sparsity, original_bytes, applied = measure_sparsity(model), stored_bytes(model), []
    for name, amount in compression_config.items():
        if name != "low_rank":
            techniques[name](model, amount)
        applied.append(f"{name}_{amount}")
    final_sparsity, final_bytes = measure_sparsity(model), stored_bytes(model)
    return {
        "original_sparsity": original_sparsity, "final_sparsity": final_sparsity,
        "sparsity_increase": final_sparsity - original_sparsity,
        "original_bytes": original_bytes, "final_bytes": final_bytes, "compression_ratio": original_bytes / final_bytes,
        "applied_techniques": applied,
    }
