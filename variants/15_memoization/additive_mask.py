# ---
# title: Zeros and minus infinity (policy case, the same attention by another convention)
# kind: policy
# base: reference
# lost: [test_chunk_mask]
# ---

# %% chunk_mask
def chunk_mask(new_tokens, old_tokens):
    seen = np.tri(new_tokens, old_tokens + new_tokens, old_tokens)
    return Tensor(np.where(seen == 1, 0.0, -np.inf))
