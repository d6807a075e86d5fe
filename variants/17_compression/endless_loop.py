# ---
# title: A loop that never ends in choose_sparsities
# kind: endless
# base: reference
# lost: [test_choose_sparsities]
# ---

# %% choose_sparsities
def choose_sparsities(scores, sizes, sparsities, most_left):
    floor = max(score for row in scores for score in row)
    while True:
        chosen = [max((s for s, score in zip(sparsities, row) if score >= floor), default=0.0) for row in scores]
        if sum(size for size in sizes) <= 0:
            return chosen
