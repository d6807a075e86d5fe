# ---
# title: Stops at the first sparsity below the floor
# kind: wrong
# base: reference
# lost: [test_choose_sparsities]
# ---

# %% choose_sparsities
def choose_sparsities(scores, sizes, sparsities, most_left):
    for floor in sorted({score for row in scores for score in row}, reverse=True):
        chosen = []
        for row in scores:
            best = 0.0
            for sparsity, score in sorted(zip(sparsities, row)):
                if score < floor:
                    break
                best = sparsity
            chosen.append(best)
        if sum(size - round(share * size) for share, size in zip(chosen, sizes)) <= most_left:
            return chosen
    raise ValueError("not to be met")
