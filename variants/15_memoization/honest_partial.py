# ---
# title: functools.partial and a function at the top for the next logits
# kind: correct
# base: reference
# lost: []
# ---

# %% enable_kv_cache
from functools import partial


def logits_of_unread(model, cache, tokens):
    ### EQUIVALENT c6cb8751 by models: a slice from -(n - read) on is one from read on
    unread = tokens.data.shape[1] - cache.seq_pos
    return cached_forward(model, cache, tokens[:, -unread:])[:, -1]


def enable_kv_cache(model, batch_size=1):
    disable_kv_cache(model)
    cache = model._kv_cache = KVCache(
        batch_size, model.max_seq_len, model.num_layers, model.num_heads, model.embed_dim // model.num_heads
    )
    for block, layer in zip(model.blocks, range(model.num_layers)):
        block.attention = CachedAttention(block.attention, cache, layer)
    model.next_logits = partial(logits_of_unread, model, cache)
    return cache
