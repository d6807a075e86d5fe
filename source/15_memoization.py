# ---
# jupyter:
#   jupytext:
#     notebook_metadata_filter: kernelspec,jupytext,module
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   module:
#     number: 15
#     name: memoization
#     title: Memoization
#     tier: Optimization
#     difficulty: 2
#     time: 4-5 hours
#     prerequisites: [Profiling, Transformers]
#     export: optimization.memoization
#     summary: Keep the keys and values of a text that is being written, and compute only what is new.
# ---

# %% [markdown]
# # Module 15: Memoization
#
# A language model writes one token at a time. For each new token, the `generate` of module 13 reads
# the whole text again. In this module you look at what is computed twice, keep it, and prove that
# the model says exactly the same as before: at every position, up to the last.
#
# **At stake:** a small model that answers questions, and that you can read. It shall do less work for
# each character, and not a single character may change. A cache that is wrong does not crash: it
# talks on, and talks nonsense, perhaps only after eighty tokens.
#
# The path is the same as in the other optimization modules:
#
# | step | question | where |
# |---|---|---|
# | Profile | how does the work of one more token grow with the text? | part 1 |
# | Discover | which of the numbers are the same as the last time? | part 1 |
# | Implement | where are they kept, and how does a model use them? | parts 2 to 5 |
# | Validate | the measurements of part 1 again, on your own cache | part 6 |
#
# **When you are done you can**
#
# 1. say what a decoder computes anew for each token, and count it;
# 2. build a key-value cache with a capacity, a scope, and errors that leave it whole;
# 3. feed a text in one piece, in chunks or token by token, and get the same logits;
# 4. test a cache so that a fault shows which is invisible in short texts;
# 5. weigh the memory of a cache against the work that it saves.
#
# **What you need.** `Tensor` (module 01), `Layer` (03), attention with its masks (12), `GPT` (13) and the
# `Profiler` (14). Gradients play no part: a cache is for a model that has been trained. The notebook runs on Python 3.11 or
# newer with numpy 2; the cells that draw, and nothing else, need matplotlib.
#
# **Connections**
#
# | module | gives this one | module | takes from it |
# |---|---|---|---|
# | 12 Attention | `project` and `attend`, keep masks | 16 Quantization | the cache can be stored in fewer bits |
# | 13 Transformers | `GPT.forward(tokens, position_offset)`, `generate` | 18 Acceleration | what is left to do per token |
# | 14 Profiling | operations and times, counted and measured | 20 Capstone | generation that is worth racing |
#
# **Where the code goes.** Cells that begin with `#| export` become
# `tinytorch.optimization.memoization` when the module is *exported*, that is, written to a file.
#
# **How it is graded.** 80 points by tests, 20 for two written answers. A test cell has two halves:
# above the line `### JUDGE` your code is run, below it the results are judged, elsewhere. When it is
# graded, further checks run on other inputs and on longer texts. A test that fails does not stop *Run all*.
# Cells marked **Warm-up** and **Validate** are never graded: run them, change them, break them.
#
# A unit, once and for all: 1 MB is 2**20 bytes, as in module 14.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import numpy as np

from tinytorch.core.attention import MultiHeadAttention
from tinytorch.core.layers import Layer
from tinytorch.core.tensor import Tensor
from tinytorch.models.transformer import GPT

BYTES_PER_MB = 2**20

# %% nbgrader={"grade": false, "grade_id": "workbench", "locked": true, "schema_version": 3, "solution": false, "task": false}
import copy
import time

from tinytorch.models.transformer import create_causal_mask
from tinytorch.models.zoo import load_dialogue_gpt, random_gpt
from tinytorch.notebook import refusal, stand_ins
from tinytorch.profiling.profiler import Profiler

# %% [markdown]
# ## 1. Warm-up: what does one more token cost?
#
# ### 1.1 A model that talks
#
# `load_dialogue_gpt` is a small GPT with three layers. It has read 580 short questions and answers,
# one character at a time, and sees at most 128 characters. Ask it something; it goes on with
# questions of its own until the text is full. (With `temperature=0` it always takes the most
# probable character, so that you can compare texts.)
#
# **Warm-up** (not graded): read what it says, and change the question.

# %% tags=["warmup"]
model, tokenizer = load_dialogue_gpt()


def prompt_of(question):
    """A question as the model has seen questions: ids of shape (1, tokens)."""
    return Tensor([tokenizer.encode(f"Q: {question}\nA:")])


def text_of(ids):
    return tokenizer.decode([int(token) for token in ids])


QUESTION = "What is the opposite of hot?"
prompt = prompt_of(QUESTION)
room = model.max_seq_len - prompt.shape[1]
written = model.generate(prompt, max_new_tokens=room, temperature=0).data
print(text_of(written[0]))
print(f"\n{prompt.shape[1]} characters were the prompt, {room} were written, one model call each")

# %% [markdown]
# ### 1.2 How the work grows
#
# `generate` calls `next_logits` with *all* tokens so far, one more each time. The next cell counts
# the operations of such a call with the profiler, measures its time, and adds up all calls from the
# first to the last. A longer model is used, with random weights, because 128 tokens are few.
#
# **Predict before you run.** When the text is twice as long: how many times as many operations does
# *one* call take, and how many times as many do *all* calls together? Write down two numbers.
#
# **Warm-up** (not graded): count, measure, and fit how it grows.

# %% tags=["warmup"]
LENGTHS = [16, 32, 64, 128, 256, 512]
long_model = random_gpt(15, vocab_size=65, embed_dim=64, num_layers=3, num_heads=4, max_seq_len=512)
long_text = np.random.default_rng(15).integers(65, size=(1, 512))
profiler = Profiler()


def power_of_growth(lengths, amounts):
    """The p of amount ~ length ** p: the slope of the straight line through the logarithms."""
    return float(np.polyfit(np.log(lengths), np.log(amounts), 1)[0])


def up_to(lengths, amounts):
    """All calls from length 1 to n, for each n in lengths; between measured lengths on a straight line."""
    every = np.interp(np.arange(1, lengths[-1] + 1), lengths, amounts)
    return np.cumsum(every)[np.array(lengths) - 1]


def median_ms(call, rounds=7):
    """Median time of a call, after one that does not count."""
    spent = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        call()
        spent.append(1000 * (time.perf_counter() - start))
    return float(np.median(spent[1:]))


every_flops = [profiler.count_flops(long_model, (1, length)) for length in range(1, LENGTHS[-1] + 1)]
plain_flops = [every_flops[length - 1] for length in LENGTHS]
plain_ms = [median_ms(lambda: long_model.next_logits(Tensor(long_text[:, :length]))) for length in LENGTHS]
all_flops, all_ms = np.cumsum(every_flops)[np.array(LENGTHS) - 1], up_to(LENGTHS, plain_ms)
print(f"{'tokens':>7} {'MFLOP':>9} {'ms':>8}   {'all calls so far: MFLOP':>24} {'ms':>9}")
for row in zip(LENGTHS, plain_flops, plain_ms, all_flops, all_ms):
    length, flops, spent, total_flops, total_ms = row
    print(f"{length:>7} {flops / 1e6:>9.2f} {spent:>8.2f}   {total_flops / 1e6:>24.1f} {total_ms:>9.1f}")

late = LENGTHS[2:]
powers = [power_of_growth(late, amounts[2:]) for amounts in (plain_flops, all_flops, all_ms)]
print(f"\nfit, from {late[0]} tokens on: the operations of one call grow like length to the power {powers[0]:.2f},")
print(f"     those of all calls together like length to the power {powers[1]:.2f},")
print(f"     and the time of all calls, as measured here, like length to the power {powers[2]:.2f}")
quadratic, linear = np.polyfit(LENGTHS, np.array(plain_flops) / LENGTHS, 1)
share = quadratic * LENGTHS[-1] / (quadratic * LENGTHS[-1] + linear)
print(f"of one call on {LENGTHS[-1]} tokens, {share:.0%} is the part that grows with the square of the length")

# %% [markdown]
# **Warm-up** (not graded): the same as a picture. Its code is folded; click on the dots to see it.

# %% tags=["warmup"] jupyter={"source_hidden": true}
import matplotlib.pyplot as plt

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
left.plot(LENGTHS, np.array(plain_flops) / 1e6, "o-")
left.set_xlabel("tokens so far")
left.set_ylabel("MFLOP for one more token")
right.loglog(LENGTHS, all_flops / 1e6, "o-", label="counted")
fitted = all_flops[-1] / 1e6 * (np.array(late) / LENGTHS[-1]) ** powers[1]
right.loglog(late, fitted, "--", color="0.5", label=f"length to the power {powers[1]:.2f}")
right.set_xticks(LENGTHS, [str(length) for length in LENGTHS])
right.minorticks_off()
right.set_xlabel("tokens in the end")
right.set_ylabel("MFLOP for all of them")
right.legend()
figure.tight_layout()
plt.show()

# %% [markdown]
# ### 1.3 What is computed twice?
#
# In each layer, every token gets a query, a key and a value. Module 12 has a place where one can look
# at keys and values as they come by: `key_value_hook`. The next cell writes 100 tokens from a single
# one, and compares the keys and values of each call with those of the call before.
#
# **Predict before you run.** How many keys does a layer compute for these 100 tokens? How many of them
# are *different* ones? How much does the key of the first token change while the text grows behind it?
#
# **Warm-up** (not graded): watch the keys and values of every layer.

# %% tags=["warmup"]
seen = [[] for _ in model.blocks]
for layer, block in enumerate(model.blocks):
    def look(keys, values, layer=layer):
        seen[layer].append((keys.data, values.data))
        return keys, values

    block.attention.key_value_hook = look
model.generate(prompt_of(QUESTION)[:, :1], max_new_tokens=100, temperature=0)
for block in model.blocks:
    block.attention.key_value_hook = None

for layer, calls in enumerate(seen):
    moved = max(
        np.abs(after[:, :, :-1] - before).max()
        for earlier, later in zip(calls, calls[1:])
        for before, after in zip(earlier, later)
    )
    computed = sum(keys.shape[2] for keys, _ in calls)
    distinct = calls[-1][0].shape[2]
    typical = np.abs(calls[-1][0]).mean()
    print(f"layer {layer}: {computed:,} keys computed, {distinct} different ones, {computed - distinct:,} again;")
    print(f"         the largest change of an old key or value: {moved:.0e} (a typical key: {typical:.2f})")

# %% [markdown]
# So old keys and values do not change (what you see is rounding). Why not? A token's vector is made from itself and the
# tokens *before* it, and nothing else: that is what the causal mask of module 13 is for. What comes later cannot
# reach back. Layer by layer the same argument holds, as the lines above show.
#
# Keeping results of a calculation, to look them up instead of calculating them again, is called
# **memoization**. Its condition is the one you have just measured: the same question must have the same
# answer.
#
# Which of the three has to be kept? The newest token asks with its *query*, all others answer with
# their *keys and values*. Nobody asks with an old query again. So keys and values are kept: a **KV cache**.
#
# ## 2. Count first
#
# ### Exercise 1: `keys_per_step` (4 points, about 10 minutes)
#
# How many tokens get a key (in each layer) in each model call? The first call reads the prompt and gives
# the first new token; each further call gives one more. Part 6 holds your count against what really happens.

# %% nbgrader={"grade": false, "grade_id": "keys_per_step", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
    if not cached:
        return [prompt_tokens + step for step in range(new_tokens)]
    return [prompt_tokens if step == 0 else 1 for step in range(new_tokens)]
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_keys_per_step", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
plain = list(keys_per_step(3, 4, cached=False))
reused = list(keys_per_step(3, 4, cached=True))
### JUDGE
for counts in (plain, reused):
    assert isinstance(counts, list) and len(counts) == 4, (
        f"four new tokens are four calls, so four counts; got {counts}"
    )
assert [int(count) for count in plain[:2]] == [3, 4], (
    f"without a cache the first call computes the keys of the prompt, the next those of one token more; got {plain}"
)
assert [int(count) for count in plain] == [3, 4, 5, 6], (
    f"without a cache every call computes the keys of all tokens so far; got {plain}"
)
assert int(reused[0]) == 3, f"the first call has to read the whole prompt, with a cache too; got {reused}"
assert [int(count) for count in reused] == [3, 1, 1, 1], (
    f"with a cache a call computes the keys of tokens that no call has seen; got {reused}"
)
### BEGIN HIDDEN TESTS
cases = [(1, 100), (17, 1), (5, 60), (120, 8)]
plain_counts = [np.array(list(keys_per_step(first, new, cached=False))) for first, new in cases]
reused_counts = [np.array(list(keys_per_step(first, new, cached=True))) for first, new in cases]
nothing_new = [len(list(keys_per_step(6, 0, cached=cached))) for cached in (False, True)]
### JUDGE
for (first, new), counts in zip(cases, plain_counts, strict=True):
    assert np.shape(counts) == (new,), "one count for each new token"
    assert np.array_equal(counts, np.arange(first, first + new)), (
        "without a cache every call computes the keys of all tokens so far"
    )
for (first, new), counts in zip(cases, reused_counts, strict=True):
    assert np.shape(counts) == (new,), "one count for each new token"
    assert np.array_equal(counts, [first] + [1] * (new - 1)), (
        "with a cache the first call computes the keys of the prompt, and each further call those of one token"
    )
assert nothing_new == [0, 0], "no new tokens, no calls: an empty list"
### END HIDDEN TESTS

# %% [markdown]
# ## 3. The cache
#
# ### 3.1 Its shape
#
# For each layer there are two buffers, one for keys and one for values, of shape
# `(batch_size, num_heads, max_seq_len, head_dim)`. They are allocated once, and filled from the left.
# `seq_pos` says how many tokens are *finished*: their keys and values are in place in every layer.
#
# ```
# position      0   1   2   3   4   5   6   7        max_seq_len = 8
# layer 0     [ k   k   k   k   k   .   .   . ]
# layer 1     [ k   k   k   k   k   .   .   . ]      three tokens are finished (seq_pos = 3),
# layer 2     [ k   k   k   .   .   .   .   . ]      two are new: layers 0 and 1 have stored them
# ```
#
# New tokens pass through the layers one after the other. Each layer stores their keys and values
# *from position `seq_pos` on*. Only when all layers have done so does `advance` move `seq_pos`.
# Meanwhile a layer asks for the finished tokens *and* the new ones: `get(layer_idx, new_tokens)`.
#
# The class is given. What its methods do is yours: behind four of them stands a function that you write.

# %% nbgrader={"grade": false, "grade_id": "kv_cache", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
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


# %% [markdown]
# ### Exercise 2: `store_tokens` (12 points, about 30 minutes)
#
# A cache that accepts anything is dangerous. numpy stretches a batch of 1 over a batch of 8 without
# a word, the index -1 is the last layer, and a slice beyond the end is just shorter. So: check first,
# then write. A call that is refused must leave the buffers as they were.

# %% nbgrader={"grade": false, "grade_id": "store_tokens", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
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
    ### EQUIVALENT c99c749b by stores: two buffers and two tensors
    ### EQUIVALENT dbaed1d7 by stores: two buffers and two tensors
    for buffer, tensor in zip(cache.caches[layer_idx], (key, value), strict=True):
        buffer.data[:, :, cache.seq_pos : end] = tensor.data
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_store_tokens", "locked": true, "points": 12, "schema_version": 3, "solution": false, "task": false}
cache = KVCache(batch_size=2, max_seq_len=6, num_layers=3, num_heads=2, head_dim=4)
rng = np.random.default_rng(151)
key = rng.normal(size=(2, 2, 3, 4)).astype(np.float32)
value = rng.normal(size=(2, 2, 3, 4)).astype(np.float32)
store_tokens(cache, 1, Tensor(key), Tensor(value))
position = cache.seq_pos
layers = np.array([[buffer.data for buffer in cache.caches[layer]] for layer in range(3)])
too_many = refusal(store_tokens, cache, 1, Tensor(np.ones((2, 2, 7, 4))), Tensor(np.ones((2, 2, 7, 4))))
### JUDGE
assert np.shape(layers) == (3, 2, 2, 2, 6, 4), (
    "three layers have two buffers each, which must keep their shape (2, 2, 6, 4): in all (3, 2, 2, 2, 6, 4), "
    f"got {np.shape(layers)}"
)
assert np.array_equal(layers[1][0][:, :, :3], key), (
    "the keys of the three tokens must stand at positions 0 to 2 of layer 1's first buffer"
)
assert np.array_equal(layers[1][1][:, :, :3], value), (
    "the values of the three tokens must stand at positions 0 to 2 of layer 1's second buffer"
)
assert not np.any(layers[1][0][:, :, 3:]) and not np.any(layers[1][1][:, :, 3:]), (
    "positions behind the new tokens must stay as they were"
)
assert not np.any(layers[0]) and not np.any(layers[2]), "the buffers of the other layers must stay as they were"
assert position == 0, f"storing must not move seq_pos, got {position}"
assert too_many == "ValueError", f"seven tokens in a cache for six must raise ValueError, got {too_many}"
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1510)
cache = KVCache(batch_size=3, max_seq_len=9, num_layers=2, num_heads=2, head_dim=5)
long_key = rng.normal(size=(3, 2, 9, 5)).astype(np.float32)
long_value = rng.normal(size=(3, 2, 9, 5)).astype(np.float32)
handed_key, handed_value = Tensor(long_key[:, :, :5]), Tensor(long_value[:, :, :5])
store_tokens(cache, 0, handed_key, handed_value)
store_tokens(cache, 1, handed_value, handed_key)
handed_key.data[:] = 77.0
handed_value.data[:] = 77.0
cache.advance(5)
for start, end in ((5, 6), (6, 9)):
    store_tokens(cache, 0, Tensor(long_key[:, :, start:end]), Tensor(long_value[:, :, start:end]))
    store_tokens(cache, 1, Tensor(long_value[:, :, start:end]), Tensor(long_key[:, :, start:end]))
    cache.advance(end - start)
full = np.array([[buffer.data for buffer in layer] for layer in cache.caches])
end_position = cache.seq_pos
small = rng.normal(size=(3, 2, 1, 5)).astype(np.float32)
full_refusal = refusal(store_tokens, cache, 0, Tensor(small), Tensor(small))
cache.reset()
cache.advance(7)
three = Tensor(np.ones((3, 2, 3, 5)))
bad_calls = [
    (-1, Tensor(small), Tensor(small)),
    (2, Tensor(small), Tensor(small)),
    (7, Tensor(small), Tensor(small)),
    (0, three, three),
    (0, Tensor(small[:1]), Tensor(small[:1])),
    (0, Tensor(small[:, :1]), Tensor(small[:, :1])),
    (0, Tensor(small[..., :1]), Tensor(small[..., :1])),
    (0, Tensor(small), Tensor(np.ones((3, 2, 2, 5)))),
    (0, Tensor(small[:, :, 0]), Tensor(small[:, :, 0])),
    (0, Tensor(small), Tensor(small[:1])),
    (0, Tensor(small[:1]), Tensor(small)),
    *((0, Tensor(np.ones(shape)), Tensor(np.ones(shape))) for shape in ((4, 2, 1, 5), (3, 3, 1, 5), (3, 2, 1, 6), (3, 2, 1, 5, 1), (3, 5))),
]
refusals = [refusal(store_tokens, cache, *arguments) for arguments in bad_calls]
after_refusals = np.array([[buffer.data for buffer in layer] for layer in cache.caches])
again_position = cache.seq_pos
### JUDGE
assert np.shape(full) == (2, 2, 3, 2, 9, 5) and np.shape(after_refusals) == (2, 2, 3, 2, 9, 5), (
    "the buffers must keep their shape"
)
assert np.array_equal(full, [[long_key, long_value], [long_value, long_key]]), (
    "chunk after chunk, each from seq_pos on, must give all keys and values in order, for every row of the batch and "
    "in its own layer; and what is stored must not share memory with what was handed over"
)
assert end_position == 9 and again_position == 7, "storing must not move seq_pos"
assert full_refusal == "ValueError", "a full cache must refuse one more token with ValueError, and not wrap around"
reasons = [
    "layer -1 must be refused with ValueError",
    "a layer beyond the last must be refused with ValueError",
    "a layer far beyond the last must be refused with ValueError",
    "three tokens where there is room for two must be refused with ValueError",
    "another batch size must be refused with ValueError, and not be stretched over the rows",
    "another number of heads must be refused with ValueError",
    "another head_dim must be refused with ValueError",
    "key and value for different numbers of tokens must be refused with ValueError",
    "a key and a value without a token axis must be refused with ValueError",
    "a value with another batch size than the key must be refused with ValueError",
    "a key with another batch size than the value must be refused with ValueError",
    "a larger batch must be refused with ValueError",
    "more heads must be refused with ValueError",
    "a larger head_dim must be refused with ValueError",
    "a fifth axis must be refused with ValueError",
    "a key and a value of two axes must be refused with ValueError",
]
assert isinstance(refusals, list) and len(refusals) == len(reasons), "every call that must be refused has its answer"
for kind, reason in zip(refusals, reasons, strict=True):
    assert kind == "ValueError", reason
assert np.array_equal(after_refusals, full), "a call that is refused must leave the buffers as they were"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 3: `stored_tokens` (8 points, about 15 minutes)
#
# The other direction: what a layer may look at. Zeros behind the last token are not nothing: a key of
# zeros still gets its share of the softmax. So nothing is returned that has not been stored.

# %% nbgrader={"grade": false, "grade_id": "stored_tokens", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
    if not 0 <= layer_idx < cache.num_layers:
        raise ValueError(f"layer_idx must be from 0 to {cache.num_layers - 1}, got {layer_idx}")
    keys, values = (Tensor(buffer.data[:, :, : cache.seq_pos + new_tokens]) for buffer in cache.caches[layer_idx])
    return keys, values
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_stored_tokens", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
content = np.random.default_rng(152).normal(size=(3, 2, 2, 2, 6, 4)).astype(np.float32)  # layer, key or value, ...
cache = KVCache(batch_size=2, max_seq_len=6, num_layers=3, num_heads=2, head_dim=4)
cache.caches = [(Tensor(keys), Tensor(values)) for keys, values in content]
nothing = np.array([tensor.data for tensor in stored_tokens(cache, 1)])
cache.advance(3)
finished = np.array([tensor.data for tensor in stored_tokens(cache, 1)])
with_new = np.array([tensor.data for tensor in stored_tokens(cache, 1, new_tokens=2)])
### JUDGE
assert np.shape(nothing) == (2, 2, 2, 0, 4), (
    "with nothing stored there are 0 tokens: keys and values of shape (2, 2, 0, 4); got, both together, "
    f"{np.shape(nothing)}"
)
assert np.shape(finished) == (2, 2, 2, 3, 4), (
    f"three tokens are finished: keys and values of shape (2, 2, 3, 4); got, both together, {np.shape(finished)}"
)
assert np.array_equal(finished[0], content[1][0][:, :, :3]), (
    "the first must be the keys of layer 1, positions 0 to 2"
)
assert np.array_equal(finished[1], content[1][1][:, :, :3]), (
    "the second must be the values of layer 1, positions 0 to 2"
)
assert np.shape(with_new) == (2, 2, 2, 5, 4), (
    "three finished and two new tokens are five: keys and values of shape (2, 2, 5, 4); got, both together, "
    f"{np.shape(with_new)}"
)
assert np.array_equal(with_new, content[1][:, :, :, :5]), "the new tokens must stand behind the finished ones"
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1520)
long_content = np.float32(rng.uniform(-2, 2, size=(2, 2, 3, 4, 80, 2)))
long_cache = KVCache(3, 80, 2, 4, 2)
for layer in range(2):
    long_cache.caches[layer] = tuple(Tensor(long_content[layer, kind]) for kind in range(2))
reads = []
for finished_tokens, new_tokens in ((0, 80), (0, 1), (41, 0), (38, 1), (0, 0)):
    long_cache.advance(finished_tokens)
    reads.append(np.array([[tensor.data for tensor in stored_tokens(long_cache, layer, new_tokens)] for layer in range(2)]))
position = long_cache.seq_pos
first_again = np.array([tensor.data for tensor in long_cache.get(0)])
refusals = [refusal(stored_tokens, long_cache, layer) for layer in (-1, 2, 7)]
left = np.array([[buffer.data for buffer in layer] for layer in long_cache.caches])
### JUDGE
lengths = [80, 1, 41, 80, 79]
assert isinstance(reads, list) and len(reads) == 5, "five reads must give five answers"
for answer, length in zip(reads, lengths, strict=True):
    assert np.shape(answer) == (2, 2, 3, 4, length, 2), "seq_pos + new_tokens tokens, also at the very end of the buffers"
    assert np.array_equal(answer, long_content[..., :length, :]), (
        "each layer must give its own keys and values, in order, for every row of the batch"
    )
assert position == 79, "reading must not move seq_pos"
assert np.shape(first_again) == (2, 3, 4, 79, 2) and np.array_equal(first_again, long_content[0][..., :79, :]), (
    "reading twice must give the same"
)
assert refusals == ["ValueError"] * 3, "a layer that is not there must be refused with ValueError, -1 too"
assert np.shape(left) == long_content.shape and np.array_equal(left, long_content), "reading must not change the buffers"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 4: `generation_scope` (8 points, about 20 minutes)
#
# A cache that still holds the last text spoils the next one, and no error says so. So a text gets a scope:
#
# ```python
# with cache.generation():
#     ...                    # the cache is empty here, and fills
#                            # and here it is empty again, whatever happened inside
# ```
#
# `@contextmanager` makes a scope of a function with one `yield`: what stands before it is done on entering,
# what stands after it on leaving. An error inside the `with` block comes out of the `yield`. Think about
# what has to happen then.

# %% nbgrader={"grade": false, "grade_id": "generation_scope", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
@contextmanager
def generation_scope(cache: KVCache) -> Iterator[KVCache]:
    """A scope for one text: `with generation_scope(cache) as cache:`.

    The cache is empty (`reset`) when the block begins and when it ends, also where it ends by an error. The
    error goes on to whoever wrote the block.

    Hint: Python has a statement for what must be done whether or not there was an error.
    """
    ### BEGIN SOLUTION
    cache.reset()
    try:
        yield cache
    finally:
        cache.reset()
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_generation_scope", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
cache = KVCache(batch_size=1, max_seq_len=20, num_layers=1, num_heads=1, head_dim=2)
cache.advance(7)  # left behind by an earlier text
positions = []
with generation_scope(cache) as inside:
    positions.append(cache.seq_pos)
    inside.advance(4)
    positions.append(cache.seq_pos)
positions.append(cache.seq_pos)
### JUDGE
assert isinstance(positions, list) and len(positions) == 3, "the block must be run once"
assert positions[0] == 0, f"the cache must be empty when the block begins, but seq_pos was {positions[0]}"
assert positions[1] == 4, (
    f"the block must be given the cache itself, and may fill it: after advance(4), seq_pos was {positions[1]}"
)
assert positions[2] == 0, f"the cache must be empty when the block has ended, but seq_pos was {positions[2]}"
### BEGIN HIDDEN TESTS
cache = KVCache(batch_size=2, max_seq_len=30, num_layers=2, num_heads=1, head_dim=2)
ways_out = []
places = []
for problem in (KeyError("stop"), ValueError("no room"), RuntimeError("anything")):
    cache.reset()
    cache.advance(11)
    try:
        with generation_scope(cache) as inside:
            places.append(cache.seq_pos)
            inside.advance(5)
            places.append(cache.seq_pos)
            raise problem
    except Exception as error:
        ways_out.append(type(error).__name__)
    else:
        ways_out.append("swallowed")
    places.append(cache.seq_pos)
for tokens in (3, 8):
    with cache.generation():
        places.append(cache.seq_pos)
        cache.advance(tokens)
    places.append(cache.seq_pos)
### JUDGE
assert ways_out == ["KeyError", "ValueError", "RuntimeError"], (
    "an error inside the block must go on to whoever wrote the block, as it is"
)
assert isinstance(places, list) and len(places) == 13, "every block must be run once"
assert places[0] == 0 and places[3] == 0 and places[6] == 0, "the cache must be empty when a block begins"
assert places[1] == 5 and places[4] == 5 and places[7] == 5, "the block must be given the cache itself"
assert places[2] == 0 and places[5] == 0 and places[8] == 0, "the cache must be empty when a block has ended by an error"
assert places[9:] == [0, 0, 0, 0], "the cache must be empty before and after each of several blocks"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 5: `memory_usage` (8 points, about 15 minutes)
#
# The price of a cache is memory. Count what the buffers really occupy (`.nbytes` of a Tensor or an array), so
# that a cache of smaller numbers is counted as smaller.

# %% nbgrader={"grade": false, "grade_id": "memory_usage", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
    buffers = [buffer for pair in cache.caches for buffer in pair]
    total_mb = sum(buffer.data.nbytes for buffer in buffers) / BYTES_PER_MB
    return {
        "total_mb": total_mb,
        "per_layer_mb": total_mb / cache.num_layers,
        "cache_tensors": len(buffers),
        "total_elements": sum(buffer.data.size for buffer in buffers),
    }
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_memory_usage", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
KEYS = ["total_mb", "per_layer_mb", "cache_tensors", "total_elements"]
cache = KVCache(batch_size=2, max_seq_len=50, num_layers=3, num_heads=4, head_dim=8)
usage = memory_usage(cache)
names = sorted(set(usage) & set(KEYS))
amounts = [usage.get(name) for name in KEYS]
### JUDGE
assert names == sorted(KEYS), (
    f"the keys must be total_mb, per_layer_mb, cache_tensors and total_elements; of these, got {names}"
)
assert len(amounts) == 4, "there are four amounts"
total_mb, per_layer_mb, cache_tensors, total_elements = amounts
assert cache_tensors == 6, f"three layers have a buffer for keys and one for values each, got {cache_tensors}"
assert total_elements == 19200, f"each buffer holds 2 * 4 * 50 * 8 numbers, got {total_elements} in all"
assert np.isclose(total_mb, 19200 * 4 / 2**20, rtol=2e-7, atol=0), (
    f"float32 numbers take four bytes, and an MB is 2**20 bytes; got {total_mb}"
)
assert np.isclose(per_layer_mb, 19200 * 4 / 3 / 2**20, rtol=2e-7, atol=0), (
    f"per_layer_mb is for one of three layers; got {per_layer_mb}"
)
### BEGIN HIDDEN TESTS
KEYS = ["total_mb", "per_layer_mb", "cache_tensors", "total_elements"]
sizes = [(1, 128, 3, 4, 16), (8, 40, 1, 2, 6), (5, 7, 12, 1, 3)]
caches = [KVCache(*size) for size in sizes]
fresh = [[memory_usage(cache).get(name) for name in KEYS] for cache in caches]
for cache in caches:
    cache.advance(4)
filled = [[cache.get_memory_usage().get(name) for name in KEYS] for cache in caches]
half = KVCache(2, 20, 4, 2, 3)
half.caches = [tuple(Tensor(buffer.data.astype(np.float16)) for buffer in pair) for pair in half.caches]
half_amounts = [memory_usage(half).get(name) for name in KEYS]
### JUDGE
for answers in (fresh, filled):
    assert isinstance(answers, list) and len(answers) == 3, "each cache has its amounts"
    for (batch, length, layers, heads, dim), amounts in zip(sizes, answers, strict=True):
        elements = 2 * batch * length * layers * heads * dim
        assert len(amounts) == 4, "there are four amounts"
        assert amounts[2] == 2 * layers and amounts[3] == elements, (
            "cache_tensors and total_elements must count the buffers for keys and values of all layers, filled or not"
        )
        assert np.isclose(amounts[0], 4 * elements / 2**20, rtol=2e-7, atol=0), (
            "total_mb must be the bytes of all buffers by 2**20"
        )
        assert np.isclose(amounts[1], 4 * elements / layers / 2**20, rtol=2e-7, atol=0), "per_layer_mb must be for one layer"
half_elements = 2 * 2 * 20 * 4 * 2 * 3
assert len(half_amounts) == 4 and half_amounts[2:] == [8, half_elements], "numbers are counted, whatever their size"
assert np.isclose(half_amounts[0], 2 * half_elements / 2**20, rtol=2e-7, atol=0), (
    "bytes must be measured from the buffers (.nbytes): a float16 number has two"
)
assert np.isclose(half_amounts[1], 2 * half_elements / 4 / 2**20, rtol=2e-7, atol=0), (
    "per_layer_mb must be measured from the buffers too"
)
### END HIDDEN TESTS

# %% [markdown]
# ## 4. Attention with a cache
#
# ### 4.1 Who may see whom
#
# Without a cache there are as many queries as keys, and the mask is the triangle of module 13. With a cache
# there are queries for the *new* tokens only, and keys for the old ones too. The mask has a row for each query and a
# column for each key; 1 is *may see*, 0 is *may not*.
#
# Three cases of one rule:
#
# - one new token (what `generate` does): a single row;
# - the whole prompt at once, nothing before it (**prefill**): the triangle;
# - a piece of a prompt behind what is there already (**chunked prefill**): something between the two.
#
# ### Exercise 6: `chunk_mask` (8 points, about 15 minutes)
#
# Draw the mask for 3 new tokens behind 2 old ones on paper first.

# %% nbgrader={"grade": false, "grade_id": "chunk_mask", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def chunk_mask(new_tokens: int, old_tokens: int) -> Tensor:
    """Which keys each new token may see: the old tokens, the new ones before it, and itself.

    Returns:
        Tensor of shape (new_tokens, old_tokens + new_tokens): 1 where the row's token may see the column's, else 0.

    Hints:
        1. Number rows and columns from 0. Which is the last column that row 0 may see? And row 1?
        2. numpy compares a column of numbers with a row of numbers, and gives a matrix.
        3. Or look for a function of numpy that draws triangles, and for where it lets you begin.
    """
    ### BEGIN SOLUTION
    ### EQUIVALENT 3ba229da by masks: a mask is of zeros and ones in any type
    ### EQUIVALENT cdadf521 by masks: a mask is of zeros and ones in any type
    return Tensor(np.tri(new_tokens, old_tokens + new_tokens, old_tokens, dtype=np.float32))
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_chunk_mask", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
single = chunk_mask(1, 4).data
prefill = chunk_mask(3, 0).data
chunk = chunk_mask(3, 2).data
### JUDGE
assert np.shape(single) == (1, 5), f"one query and five keys: shape (1, 5), got {np.shape(single)}"
assert np.all(np.asarray(single) == 1), f"the newest token may see all before it, and itself; got {single}"
assert np.shape(prefill) == (3, 3), f"three tokens with nothing before them: shape (3, 3), got {np.shape(prefill)}"
assert np.array_equal(prefill, np.tril(np.ones((3, 3)))), (
    f"with nothing before it, it is the triangle; got\n{prefill}"
)
assert np.shape(chunk) == (3, 5), f"three queries and five keys: shape (3, 5), got {np.shape(chunk)}"
assert np.all(np.asarray(chunk)[:, :2] == 1), f"every new token may see all old ones; got\n{chunk}"
assert np.array_equal(np.sum(chunk, axis=1), [3, 4, 5]), (
    f"among the new tokens, nobody may see what comes later: the rows see 3, 4 and 5 keys; got\n{chunk}"
)
assert np.array_equal(np.asarray(chunk)[:, 2:], np.tril(np.ones((3, 3)))), (
    f"each new token may see itself; got\n{chunk}"
)
### BEGIN HIDDEN TESTS
cases = [(1, 0), (1, 1), (6, 0), (2, 9), (7, 3), (40, 57), (1, 95)]
masks = [chunk_mask(new, old).data for new, old in cases]
### JUDGE
assert isinstance(masks, list) and len(masks) == len(cases), "each case has its mask"
for (new, old), mask in zip(cases, masks, strict=True):
    assert np.shape(mask) == (new, old + new), "a row for each new token, a column for each old and each new one"
    want = np.arange(old + new)[None, :] <= old + np.arange(new)[:, None]
    assert np.array_equal(mask, want), (
        "a new token may see every old token, the new ones before it and itself, and nothing later: 1 to see, 0 not to"
    )
### END HIDDEN TESTS

# %% [markdown]
# ### 4.2 The tests' own parts
#
# The next exercises use what you wrote before. So that a mistake is counted once, their tests bring their own
# parts: a stand-in for the cache, and others. They are slow or simple-minded, but right. You need not read
# them now.

# %% jupyter={"source_hidden": true} nbgrader={"grade": false, "grade_id": "stand_ins", "locked": true, "schema_version": 3, "solution": false, "task": false}
class SpareCache:
    """A stand-in for KVCache in tests: finished and pending tokens are two arrays. It checks nothing."""

    def __init__(self, batch_size, max_seq_len, num_layers, num_heads, head_dim):
        self.batch_size, self.max_seq_len, self.num_layers = batch_size, max_seq_len, num_layers
        self.num_heads, self.head_dim = num_heads, head_dim
        self.reset()

    def reset(self):
        nothing = np.zeros((self.batch_size, self.num_heads, 0, self.head_dim), dtype=np.float32)
        self.seq_pos = 0
        self.fed = []
        self.finished = [(nothing, nothing)] * self.num_layers
        self.pending = [(nothing, nothing)] * self.num_layers

    def update(self, layer_idx, key, value):
        self.pending[layer_idx] = (key.data.copy(), value.data.copy())

    def get(self, layer_idx, new_tokens=0):
        both = zip(self.finished[layer_idx], self.pending[layer_idx])
        return tuple(Tensor(np.concatenate([old, new[:, :, :new_tokens]], axis=2)) for old, new in both)

    def advance(self, tokens=1):
        self.finished = [tuple(tensor.data for tensor in self.get(layer, tokens)) for layer in range(self.num_layers)]
        self.pending = [tuple(array[:, :, tokens:] for array in pair) for pair in self.pending]
        self.seq_pos += tokens

    def hook_of(self, layer_idx):
        """A key_value_hook of module 12 that makes this cache the memory of one layer."""
        def remember(keys, values):
            self.pending[layer_idx] = (keys.data, values.data)
            return self.get(layer_idx, keys.data.shape[2])

        return remember


def spare_cache_for(model, batch_size, max_seq_len=None):
    """A SpareCache that is the memory of a model already, by the hooks of its layers."""
    heads = model.blocks[0].attention
    length = max_seq_len or model.max_seq_len
    cache = SpareCache(batch_size, length, len(model.blocks), heads.num_heads, heads.head_dim)
    for layer, block in enumerate(model.blocks):
        block.attention.key_value_hook = cache.hook_of(layer)
    return cache


class SpareAttention:
    """A stand-in for CachedAttention: notes what it is made of, and attends without a cache."""

    def __init__(self, attention, cache, layer_idx):
        self.attention, self.cache, self.layer_idx = attention, cache, layer_idx

    def forward(self, x, mask=None):
        return self.attention.forward(x, mask)

    __call__ = forward

    def parameters(self):
        return self.attention.parameters()


def recomputing_forward(model, cache, tokens):
    """A stand-in for cached_forward: notes what it is fed, and computes all of the text again."""
    cache.fed.append(tokens.data.astype(int))
    cache.seq_pos += tokens.data.shape[-1]
    return model.forward(Tensor(np.concatenate(cache.fed, axis=1)))[:, -tokens.data.shape[-1] :, :]


# %% [markdown]
# ### Exercise 7: `cached_attention` (12 points, about 35 minutes)
#
# `MultiHeadAttention` of module 12 is made of two steps that you can call yourself: `project(x)` gives queries, keys and
# values, each `(batch, heads, tokens, head_dim)`; `attend(queries, keys, values, mask)` does the rest, and there may be
# more keys than queries. Between the two stands the cache.
#
# Two questions decide this exercise. What may the new token look at: does that include itself? And who moves
# `seq_pos`: a layer, or somebody who knows when all layers are done?

# %% nbgrader={"grade": false, "grade_id": "cached_attention", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
    queries, keys, values = attention.project(x)
    cache.update(layer_idx, keys, values)
    all_keys, all_values = cache.get(layer_idx, x.shape[-2])
    return attention.attend(queries, all_keys, all_values, mask)
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_cached_attention", "locked": true, "points": 12, "schema_version": 3, "solution": false, "task": false}
attention = random_gpt(153, 5, 8, num_layers=3, num_heads=2, max_seq_len=8).blocks[1].attention
x = np.random.default_rng(153).normal(size=(2, 5, 8)).astype(np.float32)
cache = SpareCache(batch_size=2, max_seq_len=8, num_layers=3, num_heads=2, head_dim=4)
prompt_output = cached_attention(attention, Tensor(x[:, :4]), cache, 1, create_causal_mask(4)).data
positions = [cache.seq_pos]
cache.advance(4)
token_output = cached_attention(attention, Tensor(x[:, 4:]), cache, 1, Tensor(np.ones((1, 5)))).data
positions.append(cache.seq_pos)
in_layers = [list(cache.get(layer, 1)[0].data.shape) for layer in range(3)]
### JUDGE
same_layer = random_gpt(153, 5, 8, num_layers=3, num_heads=2, max_seq_len=8).blocks[1].attention
whole = same_layer.forward(Tensor(x), create_causal_mask(5)).data
assert np.shape(prompt_output) == (2, 4, 8), f"four new tokens have four outputs, got {np.shape(prompt_output)}"
assert np.allclose(prompt_output, whole[:, :4], atol=1e-4), (
    "with an empty cache the output must be that of plain attention: do the new tokens see themselves, and keys "
    "as keys and values as values?"
)
assert np.shape(token_output) == (2, 1, 8), f"one new token has one output, got {np.shape(token_output)}"
assert np.allclose(token_output, whole[:, 4:], atol=1e-4), (
    "the fifth token must get what plain attention gives it among all five: are the older ones there, and itself?"
)
assert positions == [0, 4], (
    f"a layer must not move seq_pos: the next layer has not stored its tokens yet; got {positions}"
)
four, five, none = [2, 2, 4, 4], [2, 2, 5, 4], [2, 2, 0, 4]
assert in_layers == [four, five, four] or in_layers == [none, five, none], (
    f"the five tokens must be stored in layer 1 and in no other; got shapes {in_layers}"
)
### BEGIN HIDDEN TESTS
blocks = random_gpt(1530, 5, 12, num_layers=2, num_heads=3, max_seq_len=8).blocks
rng = np.random.default_rng(1530)
x = rng.normal(size=(3, 70, 12)).astype(np.float32)
odd_mask = (rng.uniform(size=(9, 70)) < 0.4).astype(np.float32)
odd_mask[:, 0] = 1
chunks = [(0, 20), (20, 21), (21, 61), (61, 70)]
masks = [np.tri(20, 20), None, np.tri(40, 61, 21), odd_mask]
cache = SpareCache(batch_size=3, max_seq_len=80, num_layers=2, num_heads=3, head_dim=4)
parts = [[], []]
for (start, end), mask in zip(chunks, masks):
    for layer in (1, 0):
        handed_mask = None if mask is None else Tensor(mask.astype(np.float32))
        part = Tensor(x[:, start:end] * (layer + 1))
        parts[layer].append(cached_attention(blocks[layer].attention, part, cache, layer, handed_mask).data)
    cache.advance(end - start)
outputs = np.array([np.concatenate(pieces, axis=1) for pieces in parts])
position = cache.seq_pos
stored = np.array([[tensor.data for tensor in cache.get(layer)] for layer in range(2)])
steep = random_gpt(1531, 5, 12, num_layers=1, num_heads=3, max_seq_len=8).blocks[0].attention
for projection in (steep.q_proj, steep.k_proj):
    projection.weight.data *= np.float32(10)  # scores in the hundreds: trained models have steeper ones than random models
steep_cache = SpareCache(batch_size=3, max_seq_len=80, num_layers=1, num_heads=3, head_dim=4)
steep_output = cached_attention(steep, Tensor(x), steep_cache, 0, Tensor(np.tri(70, 70))).data
steep_cache.advance(70)
without_cache = steep.forward(Tensor(x), Tensor(np.tri(70, 70))).data
### JUDGE
own_blocks = random_gpt(1530, 5, 12, num_layers=2, num_heads=3, max_seq_len=8).blocks
assert np.shape(outputs) == (2, 3, 70, 12), "an output for each new token, and for each row of the batch"
for number, own_block in enumerate(own_blocks):
    queries, keys, values = own_block.attention.project(Tensor(x * (number + 1)))
    for (first, last), rows in zip(chunks, masks, strict=True):
        own_mask = None if rows is None else Tensor(rows.astype(np.float32))
        want = own_block.attention.attend(queries[:, :, first:last], keys[:, :, :last], values[:, :, :last], own_mask).data
        assert np.allclose(outputs[number][:, first:last], want, atol=2e-4), (
            "each chunk must get what plain attention gives its tokens among all tokens so far, under the mask that is "
            "handed over, for every row of the batch and every layer"
        )
    assert np.shape(stored) == (2, 2, 3, 3, 70, 4) and np.allclose(stored[number], [keys.data, values.data], atol=1e-4), (
        "the cache must hold the keys and values of all tokens, for each layer its own"
    )
assert position == 70, "a layer must not move seq_pos"
own_steep = random_gpt(1531, 5, 12, num_layers=1, num_heads=3, max_seq_len=8).blocks[0].attention
for own_projection in (own_steep.q_proj, own_steep.k_proj):
    own_projection.weight.data *= np.float32(10)
steep_want = own_steep.forward(Tensor(x), Tensor(np.tri(70, 70))).data
assert np.shape(steep_output) == (3, 70, 12) and np.allclose(steep_output, steep_want, atol=1e-3), (
    "where scores are large, each token must get what plain attention gives it too: does `attend` do the softmax?"
)
assert np.shape(without_cache) == (3, 70, 12) and np.allclose(without_cache, steep_want, atol=1e-3), (
    "the layer itself must stay as it was: by itself it knows nothing of a cache"
)
### END HIDDEN TESTS

# %% [markdown]
# A layer for the model is made of it, given: it stands in the place of a block's attention, and brings the mask.
# (The block's own mask speaks of the new tokens only, and is left aside.)

# %% nbgrader={"grade": false, "grade_id": "cached_attention_layer", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
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


# %% [markdown]
# ## 5. The whole model
#
# ### Exercise 8: `cached_forward` (10 points, about 30 minutes)
#
# `GPT.forward(tokens, position_offset)` takes the position of its first token. With a cache the model is fed new tokens
# only, and a model that is told nothing believes that each of them is the first of a text.
#
# Its test is the one that counts: at *every* position the logits must be those of the model without a cache. That alone
# would also hold for a model that always says zero, so four probes go with it:
#
# | probe | what it asks | bound |
# |---|---|---|
# | spread | do the logits of a position differ among themselves? | at least 0.01 |
# | causality | does the last token change what was said before it? | at most 0.0001 |
# | context | does the first token change what is said at the end? | at least 0.001 |
# | position | does the same token say something else at another place? | at least 0.001 |

# %% nbgrader={"grade": false, "grade_id": "cached_forward", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
    ### EQUIVALENT 605f52a3 by feeds: tokens have two axes
    new_tokens = tokens.shape[-1]
    if cache.seq_pos + new_tokens > cache.max_seq_len:
        raise ValueError(f"{new_tokens} tokens do not fit after {cache.seq_pos} of {cache.max_seq_len}")
    logits: Tensor = model.forward(tokens, position_offset=cache.seq_pos)
    cache.advance(new_tokens)
    return logits
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_cached_forward", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
gpt = random_gpt(154, 11, 16, num_layers=2, num_heads=2, max_seq_len=14)
cache = spare_cache_for(gpt, batch_size=2)
text = np.random.default_rng(154).integers(11, size=(2, 14))
other_end, other_start, same_token = text.copy(), text.copy(), np.full((2, 14), 3)
other_end[:, -1] = (text[:, -1] + 1) % 11
other_start[:, 0] = (text[:, 0] + 1) % 11
spoken = []
for ids in (text, other_end, other_start, same_token):
    cache.reset()
    parts = [cached_forward(gpt, cache, Tensor(ids[:, :3])).data]  # three tokens at once, then one by one
    parts += [cached_forward(gpt, cache, Tensor(ids[:, at : at + 1])).data for at in range(3, 14)]
    spoken.append(np.concatenate(parts, axis=1))
spoken = np.array(spoken)  # text, batch, position, vocabulary
position = cache.seq_pos
### JUDGE
same_gpt = random_gpt(154, 11, 16, num_layers=2, num_heads=2, max_seq_len=14)
assert np.shape(spoken) == (4, 2, 14, 11), (
    "every new token of each row must have its 11 logits, so four texts of 2 * 14 tokens give (4, 2, 14, 11); "
    f"got {np.shape(spoken)}"
)
plain, ended, started, repeated = spoken
assert np.min(np.ptp(plain, axis=-1)) >= 1e-2, "spread: the logits of a position are all the same"
for own_ids, answer in zip((text, other_end, other_start, same_token), spoken, strict=True):
    distance = np.abs(answer - same_gpt.forward(Tensor(own_ids)).data).max(axis=(0, 2))
    assert not np.any(distance[:1] > 1e-3), (
        "the logits of the very first token differ from those of the model without a cache"
    )
    assert np.all(distance <= 1e-3), (
        "the logits differ from those of the model without a cache, from position "
        f"{int(np.argmax(~(distance <= 1e-3)))} on: does each token know its place, and is what was read before "
        "still there?"
    )
assert np.abs(ended - plain)[:, :-1].max() <= 1e-4, "causality: the last token changes what was said before it"
assert np.abs(started - plain)[:, -1].max() >= 1e-3, (
    "context: the first token does not change what is said at the end"
)
assert np.ptp(repeated, axis=1).max() >= 1e-3, "position: the same token says the same everywhere"
assert position == 14, f"after 14 tokens of a text, seq_pos must be 14, got {position}"
### BEGIN HIDDEN TESTS
gpt = random_gpt(1540, 7, 12, num_layers=2, num_heads=3, max_seq_len=96)
text = np.random.default_rng(1540).integers(7, size=(3, 96))
cuts = [[96], [1] * 96, [33, 1, 1, 40, 1, 20], [5] * 19 + [1]]
cache = spare_cache_for(gpt, batch_size=3)
spoken, ends = [], []
for sizes in cuts:
    cache.reset()
    parts, at = [], 0
    for size in sizes:
        parts.append(cached_forward(gpt, cache, Tensor(text[:, at : at + size])).data)
        at += size
    spoken.append(np.concatenate(parts, axis=1))
    ends.append(cache.seq_pos)
spoken = np.array(spoken)
no_room = refusal(cached_forward, gpt, cache, Tensor(text[:, :1]))
small = spare_cache_for(gpt, batch_size=3, max_seq_len=8)
first_part = cached_forward(gpt, small, Tensor(text[:, :6])).data
small_refusals = [refusal(cached_forward, gpt, small, Tensor(text[:, 6:9])), refusal(cached_forward, gpt, small, Tensor(text))]
places = [small.seq_pos]
pending_lengths = [pair[0].shape[2] for pair in small.pending]
small_spoken = np.concatenate([first_part, cached_forward(gpt, small, Tensor(text[:, 6:8])).data], axis=1)
places.append(small.seq_pos)
### JUDGE
same_gpt = random_gpt(1540, 7, 12, num_layers=2, num_heads=3, max_seq_len=96)
want = same_gpt.forward(Tensor(text)).data
assert np.shape(spoken) == (4, 3, 96, 7), "each way to feed a text must give logits for every token of every row"
for answer, name in zip(spoken, ("in one piece", "token by token", "in chunks of many sizes", "in equal chunks"), strict=True):
    assert np.min(np.ptp(answer, axis=-1)) >= 1e-2, "spread: the logits of a position are all the same"
    assert np.all(np.abs(answer - want) <= 2e-3), (
        f"fed {name}, the logits must be those of the model without a cache at every position up to max_seq_len"
    )
assert ends == [96] * 4, "seq_pos must count all tokens that were read"
assert no_room == "ValueError", "a full cache must refuse one more token with ValueError"
assert small_refusals == ["ValueError"] * 2, "tokens for which a cache has no room must be refused with ValueError"
assert places == [6, 8], "a refused call must not move seq_pos, and the cache must be usable afterwards up to its end"
assert pending_lengths == [0, 0], "a refused call must not have stored anything in any layer"
assert np.shape(small_spoken) == (3, 8, 7) and np.all(np.abs(small_spoken - want[:, :8]) <= 2e-3), (
    "a small cache must give the same logits, also after calls that it refused"
)
### END HIDDEN TESTS

# %% [markdown]
# ### 5.1 Switching it on and off
#
# Now the model itself gets the cache. **On** means three things, and **off** undoes exactly these:
#
# | | on | off |
# |---|---|---|
# | `model._kv_cache` | the cache | gone, or None |
# | `block.attention`, in each block | `CachedAttention(the attention that was there, the cache, number of the layer)` | the attention that was there |
# | `model.next_logits(tokens)` | reads only what is new | GPT's own method again |
#
# `generate` calls `model.next_logits(tokens)` with *all* tokens so far, and takes logits of shape
# `(batch, vocab_size)`: those of the last one. A function that is stored in an object (`model.next_logits = ...`) hides
# the method of its class, until it is deleted.
#
# ### Exercise 9: `disable_kv_cache` (4 points, about 10 minutes)

# %% nbgrader={"grade": false, "grade_id": "disable_kv_cache", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def disable_kv_cache(model: Any) -> None:
    """Take the cache out of a model: afterwards it is as it was before. A model without one stays as it is.

    Hints:
        1. Undo the rows of the table one after the other.
        2. Call it twice in a row. What is there to undo the second time?
    """
    ### BEGIN SOLUTION
    if getattr(model, "_kv_cache", None) is None:
        return
    for block in model.blocks:
        block.attention = block.attention.attention
    with suppress(AttributeError):  # a model may have kept its own
        del model.next_logits
    del model._kv_cache
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_disable_kv_cache", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
gpt = random_gpt(155, 7, 8, num_layers=2, num_heads=2, max_seq_len=10)
cache = SpareCache(batch_size=1, max_seq_len=10, num_layers=2, num_heads=2, head_dim=4)
for layer, block in enumerate(gpt.blocks):
    block.attention = CachedAttention(block.attention, cache, layer)
gpt.next_logits = lambda tokens: Tensor(np.zeros((1, 7)))
gpt._kv_cache = cache
disable_kv_cache(gpt)
kinds = [type(block.attention).__name__ for block in gpt.blocks]
remembered = repr(getattr(gpt, "_kv_cache", None))
ids = np.array([[1, 2, 3, 4]])
logits = gpt.forward(Tensor(ids)).data
next_logits = gpt.next_logits(Tensor(ids)).data
### JUDGE
same_gpt = random_gpt(155, 7, 8, num_layers=2, num_heads=2, max_seq_len=10)
want = same_gpt.forward(Tensor(ids)).data
assert kinds == ["MultiHeadAttention"] * 2, f"each block must have the attention back that was there, got {kinds}"
assert np.shape(logits) == (1, 4, 7) and np.allclose(logits, want, atol=1e-4), (
    "the model's logits must be those from before the cache"
)
assert np.shape(next_logits) == (1, 7) and np.allclose(next_logits, want[:, -1], atol=1e-4), (
    "next_logits must be GPT's own method again"
)
assert remembered == "None", "model._kv_cache must be gone, or None"
### BEGIN HIDDEN TESTS
gpt = random_gpt(1550, 6, 12, num_layers=4, num_heads=3, max_seq_len=16)
ids = np.array([[5, 0, 3], [1, 1, 4]])
disable_kv_cache(gpt)
spoken = [gpt.forward(Tensor(ids)).data]
cache = SpareCache(batch_size=2, max_seq_len=16, num_layers=4, num_heads=3, head_dim=4)
remembered = []
for times in (1, 2):
    for layer, block in enumerate(gpt.blocks):
        block.attention = CachedAttention(block.attention, cache, layer)
    gpt.next_logits = lambda tokens: Tensor(np.ones((2, 6)))
    gpt._kv_cache = cache
    for _ in range(times):
        disable_kv_cache(gpt)
    remembered.append(repr(getattr(gpt, "_kv_cache", None)))
    spoken.append(gpt.forward(Tensor(ids)).data)
spoken = np.array(spoken)
kinds = [type(block.attention).__name__ for block in gpt.blocks]
generated = gpt.generate(Tensor(ids), max_new_tokens=8, temperature=0).data
sizes = [tensor.data.size for tensor in gpt.parameters()]
### JUDGE
same_gpt = random_gpt(1550, 6, 12, num_layers=4, num_heads=3, max_seq_len=16)
assert kinds == ["MultiHeadAttention"] * 4, "each block must have the attention back that was there"
assert remembered == ["None", "None"], "model._kv_cache must be gone, or None"
want = same_gpt.forward(Tensor(ids)).data
assert np.shape(spoken) == (3, 2, 3, 6) and np.allclose(spoken, [want] * 3, atol=1e-4), (
    "the model must say what it said before the cache; one that never had a cache, or lost it already, stays as it is"
)
assert sizes == [tensor.size for tensor in same_gpt.parameters()], "the parameters must be those from before"
assert np.array_equal(generated, same_gpt.generate(Tensor(ids), max_new_tokens=8, temperature=0).data), (
    "generate must work as before the cache"
)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 10: `enable_kv_cache` (6 points, about 25 minutes)
#
# The test brings stand-ins for `KVCache`, `CachedAttention`, `cached_forward` and `disable_kv_cache`. So call them
# by these names.

# %% nbgrader={"grade": false, "grade_id": "enable_kv_cache", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
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
    ### BEGIN SOLUTION
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
    ### END SOLUTION

# %% tags=["raises-exception"] nbgrader={"grade": true, "grade_id": "test_enable_kv_cache", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
spare_parts = {
    "KVCache": SpareCache,
    "CachedAttention": SpareAttention,
    "cached_forward": recomputing_forward,
    "disable_kv_cache": lambda model: None,
}
gpt = random_gpt(156, 9, 12, num_layers=3, num_heads=2, max_seq_len=20)
start = np.array([[1, 2, 3, 4, 5], [8, 7, 6, 5, 4]])
with stand_ins(**spare_parts):
    cache = enable_kv_cache(gpt, batch_size=2)
    sizes = [cache.batch_size, cache.max_seq_len, cache.num_layers, cache.num_heads, cache.head_dim]
    layers = [block.attention.layer_idx for block in gpt.blocks]
    wrapped = np.array([block.attention.attention.q_proj.weight.data[0] for block in gpt.blocks])
    generated = gpt.generate(Tensor(start), max_new_tokens=4, temperature=0).data
    fed = [list(ids.shape) for ids in cache.fed]
    cache.seq_pos = 17
    shared = [gpt._kv_cache.seq_pos, *(block.attention.cache.seq_pos for block in gpt.blocks)]
### JUDGE
same_gpt = random_gpt(156, 9, 12, num_layers=3, num_heads=2, max_seq_len=20)
assert sizes == [2, 20, 3, 2, 6], (
    "the cache must have the sizes (batch_size, max_seq_len, num_layers, num_heads, head_dim) = (2, 20, 3, 2, 6), "
    f"got {sizes}"
)
assert layers == [0, 1, 2], f"each block must know the number of its own layer: 0, 1, 2, got {layers}"
own_rows = [block.attention.q_proj.weight.data[0] for block in same_gpt.blocks]
assert np.shape(wrapped) == (3, 12) and np.array_equal(wrapped, own_rows), (
    "each block must hold the attention that was in its own place"
)
assert fed == [[2, 5], [2, 1], [2, 1], [2, 1]], (
    "a prompt of five tokens is read once, then each call reads one new token per row; it read pieces of shapes "
    f"{fed}"
)
assert shared == [17] * 4, (
    "the cache that is returned, model._kv_cache and that of each block must be the same object"
)
want = same_gpt.generate(Tensor(start), max_new_tokens=4, temperature=0).data
assert np.shape(generated) == (2, 9) and np.array_equal(generated, want), (
    "the generated tokens must be those of the model without a cache"
)
### BEGIN HIDDEN TESTS
def take_out(model):
    if getattr(model, "_kv_cache", None) is not None:
        for block in model.blocks:
            block.attention = block.attention.attention
        del model.next_logits
        model._kv_cache = None


spare_parts = {
    "KVCache": SpareCache, "CachedAttention": SpareAttention, "cached_forward": recomputing_forward, "disable_kv_cache": take_out,
}
gpt = random_gpt(1560, 6, 8, num_layers=4, num_heads=4, max_seq_len=40)
start = np.array([[3], [1], [5]])
single = np.array([[2, 4, 4]])
with stand_ins(**spare_parts):
    first = enable_kv_cache(gpt, 3)
    first_sizes = [first.batch_size, first.max_seq_len, first.num_layers, first.num_heads, first.head_dim]
    first_text = gpt.generate(Tensor(start), max_new_tokens=24, temperature=0).data
    first_read, first_fed = np.concatenate(first.fed, axis=1), [ids.shape[1] for ids in first.fed]
    second = enable_kv_cache(gpt)
    second_sizes = [second.batch_size, second.max_seq_len, second.num_layers, second.num_heads, second.head_dim]
    inside = [type(block.attention.attention).__name__ for block in gpt.blocks]
    wrapped = np.array([block.attention.attention.parameters()[4].data[0] for block in gpt.blocks])
    layers = [block.attention.layer_idx for block in gpt.blocks]
    second_text = gpt.generate(Tensor(single), max_new_tokens=9, temperature=0).data
    second_read, second_fed = np.concatenate(second.fed, axis=1), [ids.shape[1] for ids in second.fed]
    logits = gpt.next_logits(Tensor(second_text)).data
    first.seq_pos, second.seq_pos = 5, 9
    shared = [gpt._kv_cache.seq_pos, *(block.attention.cache.seq_pos for block in gpt.blocks)]
    sizes = [tensor.data.size for tensor in gpt.parameters()]
    flat = random_gpt(1561, 6, 8, num_layers=1, num_heads=2, max_seq_len=12)
    flat_cache = enable_kv_cache(flat, 2)
    flat_sizes = [flat_cache.num_layers, flat_cache.num_heads, flat_cache.head_dim, *(b.attention.layer_idx for b in flat.blocks)]
### JUDGE
same_gpt = random_gpt(1560, 6, 8, num_layers=4, num_heads=4, max_seq_len=40)
assert first_sizes == [3, 40, 4, 4, 2] and second_sizes == [1, 40, 4, 4, 2], (
    "the cache must have the sizes of the model, for the batch that is asked for, 1 if none is"
)
assert layers == [0, 1, 2, 3], "each block must know the number of its own layer, after a second time too"
assert flat_sizes == [1, 2, 4, 0], "a model of a single layer must get its cache too"
assert inside == ["MultiHeadAttention"] * 4, "a second cache must take the place of the first, and not be put around it"
own_rows = [block.attention.parameters()[4].data[0] for block in same_gpt.blocks]
assert np.shape(wrapped) == (4, 8) and np.array_equal(wrapped, own_rows), (
    "each block must hold the attention that was in its own place, also where a cache is put in for the second time"
)
assert shared == [9] * 5, "the newest cache must be the one that is returned, model._kv_cache and that of each block"
assert sizes == [tensor.size for tensor in same_gpt.parameters()], "a cache must not change the parameters"
assert first_fed == [1] * 24, "each call must read only new tokens"
assert second_fed == [3] + [1] * 8, "the prompt must be read once, then one new token in each call"
assert np.shape(first_text) == (3, 25) and np.shape(second_text) == (1, 12), "the prompt and what was added, for each row"
assert np.shape(first_read) == (3, 24) and np.array_equal(first_read, first_text[:, :-1]), "each token must be read once, in order"
assert np.shape(second_read) == (1, 11) and np.array_equal(second_read, second_text[:, :-1]), "each token must be read once, in order"
want_second = same_gpt.generate(Tensor(single), max_new_tokens=9, temperature=0).data
assert np.array_equal(second_text, want_second), (
    "after a second time, the generated tokens must be those of the model without a cache"
)
want_logits = same_gpt.forward(Tensor(want_second)).data[:, -1]
assert np.shape(logits) == (1, 6) and np.allclose(logits, want_logits, atol=1e-4), (
    "next_logits must give (batch, vocab_size) logits: those of the last token"
)
assert np.array_equal(first_text, same_gpt.generate(Tensor(start), max_new_tokens=24, temperature=0).data), (
    "the generated tokens must be those of the model without a cache, for every row of the batch"
)
### END HIDDEN TESTS

# %% [markdown]
# ## 6. Validate: the same text, for less work?
#
# From here on everything is yours, put together. If a cell stops, look at the exercise that its error names.
#
# ### 6.1 The same at every position
#
# 128 characters of dialogues, fed in four ways to the model that talks. The difference to the model without a cache is
# looked at for every position.
#
# **Validate** (not graded): logits with your cache against logits without.

# %% tags=["validate", "raises-exception"]
talk = "Q: What is glass made of?\nA: Glass is made of sand.\n"
talk += "Q: Which month comes after May?\nA: After May comes June.\n"
talk_ids = np.array([tokenizer.encode((talk + QUESTION * 5)[: model.max_seq_len])])
exact = model.forward(Tensor(talk_ids)).data


def fed_in_pieces(ids, sizes):
    """Logits of all tokens of ids (batch, tokens), fed through the cache in pieces of these sizes."""
    cache = enable_kv_cache(model, batch_size=len(ids))
    try:
        with cache.generation():
            pieces = np.split(ids, np.cumsum(sizes)[:-1], axis=1)
            return np.concatenate([cached_forward(model, cache, Tensor(piece)).data for piece in pieces], axis=1)
    finally:
        disable_kv_cache(model)


ways = {
    "in one piece": [128],
    "token by token": [1] * 128,
    "in pieces of 16": [16] * 8,
    "prompt of 50, then one by one": [50] + [1] * 78,
}
print(f"logits reach from {exact.min():.1f} to {exact.max():.1f}")
for name, sizes in ways.items():
    away = np.abs(fed_in_pieces(talk_ids, sizes) - exact).max(axis=(0, 2))
    print(f"{name:<30} largest difference {away.max():.1e}, at position {int(away.argmax())}")

# %% [markdown]
# **Validate** (not graded): the four probes of exercise 8, on your cache and on a model that always says zero.

# %% tags=["validate", "raises-exception"]
def probes(speak):
    """Spread, causality, context and position of speak: ids (1, tokens) to logits (1, tokens, vocabulary)."""
    other_end, other_start, same_token = talk_ids.copy(), talk_ids.copy(), np.full_like(talk_ids, 5)
    other_end[0, -1], other_start[0, 0] = talk_ids[0, -1] + 1, talk_ids[0, 0] + 1
    plain = speak(talk_ids)
    return {
        "spread": np.ptp(plain, axis=-1).min(),
        "causality": np.abs(speak(other_end) - plain)[:, :-1].max(),
        "context": np.abs(speak(other_start) - plain)[:, -1].max(),
        "position": np.ptp(speak(same_token), axis=1).max(),
    }


BOUNDS = {"spread": (1e-2, np.inf), "causality": (0, 1e-4), "context": (1e-3, np.inf), "position": (1e-3, np.inf)}
speakers = {
    "your cache": lambda ids: fed_in_pieces(ids, [16] * 8),
    "always zero": lambda ids: np.zeros_like(exact),
}
for name, speak in speakers.items():
    for probe, amount in probes(speak).items():
        least, most = BOUNDS[probe]
        print(f"{name:<12} {probe:<10} {amount:>10.2e}  {'passes' if least <= amount <= most else 'fails'}")

# %% [markdown]
# ### 6.2 A cache that must fail
#
# A test that nothing can fail proves nothing. So the next cell breaks the cache on purpose, in four ways, and
# follows the text of the model without a cache.
#
# **Predict before you run.** Which of the four are far off at once? Which ones would a test with five tokens let pass?
#
# **Validate** (not graded): four faults, each at every position.

# %% tags=["validate", "raises-exception"]
DROPPED, RESTARTED = "prompt dropped", "places begin at 0 again"
DRIFTING, WRAPPED = "keys drift by 0.001 % a step", "wraps around after 64 tokens"
FAULTS = ["none", DROPPED, RESTARTED, DRIFTING, WRAPPED]
BOUND, RING = 1e-3, 64


def follow(question, fault, text=None, tokens=60):
    """Write behind a question with a cache that has a fault; along `text`, if there is one: (ids, logits)."""
    ids = prompt_of(question).data
    cache = enable_kv_cache(model)
    try:
        with cache.generation():
            logits = [cached_forward(model, cache, Tensor(ids)).data[:, -1:]]
            if fault == DROPPED:
                for keys, values in cache.caches:
                    keys.data[:] = values.data[:] = 0
            for step in range(tokens):
                newest = logits[-1][:, -1].argmax(axis=-1) if text is None else text[:, ids.shape[1]]
                newest = newest[:, None]
                ids = np.concatenate([ids, newest], axis=1)
                if fault == RESTARTED:
                    logits.append(model.forward(Tensor(newest), position_offset=step).data)
                    cache.advance()
                else:
                    logits.append(cached_forward(model, cache, Tensor(newest)).data)
                if fault == DRIFTING:
                    for keys, _ in cache.caches:
                        keys.data[:] *= 1.00001
                if fault == WRAPPED and cache.seq_pos > RING:
                    place = cache.seq_pos - 1
                    for keys, values in cache.caches:  # the newest token takes the place of the oldest
                        keys.data[:, :, place % RING] = keys.data[:, :, place]
                        values.data[:, :, place % RING] = values.data[:, :, place]
            return ids, np.concatenate(logits, axis=1)
    finally:
        disable_kv_cache(model)


def distance_of(fault):
    """For each token behind the prompt, the largest difference of a logit to the model without a cache."""
    _, logits = follow(QUESTION, fault, text=written, tokens=model.max_seq_len - start)
    return np.abs(logits - plain_logits).max(axis=(0, 2))


start = prompt_of(QUESTION).shape[1]
plain_logits = model.forward(Tensor(written)).data[:, start - 1 :]
distance = {fault: distance_of(fault) for fault in FAULTS}
print(f"{'largest difference after':<30} 1 token   5 tokens  20 tokens  80 tokens   first above {BOUND}")
for fault, away in distance.items():
    largest = "".join(f"{away[: count + 1].max():>10.1e} " for count in (1, 5, 20, 80))
    above = f"token {np.argmax(away > BOUND)}" if np.any(away > BOUND) else "never"
    print(f"{fault:<28}{largest}   {above}")
worst = distance["none"].max()
for fault in FAULTS[1:]:
    times = distance[fault].max() / worst
    remark = "" if times > 100 else "  <- this should be more"
    print(f"{fault}: in the end {times:,.0f} times the rounding of the healthy cache{remark}")

# %% [markdown]
# **Validate** (not graded): the same as a picture.

# %% tags=["validate", "raises-exception"] jupyter={"source_hidden": true}
import matplotlib.pyplot as plt

figure, axis = plt.subplots(figsize=(7.5, 3.6))
for fault, away in distance.items():
    axis.semilogy(np.arange(len(away)), np.maximum(away, 1e-8), label=fault)
axis.axhline(BOUND, color="0.4", linestyle="--", linewidth=1, label="bound of the tests")
axis.set_xlabel("tokens written behind the prompt")
axis.set_ylabel("largest difference of a logit")
axis.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
figure.tight_layout()
plt.show()

# %% [markdown]
# **Validate** (not graded): what the broken ones say. Could you tell them from the healthy one by reading?

# %% tags=["validate", "raises-exception"]
print(f"{'without a cache':<28}", repr(text_of(written[0, start : start + 72])))
for fault in FAULTS:
    ids, _ = follow(QUESTION, fault, tokens=72)
    print(f"{fault:<28}", repr(text_of(ids[0, start:])))

# %% [markdown]
# ### 6.3 The same text, read by you
#
# Ask it what you like (it has seen 580 questions, and knows nothing else). The last line says on how many characters the two
# models agree.
#
# **Validate** (not graded): generation with and without a cache.

# %% tags=["validate", "raises-exception"]
QUESTIONS = ["Where do bees live?", "What is eight plus two?", "Tell me a joke."]
agree = total = 0
for question in QUESTIONS:
    asked = prompt_of(question)
    plain_text = model.generate(asked, max_new_tokens=60, temperature=0).data
    cache = enable_kv_cache(model)
    with cache.generation():
        cached_text = model.generate(asked, max_new_tokens=60, temperature=0).data
    disable_kv_cache(model)
    agree, total = agree + int(np.sum(plain_text == cached_text)), total + plain_text.size
    print(text_of(cached_text[0]), "\n")
print(f"with and without a cache they agree on {agree} of {total} characters")

# %% [markdown]
# ### 6.4 Work: counted
#
# One count is yours (`keys_per_step`). The other watches the key projection of the first layer while the model
# writes. Do they agree?
#
# **Validate** (not graded): how many tokens' keys are computed, predicted and watched.

# %% tags=["validate", "raises-exception"]
def watched_keys(write):
    """How many tokens pass through the key projection of the first layer, call by call, while write() runs."""
    attention = getattr(model.blocks[0].attention, "attention", model.blocks[0].attention)
    counts, projection = [], attention.k_proj.forward

    def counting(x):
        counts.append(x.shape[-2])
        return projection(x)

    attention.k_proj.forward = counting
    try:
        write()
    finally:
        del attention.k_proj.forward
    return counts


def write_100():
    model.generate(prompt_of(QUESTION)[:, :1], max_new_tokens=100, temperature=0)


plain_watched = watched_keys(write_100)
cache = enable_kv_cache(model)
with cache.generation():
    cached_watched = watched_keys(write_100)
disable_kv_cache(model)
for name, watched, cached in (("without", plain_watched, False), ("with", cached_watched, True)):
    predicted = keys_per_step(1, 100, cached=cached)
    verdict = "as you predicted" if watched == [int(count) for count in predicted] else "NOT as you predicted"
    again = sum(watched) - 100
    print(f"{name:<8} a cache: {sum(watched):>5,} keys in a layer for 100 tokens, {again:>5,} of them again: {verdict}")

# %% [markdown]
# ### 6.5 Work: operations and time
#
# One call with a cache takes the operations of a text of *one* token, and besides the attention to everything before
# it: for each layer and each older token 2 · `embed_dim` multiply-adds, half of them for its score and half for its
# value. The next cell puts both columns beside those of part 1, measured in turns on the same machine.
#
# **Predict before you run.** Does the time of a call with a cache still grow with the text? By how much from the first
# row to the last?
#
# **Validate** (not graded): part 1 again, with your cache.

# %% tags=["validate", "raises-exception"]
cached_model = copy.deepcopy(long_model)
cache = enable_kv_cache(cached_model)
first_flops = profiler.count_flops(long_model, (1, 1))
older_flops = 2 * 2 * long_model.embed_dim * long_model.num_layers  # scores and values of one older token
cached_flops = [first_flops + older_flops * (length - 1) for length in LENGTHS]


def newest_with_cache(length):
    """The logits behind `length` tokens, all but the last of which are finished; nothing is finished by it."""
    return cached_model.forward(Tensor(long_text[:, length - 1 : length]), position_offset=length - 1)


plain_again, cached_ms = [], []
with cache.generation():
    for length in LENGTHS:
        cached_forward(cached_model, cache, Tensor(long_text[:, cache.seq_pos : length - 1]))
        so_far = Tensor(long_text[:, :length])
        away = np.abs(newest_with_cache(length).data[0, -1] - long_model.next_logits(so_far).data[0])
        assert away.max() < 1e-2, f"with {length} tokens the two models differ by {away.max():.1e}"
        pairs = []
        for _ in range(5):  # in turns, so that both meet the same machine
            pairs.append((median_ms(lambda: long_model.next_logits(so_far), rounds=1),
                          median_ms(lambda: newest_with_cache(length), rounds=1)))
        plain_again.append(float(np.median([pair[0] for pair in pairs])))
        cached_ms.append(float(np.median([pair[1] for pair in pairs])))

print(f"{'tokens':>7} {'MFLOP without':>14} {'with':>7} {'ratio':>7}", end="   ")
print(f"{'ms without':>11} {'with':>7} {'ratio':>7}")
for row in zip(LENGTHS, plain_flops, cached_flops, plain_again, cached_ms):
    length, before, after, before_ms, after_ms = row
    print(f"{length:>7} {before / 1e6:>14.2f} {after / 1e6:>7.2f} {before / after:>7.0f}   "
          f"{before_ms:>11.2f} {after_ms:>7.2f} {before_ms / after_ms:>7.1f}")
for name, amounts in (("without", plain_flops), ("with", cached_flops)):
    power = power_of_growth(late, up_to(LENGTHS, amounts)[2:])
    print(f"fit, from {late[0]} tokens on: {name} a cache, all operations grow like length to the power {power:.2f}")
cached_all, plain_all = up_to(LENGTHS, cached_ms)[-1], up_to(LENGTHS, plain_again)[-1]
word = "less" if cached_all < plain_all else "more"
print(f"all {LENGTHS[-1]} calls, added up: {plain_all:,.0f} ms without, {cached_all:,.0f} ms with: {word} time with it here")
counted, timed = cached_flops[-1] / plain_flops[-1], cached_ms[-1] / plain_again[-1]
print(f"at {LENGTHS[-1]} tokens a call with a cache does {counted:.2%} of the operations, in {timed:.2%} of the time")

# %% [markdown]
# **Validate** (not graded): the same as a picture.

# %% tags=["validate", "raises-exception"] jupyter={"source_hidden": true}
import matplotlib.pyplot as plt

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
for axis, unit, series in (
    (left, "MFLOP, counted", (np.array(plain_flops) / 1e6, np.array(cached_flops) / 1e6)),
    (right, "ms, measured", (plain_again, cached_ms)),
):
    for label, amounts in zip(("without a cache", "with your cache"), series):
        axis.loglog(LENGTHS, amounts, "o-", label=label)
    axis.set_xticks(LENGTHS, [str(length) for length in LENGTHS])
    axis.minorticks_off()
    axis.set_xlabel("tokens so far")
    axis.set_title(f"one call: {unit}", fontsize=10)
    axis.legend(fontsize=8)
figure.tight_layout()
plt.show()

# %% [markdown]
# ### 6.6 Memory: the other side
#
# Nothing is free. The next cell computes what a token costs in the cache of the model that talks, and from how many tokens,
# over all texts of a batch, the cache is larger than the model itself; and it holds memory against the operations and the
# time of 6.5. The budgets are **an assumption of this notebook**; put your own machine in.
#
# **Validate** (not graded): bytes of the cache against bytes of the model, and against the work saved.

# %% tags=["validate", "raises-exception"]
usage = enable_kv_cache(model, batch_size=1).get_memory_usage()
disable_kv_cache(model)
token_bytes = usage["total_mb"] * BYTES_PER_MB / model.max_seq_len
model_mb = sum(tensor.data.nbytes for tensor in model.parameters()) / BYTES_PER_MB
turn = model_mb * BYTES_PER_MB / token_bytes
print(f"one token takes {token_bytes:,.0f} bytes in {usage['cache_tensors']} buffers; all parameters {model_mb:.2f} MB")
print(f"from {turn:,.0f} tokens on, over all texts, the cache is larger than the model\n")
BUDGETS_MB = {"microcontroller": 0.25, "browser tab": 64.0, "server, one process": 4096.0}
for device, budget in BUDGETS_MB.items():
    texts = int(max(budget - model_mb, 0) // usage["total_mb"])
    print(f"{device:<20} {budget:>7g} MB: room for the model and {texts:>6,} texts of {model.max_seq_len} tokens")

print("\nof the long model, in one call: what the cache occupies, and what is less with it than without (6.5)")
print(f"{'tokens':>7} {'cache MB':>9}   {'MFLOP':>8} {'per MB':>8}   {'ms':>8} {'per MB':>8}")
for row in zip(LENGTHS, plain_flops, cached_flops, plain_again, cached_ms):
    length, before, after, before_ms, after_ms = row
    cache_mb = 2 * long_model.num_layers * long_model.embed_dim * 4 * length / BYTES_PER_MB
    mflop, ms = (before - after) / 1e6, before_ms - after_ms
    print(f"{length:>7} {cache_mb:>9.3f}   {mflop:>8.2f} {mflop / cache_mb:>8.0f}   {ms:>8.2f} {ms / cache_mb:>8.1f}")

# %% [markdown]
# **Validate** (not graded): memory as a picture.

# %% tags=["validate", "raises-exception"] jupyter={"source_hidden": true}
import matplotlib.pyplot as plt

figure, axis = plt.subplots(figsize=(6.5, 3.4))
tokens = np.array([16, 64, 128, 512, 2048, 8192])
for batch in (1, 8, 64):
    label = f"cache for {batch} text{'s' * (batch > 1)}"
    axis.loglog(tokens, batch * tokens * token_bytes / BYTES_PER_MB, "o-", label=label)
axis.axhline(model_mb, color="0.4", linestyle="--", label="the model's parameters")
axis.set_xlabel("tokens in each text (this model sees at most 128)")
axis.set_ylabel("MB")
axis.legend(fontsize=8)
figure.tight_layout()
plt.show()

# %% [markdown]
# ## 7. Two questions to answer in writing
#
# Use figures from your own notebook, whichever way they went. Half a page each is enough.

# %% [markdown] nbgrader={"grade": false, "grade_id": "task_trade", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": true}
# **Question 1 (10 points, about 30 minutes): what is bought, and for what?**
#
# a) Take the row of 512 tokens in 6.5. Give the ratio of the operations and the ratio of the times. Are they alike? Explain the
# difference, or why there is none, by what one call with a cache has to do besides the operations that are counted.
#
# b) Which part of a call does a cache *not* save, and how does it grow with the text? Where do your figures show it?
#
# c) A service answers 500 people at once with the model of part 1.1, up to 128 tokens each. How much memory do the caches need? Name one
# change to the model or the cache that halves it, and what has to be measured before it is used.
#
# === BEGIN MARK SCHEME ===
# a) 4 points: both ratios from the notebook, read rightly (1 each); a sound explanation that fits the student's own figures (2): fixed
# cost of each call (Python, one small matrix product per projection, weights that have to be read for a single token, copies of
# keys and values), or, where the ratios are alike, why these do not matter there. Which way the figures go is not
# scored.
#
# b) 3 points: attention of the new token to all older ones (1); its work is linear in the length for one call, so quadratic for the
# whole text, with a small factor (1); a figure that shows it: the growing MFLOP column, the fitted power, or the times (1). Also
# accept the projections and the MLP of the new token, as the constant part, if the growing part is named beside it.
#
# c) 3 points: 500 times 128 times the bytes per token from 6.6, or 500 times total_mb, about 94 MB for float32 (1); a change that halves
# it: float16, one key-value head for two query heads, half the layers, half the length (1); a measurement that decides: the difference of the logits, the
# agreement of the texts or the loss on held-out dialogues, with and without (1).
# === END MARK SCHEME ===

# %% [markdown]
# *Your answer:*

# %% [markdown] nbgrader={"grade": false, "grade_id": "task_proof", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": true}
# **Question 2 (10 points, about 30 minutes): how do you know that it is right?**
#
# a) Section 6.2 breaks the cache in four ways. For two of them: what happens in the attention, and at which
# token can a test with the bound of 0.001 tell first? Which of the four does a test with five tokens let pass?
#
# b) Why are the four probes of exercise 8 needed beside "the same as without a cache"? Name a wrong model for one of them that
# this equality alone would let pass.
#
# c) Memoization needs the same question to have the same answer. Name two changes, to the text, the model or its use, after which old keys
# and values are wrong, and say why.
#
# === BEGIN MARK SCHEME ===
# a) 5 points, 2 for each fault: the mechanism (1) and the token from the student's own table or picture (1). Prompt dropped: keys
# of zero still get weight in the softmax and bring values of zero. Places from 0: the position embedding is another, so queries, keys
# and values of new tokens are. Drift: scores are scaled more and more, so the weights sharpen with age. Wrapping around: the newest
# token is met twice and the oldest not at all, once the ring is full. One more point: those that stay below the bound for five tokens
# in the student's table; a short test sees only faults that are large at once.
#
# b) 2 points: equality compares two models, and both may be wrong alike (1); a fitting example: all logits zero, a mask that lets everybody see
# the future, no position embedding, only the last token is read (1).
#
# c) 3 points: two sound cases with their reason: a token of the prompt is changed or taken away (what comes after it was computed
# from it); the text is longer than max_seq_len and slides, so that places change; weights are changed (training, an
# adapter); attention without a causal mask, where old tokens see new ones; dropout that is on. 1 point each, and 1 for
# naming what the keys and values depend on.
# === END MARK SCHEME ===

# %% [markdown]
# *Your answer:*

# %% [markdown]
# ## Summary
#
# - Without a cache, every new token has the whole text read again. You counted it, fitted its growth, and saw that old keys and
#   values do not change.
# - A KV cache keeps them: buffers that are filled from the left, a position that all layers share, a scope for each text.
# - Prefill, chunked prefill and one token at a time are one rule: a mask with a row for each new token and a column for each token so far.
# - "The same as without" is a test that can be run at every position. Only long texts show all faults.
# - What is saved is work, what is paid is memory, and both have a figure.
#
# **Further exercises** (not graded)
#
# 1. Store the cache in float16. How far do the logits move, and how many more texts fit?
# 2. Let two query heads share one key-value head. What has to change in `project`, and what happens to the model that was
#    trained otherwise?
# 3. Share the keys and values of a common prompt between the texts of a batch, until they part.
# 4. Let the cache forget its oldest tokens. Which of your tests should fail, and which should not?
#
# **References**
#
# - D. Michie, "Memo" Functions and Machine Learning, Nature 218, 1968: where the word comes from.
# - A. Vaswani et al., Attention Is All You Need, arXiv:1706.03762: section 3.2 for attention and its mask.
# - N. Shazeer, Fast Transformer Decoding: One Write-Head is All You Need, arXiv:1911.02150: what a cache costs, and further exercise 2.
# - R. Pope et al., Efficiently Scaling Transformer Inference, arXiv:2211.05102: prefill and decoding on real hardware.
# - W. Kwon et al., Efficient Memory Management for Large Language Model Serving with PagedAttention, arXiv:2309.06180: further exercise 3.
#
# **What comes next.** You have saved work, and paid with memory. Module 16 is about memory: each number in fewer bits.
