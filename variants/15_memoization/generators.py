"""Inputs by which a mutant that is marked as equivalent is compared with the solution that it was made of.

Each draws from `rng`, and returns what the notebook's functions make of it; see book/how-to/mutation.md.
"""

import numpy as np


def outcome(call, *arguments):
    """What a call makes of its arguments, or the kind of error; a subclass of ValueError says no more than that."""
    try:
        return call(*arguments)
    except Exception as error:
        return "ValueError" if isinstance(error, ValueError) else type(error).__name__


def sizes_of_a_cache(rng):
    """batch_size, max_seq_len, num_layers, num_heads, head_dim."""
    return [int(size) for size in rng.integers((1, 2, 1, 1, 1), (4, 12, 4, 4, 5))]


def filled_cache(rng, notebook):
    """A cache of random numbers, of which some tokens are finished."""
    cache = notebook.KVCache(*sizes_of_a_cache(rng))
    for pair in cache.caches:
        for buffer in pair:
            buffer.data[:] = rng.normal(size=buffer.shape)
    cache.advance(int(rng.integers(cache.max_seq_len + 1)))
    return cache


def contents(cache):
    return [buffer.data.copy() for pair in cache.caches for buffer in pair], cache.seq_pos


def small_model(rng, notebook, layers):
    """A random GPT of so many layers at most, with 2 heads and 12 places."""
    return notebook.random_gpt(int(rng.integers(1_000_000)), 7, 8, int(rng.integers(1, layers + 1)), 2, 12)


def pieces(rng, length):
    """So many tokens, cut into pieces."""
    cuts = np.sort(rng.integers(length + 1, size=int(rng.integers(4))))
    return [part for part in np.split(np.arange(length), cuts) if part.size]


def stores(rng, notebook):
    cache = filled_cache(rng, notebook)
    answers = []
    for _ in range(3):
        shape = [cache.batch_size, cache.num_heads, int(rng.integers(1, 4)), cache.head_dim]
        shapes = [list(shape), list(shape)]
        for wrong in shapes[: int(rng.choice([0, 0, 0, 1, 2]))]:
            axis = int(rng.integers(4))
            wrong[axis : axis + 1] = [[], [wrong[axis] + 1], [1], [2, 2]][rng.integers(4)]
        rng.shuffle(shapes)
        key, value = (notebook.Tensor(rng.normal(size=shape)) for shape in shapes)
        layer = int(rng.integers(-1, cache.num_layers + 1))
        answers.append((outcome(notebook.store_tokens, cache, layer, key, value), contents(cache)))
        if rng.random() < 0.3:
            cache.reset()
    return answers


def reads(rng, notebook):
    cache = filled_cache(rng, notebook)
    answers = []
    for _ in range(4):
        layer = int(rng.integers(-1, cache.num_layers + 1))
        new_tokens = [int(rng.integers(cache.max_seq_len - cache.seq_pos + 1))][: rng.integers(2)]  # or as by default
        pair = outcome(notebook.stored_tokens, cache, layer, *new_tokens)
        answers.append(pair if isinstance(pair, str) else [tensor.data.copy() for tensor in pair])
        for tensor in () if isinstance(pair, str) else pair:
            tensor.data[:] = 7  # which must not reach the buffers
    return answers, contents(cache)


def scopes(rng, notebook):
    cache = filled_cache(rng, notebook)
    places = []

    def text():
        with notebook.generation_scope(cache) as inside:
            places.append(cache.seq_pos)
            inside.advance(int(rng.integers(2 * cache.max_seq_len)))
            places.append(cache.seq_pos)
            if rng.random() < 0.3:
                raise rng.choice([KeyError, RuntimeError, ValueError])("stop")

    return [(outcome(text), cache.seq_pos) for _ in range(3)], places


def amounts(rng, notebook):
    cache = notebook.KVCache(*sizes_of_a_cache(rng))
    kind = rng.choice(["float16", "float32"])
    cache.caches = [[notebook.Tensor(buffer.data.astype(kind)) for buffer in pair] for pair in cache.caches]
    usage = notebook.memory_usage(cache)
    return {name: float(usage[name]) for name in ("total_mb", "per_layer_mb", "cache_tensors", "total_elements")}


def masks(rng, notebook):
    new, old = int(rng.integers(1, 9)), int(rng.integers(9))
    mask = notebook.chunk_mask(new, old)
    state = np.random.get_state()
    np.random.seed(int(rng.integers(1_000_000)))
    attention = notebook.MultiHeadAttention(4, 2)
    np.random.set_state(state)
    queries, keys, values = (notebook.Tensor(rng.normal(size=(2, 2, size, 2))) for size in (new, old + new, old + new))
    return mask.data.astype(np.float64), attention.attend(queries, keys, values, mask)


def attentions(rng, notebook):
    model = small_model(rng, notebook, layers=2)
    layer = int(rng.integers(len(model.blocks)))
    cache = notebook.SpareCache(2, 12, len(model.blocks), 2, 4)
    x = rng.normal(0, 10.0 ** rng.uniform(-1, 1), size=(2, 12, 8))
    answers = []
    for places in pieces(rng, 12):
        mask = notebook.Tensor(np.tri(len(places), cache.seq_pos + len(places), cache.seq_pos))
        part = notebook.Tensor(x[:, places])
        attention = model.blocks[layer].attention
        answers.append(notebook.cached_attention(attention, part, cache, layer, mask if rng.random() < 0.7 else None))
        cache.advance(len(places))
    return answers, cache.get(layer)


def feeds(rng, notebook):
    model = small_model(rng, notebook, layers=2)
    cache = notebook.spare_cache_for(model, batch_size=2, max_seq_len=int(rng.integers(6, 16)))
    answers = []
    for places in pieces(rng, 16):
        tokens = notebook.Tensor(rng.integers(7, size=(2, len(places))))
        answers.append((outcome(notebook.cached_forward, model, cache, tokens), cache.seq_pos))
    return answers, [cache.get(layer, 16) for layer in range(len(model.blocks))]


def switched_off(rng, notebook):
    model = small_model(rng, notebook, layers=3)
    for _ in range(int(rng.integers(3))):
        if rng.random() < 0.7:
            notebook.enable_kv_cache(model)
        for _ in range(int(rng.integers(3))):
            notebook.disable_kv_cache(model)
    kinds = [type(block.attention).__name__ for block in model.blocks]
    tokens = notebook.Tensor(rng.integers(7, size=(1, 5)))
    return kinds, model.generate(tokens, 4, temperature=0), getattr(model, "_kv_cache", None) is None


def models(rng, notebook):
    model = small_model(rng, notebook, layers=3)
    batch = int(rng.integers(1, 4))
    cache = notebook.enable_kv_cache(model, **{"batch_size": batch} if batch > 1 else {})
    texts = []
    for _ in range(2):
        with cache.generation():
            prompt = rng.integers(7, size=(batch, int(rng.integers(1, 7))))
            texts.append(model.generate(notebook.Tensor(prompt), int(rng.integers(1, 6)), temperature=0))
            texts.append(cache.seq_pos)
    return texts, contents(cache), model.next_logits(notebook.Tensor(rng.integers(7, size=(batch, 3))))
