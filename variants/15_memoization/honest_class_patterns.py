# ---
# title: Class patterns, and attributes taken out by name
# kind: correct
# base: reference
# lost: []
# ---

# %% disable_kv_cache
def disable_kv_cache(model):
    for block in model.blocks:
        match block.attention:
            case CachedAttention(attention=inner):
                block.attention = inner
    for name in {"next_logits", "_kv_cache"} & vars(model).keys():
        delattr(model, name)

# %% cached_forward
def cached_forward(model, cache, tokens):
    batch, new_tokens = tokens.shape
    places = range(cache.seq_pos, cache.seq_pos + new_tokens)
    if places.stop > cache.max_seq_len:
        raise ValueError(f"places {places} of {cache.max_seq_len}")
    logits = model.forward(tokens, places.start)
    cache.advance(len(places))
    return logits
