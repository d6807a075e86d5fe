# ---
# title: Own helpers, classes, exceptions and names
# kind: correct
# base: reference
# lost: []
# ---

# %% store_tokens
from dataclasses import dataclass


class CacheError(ValueError):
    """Tokens that do not belong into a cache."""


@dataclass(frozen=True)
class Place:
    start: int
    tokens: int

    @property
    def end(self):
        return self.start + self.tokens


def demand(condition, message):
    if not condition:
        raise CacheError(message)


def layer_of(cache, layer_idx):
    demand(0 <= layer_idx < cache.num_layers, f"no layer {layer_idx}")
    return cache.caches[layer_idx]


def store_tokens(cache, layer_idx, key, value):
    buffers = layer_of(cache, layer_idx)
    demand(np.ndim(key.data) == np.ndim(value.data) == 4, "four axes")
    place = Place(cache.seq_pos, key.shape[2])
    shape = (cache.batch_size, cache.num_heads, place.tokens, cache.head_dim)
    demand(key.shape == shape and value.shape == shape, f"expected {shape}")
    demand(place.end <= cache.max_seq_len, "full")
    replaced = []
    for buffer, new in zip(buffers, (key, value)):
        ### EQUIVALENT 7a00d0dc by stores: the buffer is replaced by its like
        array = buffer.numpy().copy()
        array[:, :, place.start:place.end] = new.numpy()
        replaced.append(Tensor(array))
    cache.caches[layer_idx] = tuple(replaced)

# %% stored_tokens
def stored_tokens(cache, layer_idx, new_tokens=0):
    keep = np.arange(cache.seq_pos + new_tokens)
    keys, values = layer_of(cache, layer_idx)
    return Tensor(keys.data.take(keep, axis=2)), Tensor(values.data.take(keep, axis=2))

# %% generation_scope
class generation_scope:
    """A context manager as a class."""

    def __init__(self, cache):
        self.cache = cache

    def __enter__(self):
        self.cache.reset()
        return self.cache

    def __exit__(self, kind, error, trace):
        self.cache.reset()
        ### EQUIVALENT 853e8299 by scopes: False is zero
        return False

# %% chunk_mask
def chunk_mask(new_tokens, old_tokens):
    ### EQUIVALENT a4b60074 by masks: a mask is of zeros and ones in any type
    ### EQUIVALENT adcc7816 by masks: a mask is of zeros and ones in any type
    old = np.ones((new_tokens, old_tokens), dtype=np.float32)
    ### EQUIVALENT ffa9d9a2 by masks: there is one
    return Tensor(np.hstack([old, create_causal_mask(new_tokens).data[0]]))

# %% cached_attention
class Chunk:
    def __init__(self, attention, x):
        self.attention, self.tokens = attention, x.shape[-2]
        self.queries, self.keys, self.values = attention.project(x)

    def among(self, keys, values, mask):
        return self.attention.attend(self.queries, keys, values, mask)


def cached_attention(attention, x, cache, layer_idx, mask=None):
    chunk = Chunk(attention, x)
    cache.update(layer_idx, chunk.keys, chunk.values)
    return chunk.among(*cache.get(layer_idx, chunk.tokens), mask)

# %% cached_forward
def room_in(cache):
    return cache.max_seq_len - cache.seq_pos


class NoRoom(ValueError):
    pass


def cached_forward(model, cache, tokens):
    batch, new = tokens.shape
    if new > room_in(cache):
        raise NoRoom(f"{new} tokens, room for {room_in(cache)}")
    try:
        return model.forward(tokens, cache.seq_pos)
    finally:
        cache.advance(new)

# %% disable_kv_cache
def has_cache(model):
    return getattr(model, "_kv_cache", None) is not None


def disable_kv_cache(model):
    if not has_cache(model):
        ### EQUIVALENT eb2b0d6d by switched_off: None, filled with anything, is None
        ### EQUIVALENT 95869323 by switched_off: None, filled with anything, is None
        ### EQUIVALENT 6139ed7e by switched_off: nobody looks at what it returns
        return None
    for block in model.blocks:
        block.attention = block.attention.attention
    model.next_logits = GPT.next_logits.__get__(model)
    model._kv_cache = None

# %% enable_kv_cache
class NextLogits:
    """What stands in the place of GPT.next_logits."""

    def __init__(self, model, cache):
        self.model, self.cache = model, cache

    def __call__(self, tokens):
        unread = tokens.data[:, self.cache.seq_pos:]
        return cached_forward(self.model, self.cache, Tensor(unread))[:, -1, :]


def enable_kv_cache(model, batch_size=1):
    disable_kv_cache(model)
    sizes = (batch_size, model.max_seq_len, model.num_layers, model.num_heads, model.embed_dim // model.num_heads)
    cache = KVCache(*sizes)
    for number, block in zip(range(model.num_layers), model.blocks):
        block.attention = CachedAttention(attention=block.attention, cache=cache, layer_idx=number)
    model.next_logits = NextLogits(model, cache)
    setattr(model, "_kv_cache", cache)
    return cache
