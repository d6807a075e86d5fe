# ---
# title: Collects both factors tile by tile, and multiplies them whole
# kind: wrong
# base: reference
# lost: [test_multiply_tiles]
# ---

# %% multiply_tiles
def multiply_tiles(a, b, out, tile_size):
    def whole(matrix):
        values = np.empty(matrix.shape, dtype=np.float32)
        for rows in blocks(matrix.shape[0], tile_size):
            for columns in blocks(matrix.shape[1], tile_size):
                values[rows, columns] = matrix[rows, columns]
        return values

    product = whole(a) @ whole(b)
    for rows in blocks(product.shape[0], tile_size):
        for columns in blocks(product.shape[1], tile_size):
            out[rows, columns] = product[rows, columns]
