# ---
# title: Another array of the same size beside the result
# kind: wrong
# base: reference
# lost: [test_gelu_blocks]
# ---

# %% gelu_blocks
def gelu_blocks(x, size, xp=np):
    scratch, out = xp.empty_like(x), xp.empty_like(x)
    for part in blocks(len(x), size):
        gelu_into(x[part], scratch[part], xp)
        xp.multiply(scratch[part], 1.0, out=out[part])
    return out
