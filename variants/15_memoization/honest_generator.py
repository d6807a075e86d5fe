# ---
# title: The counts come from a generator, the scope is a class made by contextlib
# kind: correct
# base: reference
# lost: []
# ---

# %% keys_per_step
def keys_per_step(prompt_tokens, new_tokens, cached):
    for step in range(new_tokens):
        yield 1 if cached and step > 0 else prompt_tokens + step

# %% generation_scope
from contextlib import ExitStack


@contextmanager
def generation_scope(cache):
    with ExitStack() as stack:
        stack.callback(cache.reset)
        cache.reset()
        yield cache
