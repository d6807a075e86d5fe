# ---
# title: After an error the cache still holds the text
# kind: wrong
# base: reference
# lost: [test_generation_scope]
# ---

# %% generation_scope
@contextmanager
def generation_scope(cache):
    cache.reset()
    yield cache
    cache.reset()
