# ---
# title: numpy computes in the blocks, whatever was asked
# kind: wrong
# base: reference
# lost: [test_gelu_blocks]
# ---

# %% gelu_blocks
def gelu_blocks(x, size, xp=np):
    out = xp.empty_like(x)
    for part in blocks(x.shape[0], size):
        gelu_into(x[part], out[part], np)
    return out
