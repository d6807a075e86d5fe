# ---
# title: Tokens are counted and stored by recursion
# kind: correct
# base: reference
# lost: []
# ---

# %% keys_per_step
def keys_per_step(prompt_tokens, new_tokens, cached):
    if new_tokens == 0:
        return []
    rest = keys_per_step(prompt_tokens + 1, new_tokens - 1, cached)
    return [prompt_tokens] + ([1] * len(rest) if cached else rest)
