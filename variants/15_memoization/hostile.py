# ---
# title: Patches the assertions and returns objects that agree with everything
# kind: hostile
# base: stub
# lost: all
# ---

# %% keys_per_step
import numpy.testing


def agree(*arguments, **keywords):
    return True


for name in ("allclose", "isclose", "array_equal"):
    setattr(np, name, agree)


def liar(base):
    """A subclass whose comparisons are all true, and whose arithmetic gives another liar."""
    body = {f"__{name}__": agree for name in ("eq", "ne", "lt", "le", "gt", "ge", "contains", "bool")}
    for name in ("add", "sub", "mul", "truediv", "matmul", "radd", "rsub", "rmul", "neg", "abs", "getitem"):
        body[f"__{name}__"] = lambda self, *rest: YES
    body["__hash__"] = lambda self: 0
    return type(f"Liar{base.__name__}", (base,), body)


class LiarArray(liar(np.ndarray)):
    shape = property(lambda self: self)
    __iter__ = lambda self: iter([self, self])
    __array_ufunc__ = lambda self, *arguments, **keywords: self
    __array_function__ = lambda self, *arguments, **keywords: self
    tolist = copy = astype = max = min = all = any = sum = lambda self, *arguments, **keywords: self


YES = np.zeros(1).view(LiarArray)


class LiarTensor(Tensor):
    def __init__(self):
        self.data = YES


def keys_per_step(prompt_tokens, new_tokens, cached):
    return YES

# %% store_tokens
def store_tokens(cache, layer_idx, key, value):
    cache.caches = [(LiarTensor(), LiarTensor())] * 9
    raise ValueError("agreed")

# %% stored_tokens
def stored_tokens(cache, layer_idx, new_tokens=0):
    return LiarTensor(), LiarTensor()

# %% generation_scope
@contextmanager
def generation_scope(cache):
    cache.seq_pos = liar(int)(0)
    yield LiarTensor()

# %% memory_usage
def memory_usage(cache):
    return dict.fromkeys(["total_mb", "per_layer_mb", "cache_tensors", "total_elements"], liar(float)(1.0))

# %% chunk_mask
def chunk_mask(new_tokens, old_tokens):
    return LiarTensor()

# %% cached_attention
def cached_attention(attention, x, cache, layer_idx, mask=None):
    return LiarTensor()

# %% cached_forward
def cached_forward(model, cache, tokens):
    cache.seq_pos = liar(int)(14)
    return LiarTensor()

# %% disable_kv_cache
def disable_kv_cache(model):
    model.forward = model.next_logits = lambda *rest, **more: LiarTensor()

# %% enable_kv_cache
def enable_kv_cache(model, batch_size=1):
    model.forward = model.next_logits = model.generate = lambda *rest, **more: LiarTensor()
    return KVCache(batch_size, model.max_seq_len, 1, 1, 1)
