# ---
# title: Everything is tried, and undone where it fails
# kind: correct
# base: reference
# lost: []
# ---

# %% generation_scope
@contextmanager
def generation_scope(cache):
    """Begins and ends empty."""
    cache.reset()
    failed = None
    try:
        yield cache
    except BaseException as error:
        failed = error
    cache.reset()
    if failed is not None:
        raise failed
