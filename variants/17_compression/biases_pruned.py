# ---
# title: Biases go with the weights
# kind: wrong
# base: reference
# lost: [test_magnitude_prune]
# ---

# %% magnitude_prune
def magnitude_prune(model, sparsity=0.9):
    tensors = model_parameters(model)
    row = np.abs(np.concatenate([tensor.data.ravel() for tensor in tensors]))
    gone = set(np.argsort(row, kind="stable")[: round(sparsity * row.size)].tolist())
    start = 0
    for tensor in tensors:
        stays = np.array([place not in gone for place in range(start, start + tensor.size)])
        tensor.data = tensor.data * stays.reshape(tensor.shape)
        start += tensor.size
    return model
