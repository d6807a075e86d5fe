# ---
# title: Errors of an own kind, subclasses of ValueError
# kind: correct
# base: reference
# lost: []
# ---

# %% store_tokens
class CacheFull(ValueError):
    pass


class WrongShape(ValueError):
    pass

def store_tokens(cache, layer_idx, key, value):
    if not 0 <= layer_idx < cache.num_layers:
        raise ValueError("no such layer")
    tokens = key.shape[2] if len(key.shape) == 4 else 0
    shape = (cache.batch_size, cache.num_heads, tokens, cache.head_dim)
    if key.shape != shape or value.shape != shape:
        raise WrongShape("wrong shape")
    end = cache.seq_pos + tokens
    if end > cache.max_seq_len:
        raise CacheFull("full")
    keys, values = cache.caches[layer_idx]
    keys.data[:, :, cache.seq_pos : end] = key.data
    values.data[:, :, cache.seq_pos : end] = value.data

# %% cached_forward
def cached_forward(model, cache, tokens):
    ### EQUIVALENT 09bdbc93 by feeds: tokens have two axes
    count = tokens.shape[-1]
    if cache.seq_pos + count > cache.max_seq_len:
        raise CacheFull("full")
    logits = model.forward(tokens, position_offset=cache.seq_pos)
    cache.advance(count)
    return logits
