# ---
# title: Asks for the masks of each weight alone
# kind: wrong
# base: reference
# lost: [test_magnitude_prune]
# ---

# %% magnitude_prune
def magnitude_prune(model, sparsity=0.9):
    for weight in weights_of(model):
        array = weight.data
        stays = np.ones(array.size, dtype=bool)
        stays[np.argsort(np.abs(array).ravel(), kind="stable")[: round(sparsity * array.size)]] = False
        weight.data = array * stays.reshape(array.shape)
    return model
