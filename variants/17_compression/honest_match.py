# ---
# title: match statements
# kind: correct
# base: reference
# lost: []
# ---

# %% weights_of
def weights_of(model):
    weights = []
    for tensor in model_parameters(model):
        match tensor.shape:
            case () | (_,):
                pass
            case _:
                weights.append(tensor)
    return weights

# %% compress_model
def carry_out(model, name, amount):
    match name:
        case "magnitude_prune":
            magnitude_prune(model, amount)
        case "structured_prune":
            structured_prune(model, amount)
        case "low_rank":
            low_rank_model(model, amount)


def compress_model(model, compression_config):
    for name in compression_config:
        match name:
            case "magnitude_prune" | "structured_prune" | "low_rank":
                continue
            case other:
                raise ValueError(f"no technique {other}")
    sparsity, size = measure_sparsity(model), stored_bytes(model)
    for name, amount in compression_config.items():
        carry_out(model, name, amount)
    return {
        "applied_techniques": [f"{name}_{amount}" for name, amount in compression_config.items()],
        "original_sparsity": sparsity, "original_bytes": size,
        "final_sparsity": (now := measure_sparsity(model)), "sparsity_increase": now - sparsity,
        "final_bytes": (smaller := stored_bytes(model)), "compression_ratio": size / smaller,
    }
