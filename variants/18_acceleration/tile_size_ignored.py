# ---
# title: One product, whatever the tile size
# kind: wrong
# base: reference
# lost: [test_multiply_tiles]
# ---

# %% multiply_tiles
def multiply_tiles(a, b, out, tile_size):
    (n, inner), m = a.shape, b.shape[1]
    out[0:n, 0:m] = np.matmul(a[0:n, 0:inner], b[0:inner, 0:m])
