# ---
# title: The width is divided with a slash, and a count becomes a float
# kind: wrong
# base: reference
# lost: [test_attention_flops]
# ---

# %% attention_flops
def attention_flops(batch, tokens, width, heads):
    part = width / heads
    scores = heads * tokens**2 * (2 * part + 1)
    values = heads * tokens**2 * 2 * part
    return batch * (scores + values)
