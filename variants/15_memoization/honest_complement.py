# ---
# title: While loops, and a mask that says what is not seen
# kind: correct
# base: reference
# lost: []
# ---

# %% keys_per_step
def keys_per_step(prompt_tokens, new_tokens, cached):
    counts = []
    while len(counts) < new_tokens:
        if not counts:
            counts.append(prompt_tokens)
        elif cached:
            counts.append(1)
        else:
            counts.append(counts[-1] + 1)
    return counts

# %% chunk_mask
def chunk_mask(new_tokens, old_tokens):
    later = np.triu(np.ones((new_tokens, old_tokens + new_tokens)), k=old_tokens + 1)
    return Tensor(1 - later)
