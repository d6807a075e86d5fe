# ---
# title: Whole bands of the factors, tiles of the product alone
# kind: wrong
# base: reference
# lost: [test_multiply_tiles]
# ---

# %% multiply_tiles
def multiply_tiles(a, b, out, tile_size):
    (n, inner), m = a.shape, b.shape[1]
    for rows in blocks(n, tile_size):
        for columns in blocks(m, tile_size):
            out[rows, columns] = np.matmul(a[rows, 0:inner], b[0:inner, columns])
