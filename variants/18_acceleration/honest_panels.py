# ---
# title: Reads a tile of the first factor once for each tile of the product's row, snake-wise
# kind: correct
# base: reference
# lost: []
# ---

# %% multiply_tiles
def multiply_tiles(a, b, out, tile_size):
    (n, inner), m = a.shape, b.shape[1]
    forward = True
    for rows in blocks(n, tile_size):
        for columns in blocks(m, tile_size):
            middles = blocks(inner, tile_size)
            total = np.zeros((rows.stop - rows.start, columns.stop - columns.start), dtype=np.float32)
            for middle in middles if forward else reversed(middles):
                total += np.matmul(a[rows, middle], b[middle, columns])
            forward = not forward
            out[rows, columns] = total
