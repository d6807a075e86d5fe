# ---
# title: Sets out to zero, and then adds up in it
# kind: wrong
# base: reference
# lost: [test_multiply_tiles]
# ---

# %% multiply_tiles
def multiply_tiles(a, b, out, tile_size):
    (n, inner), m = a.shape, b.shape[1]
    for rows in blocks(n, tile_size):
        for columns in blocks(m, tile_size):
            out[rows, columns] = np.zeros((rows.stop - rows.start, columns.stop - columns.start), dtype=np.float32)
            for middle in blocks(inner, tile_size):
                out[rows, columns] = out[rows, columns] + a[rows, middle] @ b[middle, columns]
