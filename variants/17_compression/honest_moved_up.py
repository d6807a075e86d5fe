# ---
# title: A function in the cell of an earlier exercise, and its own cell empty
# kind: correct
# base: reference
# lost: []
# ---

# %% magnitude_prune
def apply_masks(tensors, masks):
    for tensor, mask in zip(tensors, masks):
        tensor.data = tensor.data * mask


def magnitude_prune(model, sparsity=0.9):
    tensors = weights_of(model)
    apply_masks(tensors, magnitude_masks([tensor.data for tensor in tensors], sparsity))
    return model


def masked_step(optimizer, weights, masks):
    optimizer.step()
    apply_masks(weights, masks)

# %% masked_step
# it stands with magnitude_prune, whose helper it uses
