# ---
# title: The largest sparsity everywhere, whatever it costs
# kind: wrong
# base: reference
# lost: [test_choose_sparsities]
# ---

# %% choose_sparsities
def choose_sparsities(scores, sizes, sparsities, most_left):
    chosen = [max(sparsities)] * len(scores)
    if sum(size - round(share * size) for share, size in zip(chosen, sizes)) > most_left:
        raise ValueError("not to be met")
    return chosen
