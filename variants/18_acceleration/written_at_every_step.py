# ---
# title: Each tile is written after every step
# kind: wrong
# base: reference
# lost: [test_multiply_tiles]
# ---

# %% multiply_tiles
def multiply_tiles(a, b, out, tile_size):
    (n, inner), m = a.shape, b.shape[1]
    for rows in blocks(n, tile_size):
        for columns in blocks(m, tile_size):
            total = np.float32(0)
            for middle in blocks(inner, tile_size):
                total = total + a[rows, middle] @ b[middle, columns]
                out[rows, columns] = total
