# ---
# title: Masks gradients before the step as well as weights after it
# kind: correct
# base: reference
# lost: []
# ---

# %% masked_step
def masked_step(optimizer, weights, masks):
    ### EQUIVALENT 7e1bf7dc by steps: the masks after the step decide
    for weight, mask in zip(weights, masks):
        ### EQUIVALENT e397a21f by steps: the masks after the step decide
        if weight.grad is not None:
            ### EQUIVALENT ec7e8b7d by steps: the masks after the step decide
            ### EQUIVALENT 97d79690 by steps: the masks after the step decide
            weight.grad = weight.grad * mask
    optimizer.step()
    for weight, mask in zip(weights, masks):
        weight.data = np.where(mask, weight.data, 0)
