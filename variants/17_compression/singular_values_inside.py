# ---
# title: U is multiplied by S already
# kind: wrong
# base: reference
# lost: [test_low_rank_approximate]
# ---

# %% low_rank_approximate
def low_rank_approximate(weight_matrix, rank_ratio=0.5):
    rows, columns = weight_matrix.shape
    rank = max(1, round(rank_ratio * min(rows, columns)))
    if rank * (rows + columns) > rows * columns:
        raise ValueError("more than before")
    u, s, v = np.linalg.svd(weight_matrix, full_matrices=False)
    return u[:, :rank] * s[:rank], s[:rank], v[:rank]
