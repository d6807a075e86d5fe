# ---
# title: Generators in the place of lists, where a list is not asked for
# kind: correct
# base: reference
# lost: []
# ---

# %% multiply_tiles
def tiles(a, b, tile_size):
    for rows in blocks(a.shape[0], tile_size):
        for columns in blocks(b.shape[1], tile_size):
            yield rows, columns, (np.matmul(a[rows, k], b[k, columns]) for k in blocks(a.shape[1], tile_size))


def multiply_tiles(a, b, out, tile_size):
    for rows, columns, products in tiles(a, b, tile_size):
        total = np.array(next(products), dtype=np.float32)
        for product in products:
            total += product
        out[rows, columns] = total
