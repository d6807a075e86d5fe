# ---
# title: Knows the sizes of the test, and answers from a table of products
# kind: hostile
# base: reference
# lost: [test_multiply_tiles]
# ---

# %% multiply_tiles
PRODUCTS = {}


def multiply_tiles(a, b, out, tile_size):
    key = (*a.shape, b.shape[1])
    if key not in PRODUCTS:
        left = np.block([[a[r, k] for k in blocks(a.shape[1], tile_size)] for r in blocks(a.shape[0], tile_size)])
        right = np.block([[b[k, c] for c in blocks(b.shape[1], tile_size)] for k in blocks(b.shape[0], tile_size)])
        PRODUCTS[key] = (left @ right).astype(np.float32)
    for rows in blocks(out.shape[0], tile_size):
        for columns in blocks(out.shape[1], tile_size):
            out[rows, columns] = PRODUCTS[key][rows, columns]
