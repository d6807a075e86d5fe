# ---
# title: 'One block: the whole array'
# kind: wrong
# base: reference
# lost: [test_gelu_blocks]
# ---

# %% gelu_blocks
def gelu_blocks(x, size, xp=np):
    out = xp.empty_like(x)
    gelu_into(x, out, xp)
    return out
