# ---
# title: Returns the last choice where no floor fits
# kind: wrong
# base: reference
# lost: [test_choose_sparsities]
# ---

# %% choose_sparsities
def choose_sparsities(scores, sizes, sparsities, most_left):
    for floor in sorted({score for row in scores for score in row}, reverse=True):
        chosen = [max((s for s, score in zip(sparsities, row) if score >= floor), default=0.0) for row in scores]
        if sum(size - round(share * size) for share, size in zip(chosen, sizes)) <= most_left:
            break
    return chosen
