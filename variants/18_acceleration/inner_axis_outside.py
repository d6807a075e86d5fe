# ---
# title: 'The inner axis outside: all sums are held at once'
# kind: wrong
# base: reference
# lost: [test_multiply_tiles]
# ---

# %% multiply_tiles
def multiply_tiles(a, b, out, tile_size):
    (n, inner), m = a.shape, b.shape[1]
    totals = np.zeros((n, m), dtype=np.float32)
    for middle in blocks(inner, tile_size):
        for rows in blocks(n, tile_size):
            for columns in blocks(m, tile_size):
                totals[rows, columns] += a[rows, middle] @ b[middle, columns]
    for rows in blocks(n, tile_size):
        for columns in blocks(m, tile_size):
            out[rows, columns] = totals[rows, columns]
