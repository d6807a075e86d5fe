# ---
# title: The scope empties the cache only when it ends
# kind: wrong
# base: reference
# lost: [test_generation_scope]
# ---

# %% generation_scope
@contextmanager
def generation_scope(cache):
    try:
        yield cache
    finally:
        cache.reset()
