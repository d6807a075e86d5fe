# ---
# title: Tiles of one number, whatever the tile size
# kind: wrong
# base: reference
# lost: [test_multiply_tiles]
# ---

# %% multiply_tiles
def multiply_tiles(a, b, out, tile_size):
    (n, inner), m = a.shape, b.shape[1]
    for i, j in np.ndindex(n, m):
        total = np.zeros((1, 1), dtype=np.float32)
        for k in range(inner):
            total += a[i : i + 1, k : k + 1] * b[k : k + 1, j : j + 1]
        out[i : i + 1, j : j + 1] = total
