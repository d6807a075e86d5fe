# ---
# title: The result in the place of x
# kind: wrong
# base: reference
# lost: [test_gelu_blocks]
# ---

# %% gelu_blocks
def gelu_blocks(x, size, xp=np):
    out = xp.empty_like(x)
    for part in blocks(x.shape[0], size):
        gelu_into(x[part], out[part], xp)
        xp.multiply(out[part], 1.0, out=x[part])
    return out
