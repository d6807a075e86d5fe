# ---
# title: A loop that never ends in keys_per_step
# kind: endless
# base: reference
# lost: [test_keys_per_step]
# ---

# %% keys_per_step
def keys_per_step(prompt_tokens, new_tokens, cached):
    counts = [prompt_tokens]
    while len(counts) != new_tokens or new_tokens:
        counts[-1] = 1 if cached else prompt_tokens
    return counts
