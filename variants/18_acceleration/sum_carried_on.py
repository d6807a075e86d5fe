# ---
# title: The sum of one tile goes on with that of the tile before
# kind: wrong
# base: reference
# lost: [test_multiply_tiles]
# ---

# %% multiply_tiles
def multiply_tiles(a, b, out, tile_size):
    (n, inner), m = a.shape, b.shape[1]
    total = np.zeros((tile_size, tile_size), dtype=np.float32)
    for rows in blocks(n, tile_size):
        for columns in blocks(m, tile_size):
            for middle in blocks(inner, tile_size):
                part = a[rows, middle] @ b[middle, columns]
                total[: part.shape[0], : part.shape[1]] += part
            out[rows, columns] = total[: rows.stop - rows.start, : columns.stop - columns.start]
