# ---
# title: The scope swallows errors
# kind: wrong
# base: reference
# lost: [test_generation_scope]
# ---

# %% generation_scope
@contextmanager
def generation_scope(cache):
    cache.reset()
    try:
        yield cache
    except BaseException:
        pass
    cache.reset()
