# ---
# title: Compresses into more numbers than before
# kind: wrong
# base: reference
# lost: [test_low_rank_approximate]
# ---

# %% low_rank_approximate
def low_rank_approximate(weight_matrix, rank_ratio=0.5):
    rank = max(1, round(rank_ratio * min(weight_matrix.shape)))
    u, s, v = np.linalg.svd(weight_matrix, full_matrices=False)
    return u[:, :rank], s[:rank], v[:rank]
