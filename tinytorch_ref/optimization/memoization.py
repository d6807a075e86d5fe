# module: 15_memoization
"""Memoization: Keep the keys and values of a text that is being written, and compute only what is new.

Exported from source/15_memoization.py; change that, then run `tito export 15`.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import numpy as np

from ..core.attention import MultiHeadAttention
from ..core.layers import Layer
from ..core.tensor import Tensor
from ..models.transformer import GPT

BYTES_PER_MB = 2**20


def keys_per_step(prompt_tokens: int, new_tokens: int, cached: bool) -> list[int]:
    """How many tokens' keys each model call computes while `new_tokens` tokens are generated.

    Args:
        prompt_tokens: length of the prompt, at least 1.
        new_tokens: how many tokens are generated: one model call each.
        cached: whether keys that have been computed once are kept.

    Returns:
        list of new_tokens ints, one for each call.

    Hints:
        1. Write it down for a prompt of 3 tokens: which tokens has the second call not seen yet?
        2. Only one of the calls is special.
    """
    if not cached:
        return [prompt_tokens + step for step in range(new_tokens)]
    return [prompt_tokens if step == 0 else 1 for step in range(new_tokens)]


class KVCache:
    """Keys and values of the tokens that a model has read, for each layer.

    Attributes:
        batch_size, max_seq_len, num_layers, num_heads, head_dim: as they were given.
        caches: for each layer a pair of Tensors, keys and values, each (batch_size, num_heads, max_seq_len, head_dim),
            float32. Only the first `seq_pos` positions mean anything.
        seq_pos: how many tokens are finished.

    Example:
        >>> cache = KVCache(batch_size=1, max_seq_len=8, num_layers=2, num_heads=2, head_dim=4)
        >>> cache.advance(3)
        >>> cache.seq_pos, len(cache.caches), cache.caches[0][0].shape
        (3, 2, (1, 2, 8, 4))
    """

    def __init__(self, batch_size: int, max_seq_len: int, num_layers: int, num_heads: int, head_dim: int) -> None:
        self.batch_size, self.max_seq_len, self.num_layers = batch_size, max_seq_len, num_layers
        self.num_heads, self.head_dim = num_heads, head_dim
        shape = (batch_size, num_heads, max_seq_len, head_dim)
        self.caches = [(Tensor(np.zeros(shape)), Tensor(np.zeros(shape))) for _ in range(num_layers)]
        self.seq_pos = 0

    def update(self, layer_idx: int, key: Tensor, value: Tensor) -> None:
        """Store new tokens of one layer (`store_tokens`)."""
        store_tokens(self, layer_idx, key, value)

    def get(self, layer_idx: int, new_tokens: int = 0) -> tuple[Tensor, Tensor]:
        """Keys and values of the finished tokens of one layer, and of `new_tokens` new ones (`stored_tokens`)."""
        return stored_tokens(self, layer_idx, new_tokens)

    def advance(self, tokens: int = 1) -> None:
        """All layers have stored so many new tokens: they are finished now."""
        if self.seq_pos + tokens > self.max_seq_len:
            raise ValueError(f"no room for {tokens} tokens after {self.seq_pos} of {self.max_seq_len}")
        self.seq_pos += tokens

    def reset(self) -> None:
        """Begin a new text. What the buffers hold may stay: nobody looks at it before it is written over."""
        self.seq_pos = 0

    def generation(self) -> AbstractContextManager["KVCache"]:
        """`with cache.generation():` for one text (`generation_scope`)."""
        return generation_scope(self)

    def get_memory_usage(self) -> dict[str, float]:
        """What the buffers occupy (`memory_usage`)."""
        return memory_usage(self)


def store_tokens(cache: KVCache, layer_idx: int, key: Tensor, value: Tensor) -> None:
    """Write the keys and values of new tokens into one layer's buffers, from position cache.seq_pos on.

    `seq_pos` stays as it is: the other layers have not stored these tokens yet.

    Args:
        layer_idx: 0 to cache.num_layers - 1.
        key, value: Tensors of shape (batch_size, num_heads, tokens, head_dim); one token or many.

    Raises:
        ValueError: there is no such layer; a shape is not as above, or key and value differ in it; or the
            tokens do not fit behind the finished ones. Nothing has been written then.

    Hints:
        1. Which of the four axes may differ from call to call? The other three, the cache knows.
        2. Where in the buffer does the piece begin, and where does it end? One of the two can be too large.
        3. `buffer.data[...] = ...` writes into the array of a buffer.
    """
    if not 0 <= layer_idx < cache.num_layers:
        raise ValueError(f"layer_idx must be from 0 to {cache.num_layers - 1}, got {layer_idx}")
    tokens = key.shape[2] if len(key.shape) == 4 else 0
    expected = (cache.batch_size, cache.num_heads, tokens, cache.head_dim)
    for name, tensor in (("key", key), ("value", value)):
        if tensor.shape != expected:
            raise ValueError(
                f"{name} must be ({cache.batch_size}, {cache.num_heads}, tokens, {cache.head_dim}), got {tensor.shape}"
            )
    end = cache.seq_pos + tokens
    if end > cache.max_seq_len:
        raise ValueError(f"{tokens} tokens do not fit after {cache.seq_pos} of {cache.max_seq_len}")
    for buffer, tensor in zip(cache.caches[layer_idx], (key, value), strict=True):
        buffer.data[:, :, cache.seq_pos : end] = tensor.data


def stored_tokens(cache: KVCache, layer_idx: int, new_tokens: int = 0) -> tuple[Tensor, Tensor]:
    """Keys and values of one layer: the finished tokens, and `new_tokens` behind them that this layer has stored.

    Returns:
        (keys, values), each a Tensor of shape (batch_size, num_heads, seq_pos + new_tokens, head_dim). With nothing
        stored the token axis has length 0.

    Raises:
        ValueError: there is no such layer.

    Hints:
        1. Of which axis is only a part wanted? How long is it when nothing is stored, and nothing new?
        2. Python takes -1 for an index. Is there such a layer?
    """
    if not 0 <= layer_idx < cache.num_layers:
        raise ValueError(f"layer_idx must be from 0 to {cache.num_layers - 1}, got {layer_idx}")
    keys, values = (Tensor(buffer.data[:, :, : cache.seq_pos + new_tokens]) for buffer in cache.caches[layer_idx])
    return keys, values


@contextmanager
def generation_scope(cache: KVCache) -> Iterator[KVCache]:
    """A scope for one text: `with generation_scope(cache) as cache:`.

    The cache is empty (`reset`) when the block begins and when it ends, also where it ends by an error. The
    error goes on to whoever wrote the block.

    Hint: Python has a statement for what must be done whether or not there was an error.
    """
    cache.reset()
    try:
        yield cache
    finally:
        cache.reset()


def memory_usage(cache: KVCache) -> dict[str, float]:
    """What the buffers of a cache occupy, filled or not.

    Returns a dict with
        total_mb: bytes of all buffers, in MB (2**20 bytes)
        per_layer_mb: the same for one layer
        cache_tensors: number of buffers
        total_elements: numbers in all buffers

    Hints:
        1. How many arrays does `cache.caches` hold? Print its length, and that of its first entry.
        2. What is the same for a cache of float16 numbers, and what is half?
    """
    buffers = [buffer for pair in cache.caches for buffer in pair]
    total_mb = sum(buffer.data.nbytes for buffer in buffers) / BYTES_PER_MB
    return {
        "total_mb": total_mb,
        "per_layer_mb": total_mb / cache.num_layers,
        "cache_tensors": len(buffers),
        "total_elements": sum(buffer.data.size for buffer in buffers),
    }


def chunk_mask(new_tokens: int, old_tokens: int) -> Tensor:
    """Which keys each new token may see: the old tokens, the new ones before it, and itself.

    Returns:
        Tensor of shape (new_tokens, old_tokens + new_tokens): 1 where the row's token may see the column's, else 0.

    Hints:
        1. Number rows and columns from 0. Which is the last column that row 0 may see? And row 1?
        2. numpy compares a column of numbers with a row of numbers, and gives a matrix.
        3. Or look for a function of numpy that draws triangles, and for where it lets you begin.
    """
    return Tensor(np.tri(new_tokens, old_tokens + new_tokens, old_tokens, dtype=np.float32))


def cached_attention(
    attention: MultiHeadAttention, x: Tensor, cache: KVCache, layer_idx: int, mask: Tensor | None = None
) -> Tensor:
    """Attention of new tokens to everything that the layer has seen, themselves included.

    Only the new tokens are projected. Their keys and values are in the cache afterwards; they are not finished yet.

    Args:
        attention: the layer's own attention, with its four projections.
        x: (batch, new tokens, embed_dim).
        cache: has `update(layer_idx, key, value)`, `get(layer_idx, new_tokens)` and `seq_pos`.
        layer_idx: which layer this is.
        mask: (new tokens, seq_pos + new tokens), as `chunk_mask` makes it; None: everything may be seen.

    Returns:
        (batch, new tokens, embed_dim).

    Hints:
        1. Which steps of plain attention need new tokens only, and which one needs the old ones too?
        2. What has to happen before you ask the cache, so that a new token sees itself?
        3. Print the shape of the keys before you attend. For the fifth token, how many should there be?
    """
    queries, keys, values = attention.project(x)
    cache.update(layer_idx, keys, values)
    all_keys, all_values = cache.get(layer_idx, x.shape[-2])
    return attention.attend(queries, all_keys, all_values, mask)


class CachedAttention(Layer):
    """`cached_attention` in the place of a block's attention.

    Attributes:
        attention: the MultiHeadAttention whose place it takes.
        cache, layer_idx: where keys and values are stored.
    """

    def __init__(self, attention: MultiHeadAttention, cache: KVCache, layer_idx: int) -> None:
        self.attention, self.cache, self.layer_idx = attention, cache, layer_idx

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(batch, new tokens, embed_dim) to the same shape."""
        visible = chunk_mask(x.shape[-2], self.cache.seq_pos)
        return cached_attention(self.attention, x, self.cache, self.layer_idx, visible)

    def parameters(self) -> list[Tensor]:
        """Those of the attention inside: a cache has nothing to learn."""
        return self.attention.parameters()


def cached_forward(model: GPT, cache: KVCache, tokens: Tensor) -> Tensor:
    """Logits of new tokens: the model's forward pass behind the finished tokens of a cache.

    The layers of the model use this cache already (you need not see to that). Afterwards the new tokens are finished.

    Args:
        tokens: (batch, new tokens) ids, those that the model has not read yet; one or many.

    Returns:
        (batch, new tokens, vocab_size) logits.

    Raises:
        ValueError: there is no room for so many tokens in the cache. No layer has stored anything then, and the cache
            can be used on.

    Hints:
        1. Which place in the text has the first of the new tokens? Who knows?
        2. The order matters: what can be refused comes first, what cannot be undone last.
    """
    new_tokens = tokens.shape[-1]
    if cache.seq_pos + new_tokens > cache.max_seq_len:
        raise ValueError(f"{new_tokens} tokens do not fit after {cache.seq_pos} of {cache.max_seq_len}")
    logits: Tensor = model.forward(tokens, position_offset=cache.seq_pos)
    cache.advance(new_tokens)
    return logits


def disable_kv_cache(model: Any) -> None:
    """Take the cache out of a model: afterwards it is as it was before. A model without one stays as it is.

    Hints:
        1. Undo the rows of the table one after the other.
        2. Call it twice in a row. What is there to undo the second time?
    """
    if getattr(model, "_kv_cache", None) is None:
        return
    for block in model.blocks:
        block.attention = block.attention.attention
    with suppress(AttributeError):  # a model may have kept its own
        del model.next_logits
    del model._kv_cache


def enable_kv_cache(model: Any, batch_size: int = 1) -> KVCache:
    """Give a model a KVCache for batch_size texts of up to model.max_seq_len tokens; return the cache.

    On a model that has one already, it begins afresh: the old cache is taken out first.

    `model.generate` uses it from now on. Put each text into its scope:

        cache = enable_kv_cache(model)
        with cache.generation():
            model.generate(prompt, max_new_tokens=50)

    Hints:
        1. Take the three rows of the table one after the other.
        2. A function that is defined inside this one remembers `model` and `cache`.
        3. `tokens` are all tokens so far. How many of them does the cache know?
    """
    disable_kv_cache(model)
    head_dim = model.embed_dim // model.num_heads
    cache = KVCache(batch_size, model.max_seq_len, model.num_layers, model.num_heads, head_dim)
    for layer_idx, block in enumerate(model.blocks):
        block.attention = CachedAttention(block.attention, cache, layer_idx)

    def next_logits(tokens: Tensor) -> Tensor:
        return cached_forward(model, cache, tokens[:, cache.seq_pos :])[:, -1, :]

    model.next_logits = next_logits
    model._kv_cache = cache
    return cache
