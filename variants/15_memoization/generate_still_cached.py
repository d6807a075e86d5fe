# ---
# title: Switching off leaves next_logits behind
# kind: wrong
# base: reference
# lost: [test_disable_kv_cache]
# ---

# %% disable_kv_cache
def disable_kv_cache(model):
    if getattr(model, "_kv_cache", None) is None:
        return
    for block in model.blocks:
        block.attention = block.attention.attention
    model._kv_cache = None
