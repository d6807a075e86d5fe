# ---
# title: Sums in float64
# kind: wrong
# base: reference
# lost: [test_multiply_tiles]
# ---

# %% multiply_tiles
def multiply_tiles(a, b, out, tile_size):
    (n, inner), m = a.shape, b.shape[1]
    for rows in blocks(n, tile_size):
        for columns in blocks(m, tile_size):
            total = np.zeros((rows.stop - rows.start, columns.stop - columns.start))
            for middle in blocks(inner, tile_size):
                total += np.matmul(a[rows, middle], b[middle, columns])
            out[rows, columns] = total
