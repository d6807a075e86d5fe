# ---
# title: Switching off forgets all blocks but the first
# kind: wrong
# base: reference
# lost: [test_disable_kv_cache]
# ---

# %% disable_kv_cache
def disable_kv_cache(model):
    if getattr(model, "_kv_cache", None) is None:
        return
    model.blocks[0].attention = model.blocks[0].attention.attention
    del model.next_logits
    model._kv_cache = None
