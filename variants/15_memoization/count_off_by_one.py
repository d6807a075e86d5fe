# ---
# title: Counts only what is computed again, t - 1 keys in step t
# kind: wrong
# base: reference
# lost: [test_keys_per_step]
# ---

# %% keys_per_step
def keys_per_step(prompt_tokens, new_tokens, cached):
    return [0 if cached else prompt_tokens + step - 1 for step in range(new_tokens)]
