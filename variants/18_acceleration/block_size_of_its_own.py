# ---
# title: Its own block size, whatever is asked
# kind: wrong
# base: reference
# lost: [test_gelu_blocks]
# ---

# %% gelu_blocks
def gelu_blocks(x, size, xp=np):
    out = xp.empty_like(x)
    for start in range(0, x.shape[0], 64):
        part = slice(start, min(start + 64, x.shape[0]))
        gelu_into(x[part], out[part], xp)
    return out
