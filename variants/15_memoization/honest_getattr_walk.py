# ---
# title: Switching off looks at what is there, not at a note
# kind: correct
# base: reference
# lost: []
# ---

# %% disable_kv_cache
def disable_kv_cache(model):
    for block in model.blocks:
        while not isinstance(block.attention, MultiHeadAttention):
            block.attention = block.attention.attention
    for name in ("next_logits", "_kv_cache"):
        try:
            delattr(model, name)
        except AttributeError:
            pass
