# ---
# title: Prunes a copy of the model and returns that
# kind: wrong
# base: reference
# lost: [test_magnitude_prune]
# ---

# %% magnitude_prune
import copy


def magnitude_prune(model, sparsity=0.9):
    pruned = copy.deepcopy(model)
    weights = weights_of(pruned)
    for weight, mask in zip(weights, magnitude_masks([weight.data for weight in weights], sparsity)):
        weight.data = weight.data * mask
    return pruned
