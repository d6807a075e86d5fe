# ---
# title: Softmax is counted for one head
# kind: wrong
# base: reference
# lost: [test_attention_flops]
# ---

# %% attention_flops
def attention_flops(batch, tokens, width, heads):
    return batch * (4 * tokens * tokens * width + tokens * tokens)
