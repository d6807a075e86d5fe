# ---
# title: A loop that never ends in gelu_blocks
# kind: endless
# base: reference
# lost: [test_gelu_blocks]
# ---

# %% gelu_blocks
def gelu_blocks(x, size, xp=np):
    out, start = xp.empty_like(x), 0
    while start < x.shape[0]:
        part = slice(start, min(start + size, x.shape[0]))
        gelu_into(x[part], out[part], xp)
    return out
