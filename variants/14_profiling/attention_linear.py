# ---
# title: Attention is counted as one product of the sequence
# kind: wrong
# base: reference
# lost: [test_attention_flops]
# ---

# %% attention_flops
def attention_flops(batch, tokens, width, heads):
    return batch * 2 * tokens * width
