# ---
# title: Tries things out between, in cells of its own
# kind: correct
# base: reference
# lost: []
# ---

# %% low_rank_approximate
print(help(np.linalg.svd))


def low_rank_approximate(weight_matrix, rank_ratio=0.5):
    m, n = weight_matrix.shape
    k = max(1, round(rank_ratio * min(m, n)))
    if k * (m + n) > m * n:
        raise ValueError("no gain")
    v, s, u = np.linalg.svd(weight_matrix.T)
    return u.T[:, :k], s[:k], v.T[:k]


print([part.shape for part in low_rank_approximate(np.eye(6))])
