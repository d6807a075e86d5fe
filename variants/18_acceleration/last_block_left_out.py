# ---
# title: Whole blocks only, the rest stays rubbish
# kind: wrong
# base: reference
# lost: [test_gelu_blocks]
# ---

# %% gelu_blocks
def gelu_blocks(x, size, xp=np):
    out = xp.empty_like(x)
    for start in range(0, x.shape[0] - size + 1, size):
        gelu_into(x[start : start + size], out[start : start + size], xp)
    return out
