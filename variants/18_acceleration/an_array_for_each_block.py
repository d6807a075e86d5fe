# ---
# title: An array for each block, besides the result
# kind: wrong
# base: reference
# lost: [test_gelu_blocks]
# ---

# %% gelu_blocks
def gelu_blocks(x, size, xp=np):
    out = xp.empty_like(x)
    for part in blocks(x.shape[0], size):
        piece = xp.empty_like(x[part])
        gelu_into(x[part], piece, xp)
        xp.multiply(piece, 1.0, out=out[part])
    return out
