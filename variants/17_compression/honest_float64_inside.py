# ---
# title: Calculates in float64, and gives float32 back
# kind: correct
# base: reference
# lost: []
# ---

# %% magnitude_prune
def magnitude_prune(model, sparsity=0.9):
    weights = weights_of(model)
    masks = magnitude_masks([weight.data for weight in weights], sparsity)
    for weight, mask in zip(weights, masks):
        ### EQUIVALENT 7a2bee7d by pruned: zeros and ones in any type
        weight.data = np.float32(mask.astype(np.float64) * weight.data)
    return model

# %% soft_target_loss
def soft_target_loss(student_logits, teacher_logits, temperature):
    ### EQUIVALENT e58ac98c by losses: float32 has digits enough here
    ### EQUIVALENT b78b3f76 by losses: float32 has digits enough here
    t = teacher_logits.data.astype(np.float64) / temperature
    t = t - t.max(axis=1, keepdims=True)
    ln_p = t - np.log(np.exp(t).sum(axis=1, keepdims=True))
    entropy = -(np.exp(ln_p) * ln_p).sum()
    crossed = -(log_softmax(student_logits / temperature) * Tensor(np.exp(ln_p))).sum()
    return (crossed - float(entropy)) * temperature**2 / len(t)
