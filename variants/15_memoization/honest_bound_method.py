# ---
# title: types.MethodType for the next logits, the cache looked up in the model
# kind: correct
# base: reference
# lost: []
# ---

# %% enable_kv_cache
import types


def _next_logits(self, tokens):
    fresh = tokens if self._kv_cache.seq_pos == 0 else tokens[:, -1:]
    return cached_forward(self, self._kv_cache, fresh)[:, -1, :]


def enable_kv_cache(model, batch_size=1):
    disable_kv_cache(model)
    model._kv_cache = KVCache(batch_size=batch_size, max_seq_len=model.max_seq_len, num_layers=len(model.blocks),
                              ### EQUIVALENT d4f4b417 by models: the layers of a GPT are alike
                              num_heads=model.num_heads, head_dim=model.blocks[0].attention.head_dim)
    for layer_idx in range(len(model.blocks)):
        block = model.blocks[layer_idx]
        block.attention = CachedAttention(block.attention, model._kv_cache, layer_idx)
    model.next_logits = types.MethodType(_next_logits, model)
    return model._kv_cache
