# ---
# title: A decorator of one's own around the functions, and prints
# kind: correct
# base: reference
# lost: []
# ---

# %% stored_tokens
import functools


def noted(function):
    calls = []

    @functools.wraps(function)
    def wrapper(*arguments, **keywords):
        ### EQUIVALENT 94d0ea6e by reads: what is noted is not looked at
        calls.append(arguments)
        return function(*arguments, **keywords)

    ### EQUIVALENT da486912 by reads: what the decorator notes is not looked at
    return wrapper


### EQUIVALENT 92193f41 by reads: what the decorator notes is not looked at
@noted
def stored_tokens(cache, layer_idx, new_tokens=0):
    try:
        if layer_idx < 0:
            raise IndexError
        pair = cache.caches[layer_idx]
    except IndexError as error:
        raise ValueError(f"no layer {layer_idx}") from error
    return [Tensor(buffer.data[:, :, : cache.seq_pos + new_tokens]) for buffer in pair]

# %% chunk_mask
### EQUIVALENT 92193f41 by masks: what the decorator notes is not looked at
@noted
def chunk_mask(new_tokens, old_tokens):
    print("mask for", new_tokens, "tokens behind", old_tokens)
    ### EQUIVALENT e09b6b2b by masks: a mask is of zeros and ones in any type
    whole = np.tril(np.ones((old_tokens + new_tokens, old_tokens + new_tokens), dtype=bool))
    return Tensor(whole[old_tokens:])
