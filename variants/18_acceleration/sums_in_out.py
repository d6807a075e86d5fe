# ---
# title: Adds up in out, which holds rubbish before
# kind: wrong
# base: reference
# lost: [test_multiply_tiles]
# ---

# %% multiply_tiles
def multiply_tiles(a, b, out, tile_size):
    (n, inner), m = a.shape, b.shape[1]
    for rows in blocks(n, tile_size):
        for columns in blocks(m, tile_size):
            for middle in blocks(inner, tile_size):
                out[rows, columns] = out[rows, columns] + a[rows, middle] @ b[middle, columns]
