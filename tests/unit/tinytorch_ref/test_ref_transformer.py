"""The transformer: norms, blocks, what a token may see, positions, a cache, generation, and that it learns."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from gradients import check_gradients
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch_ref.core import transformer as alias
from tinytorch_ref.core.losses import CrossEntropyLoss
from tinytorch_ref.core.optimizers import AdamW
from tinytorch_ref.core.tensor import Tensor
from tinytorch_ref.core.training import Trainer
from tinytorch_ref.models.transformer import GPT, MLP, LayerNorm, TransformerBlock, create_causal_mask
from tinytorch_ref.profiling.profiler import Profiler
from tinytorch_ref.text.corpus import load_dialogues
from tinytorch_ref.text.tokenization import CharTokenizer


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return Tensor(np.random.default_rng(seed).normal(size=shape), dtype=np.float64)


def some_ids(*shape: int, below: int = 20, seed: int = 0) -> Tensor:
    return Tensor(np.random.default_rng(seed).integers(0, below, shape))


def small_gpt(**changes: Any) -> GPT:
    np.random.seed(1)
    sizes = {"vocab_size": 20, "embed_dim": 16, "num_layers": 2, "num_heads": 4, "max_seq_len": 12}
    return GPT(**{**sizes, **changes})


# LayerNorm


@settings(deadline=None, max_examples=50)
@given(
    leading=st.lists(st.integers(0, 4), max_size=3).map(tuple),
    normalised=st.lists(st.integers(1, 5), min_size=1, max_size=2).map(tuple),
    seed=st.integers(0, 100),
)
def test_layer_norm_is_its_formula(leading: tuple[int, ...], normalised: tuple[int, ...], seed: int) -> None:
    norm = LayerNorm(normalised)
    norm.gamma.data[:], norm.beta.data[:] = drawn(*normalised, seed=1).data, drawn(*normalised, seed=2).data
    x = drawn(*leading, *normalised, seed=seed)
    output = norm(x)
    assert output.shape == x.shape
    for place in np.ndindex(leading):
        vector = x.data[place]
        expected = (vector - vector.mean()) / np.sqrt(vector.var() + 1e-5) * norm.gamma.data + norm.beta.data
        np.testing.assert_allclose(output.data[place], expected, atol=1e-9)


def test_layer_norm_gradients() -> None:
    for normalised in (6, (3, 4)):
        norm = LayerNorm(normalised)
        norm.gamma.data[:] = np.random.default_rng(0).normal(size=norm.gamma.shape)
        check_gradients(norm, (2, *norm.normalized_shape), parameters=norm.parameters())
        check_gradients(norm, norm.normalized_shape, parameters=norm.parameters())


def test_layer_norm_is_steady_far_from_zero_and_where_all_is_equal() -> None:
    norm = LayerNorm(64)
    x = np.random.default_rng(0).normal(size=(3, 64))
    np.testing.assert_allclose(norm(Tensor(x + 1000)).data, norm(Tensor(x)).data, atol=2e-3)  # float32 has 1e-4 there
    np.testing.assert_allclose(norm(Tensor(1e-30 * x)).data, 0, atol=1e-6)
    same = Tensor(np.full((2, 64), 7.0), requires_grad=True)
    output = norm(same)
    np.testing.assert_array_equal(output.data, 0)
    output.backward(np.ones((2, 64)))
    assert same.grad is not None
    assert np.isfinite(same.grad).all()


def test_layer_norm_calculates_integers_in_float32_and_keeps_its_input() -> None:
    x = Tensor(np.array([[1, 2, 3]], dtype=np.int8))
    assert LayerNorm(3)(x).dtype == np.float32
    assert x.data.tolist() == [[1, 2, 3]]
    x = Tensor([[1, 2, 3]])
    LayerNorm(3)(x)
    assert x.data.tolist() == [[1, 2, 3]]


def test_layer_norm_names_the_shape_it_expected() -> None:
    with pytest.raises(ValueError, match=r"\(\.\.\., 4\), got \(2, 3\)"):
        LayerNorm(4)(Tensor(np.zeros((2, 3))))
    with pytest.raises(ValueError, match=r"\(\.\.\., 3, 4\), got \(4,\)"):
        LayerNorm((3, 4))(Tensor(np.zeros(4)))
    with pytest.raises(TypeError, match="ndarray"):
        LayerNorm(4)(np.zeros(4))
    for wrong in (0, (), (3, -1), 2.5):
        with pytest.raises(ValueError, match="positive lengths"):
            LayerNorm(wrong)  # type: ignore[arg-type]


# MLP and block


def test_mlp_is_two_layers_with_gelu_between() -> None:
    mlp = MLP(4)
    x = drawn(2, 3, 4)
    assert mlp.linear1.weight.shape == (4, 16)
    np.testing.assert_array_equal(mlp(x).data, mlp.linear2(mlp.gelu(mlp.linear1(x))).data)
    assert MLP(4, hidden_dim=6).linear2.weight.shape == (6, 4)
    check_gradients(mlp, (2, 3, 4), parameters=mlp.parameters())


def test_a_block_adds_attention_and_then_the_mlp_of_the_normalised_input() -> None:
    block = TransformerBlock(8, 2)
    x, mask = drawn(2, 5, 8), create_causal_mask(5)
    middle = x + block.attention(block.ln1(x), mask)
    np.testing.assert_array_equal(block(x, mask).data, (middle + block.mlp(block.ln2(middle))).data)
    assert TransformerBlock(8, 2, mlp_ratio=2).mlp.linear1.weight.shape == (8, 16)
    assert len(block.parameters()) == 2 + 8 + 2 + 4


def test_block_gradients() -> None:
    block = TransformerBlock(6, 2)
    weights = [p for p in block.parameters() if p is not block.attention.k_proj.bias]
    check_gradients(lambda x: block(x, create_causal_mask(4)), (2, 4, 6), parameters=weights)


def test_a_replaced_attention_forward_is_used() -> None:
    block = TransformerBlock(8, 2)
    block.attention.forward = lambda x, mask=None: x * 0  # type: ignore[method-assign, assignment]
    x = drawn(2, 5, 8)
    np.testing.assert_array_equal(block(x).data, (x + block.mlp(block.ln2(x))).data)


@pytest.mark.parametrize(
    "layer", [MLP(4, dropout_prob=1), TransformerBlock(4, 2, dropout_prob=1)], ids=["mlp", "block"]
)
def test_dropout_is_off_unless_training(layer: Any) -> None:
    x = drawn(2, 3, 4)
    assert layer.has_training_mode
    assert inspect.signature(layer.forward).parameters["training"].default is False
    np.testing.assert_array_equal(layer(x).data, layer(x).data)
    dropped = layer(x, training=True).data
    np.testing.assert_array_equal(dropped, 0 * x.data if isinstance(layer, MLP) else x.data)


def test_the_causal_mask_is_ones_up_to_the_diagonal() -> None:
    mask = create_causal_mask(3)
    assert mask.data.tolist() == [[[1, 0, 0], [1, 1, 0], [1, 1, 1]]]
    assert create_causal_mask(0).shape == (1, 0, 0)


# GPT


def test_gpt_is_embeddings_blocks_norm_and_head() -> None:
    model, ids = small_gpt(), some_ids(3, 7)
    x = model.token_embedding(ids) + model.position_embedding(Tensor(np.arange(7)))
    for block in model.blocks:
        x = block(x, create_causal_mask(7))
    np.testing.assert_array_equal(model(ids).data, model.lm_head(model.ln_f(x)).data)
    assert model(ids).shape == (3, 7, 20)


def test_what_a_gpt_is_made_of() -> None:
    model = small_gpt()
    assert (model.embed_dim, model.num_layers, model.num_heads, model.max_seq_len) == (16, 2, 4, 12)
    assert len(model.blocks) == 2
    assert model.lm_head.bias is None
    d, block = 16, 4 * (16 * 16 + 16) + 2 * 2 * 16 + (16 * 64 + 64) + (64 * 16 + 16)
    assert Profiler().count_parameters(model) == 20 * d + 12 * d + 2 * block + 2 * d + d * 20
    assert len({id(parameter) for parameter in model.parameters()}) == len(model.parameters())
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_the_profiler_counts_the_real_layers() -> None:
    t, d, v, heads, blocks = 6, 16, 20, 4, 2
    block = 2 * 5 * t * d + (4 * 2 * t * d * d + 2 * 2 * t * t * d + heads * t * t) + 2 * 2 * t * d * 4 * d + t * 4 * d
    assert Profiler().count_flops(small_gpt(), (3, t)) == 3 * (blocks * block + 5 * t * d + 2 * t * d * v)
    assert Profiler().measure_latency(small_gpt(), some_ids(1, 6), warmup=0, iterations=1) > 0


def test_gpt_gradients() -> None:
    model, ids = small_gpt(embed_dim=8, num_heads=2), some_ids(2, 5)
    dead = {id(block.attention.k_proj.bias) for block in model.blocks}  # its gradient is 0: nothing to compare
    weights = [parameter for parameter in model.parameters() if id(parameter) not in dead]
    check_gradients(lambda: model(ids), parameters=weights, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("shape", [(1,), (7,), (0, 3), (2, 0), (1, 12)])
def test_gpt_takes_one_text_or_a_batch_also_an_empty_one(shape: tuple[int, ...]) -> None:
    model, ids = small_gpt(), some_ids(*shape)
    assert model(ids).shape == (*shape, 20)
    if len(shape) == 1:
        np.testing.assert_allclose(model(ids).data, model(ids.reshape(1, -1)).data[0], atol=1e-6)


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 11), st.integers(0, 100))
def test_no_token_sees_its_future(cut: int, seed: int) -> None:
    model = small_gpt()
    first, second = some_ids(2, 12, seed=seed), some_ids(2, 12, seed=seed + 1)
    second.data[:, :cut] = first.data[:, :cut]
    np.testing.assert_allclose(model(first).data[:, :cut], model(second).data[:, :cut], atol=1e-6)
    alone = model(
        first[:, :cut]
    ).data  # matrices of other shapes, of which each processor rounds the products otherwise
    np.testing.assert_allclose(alone, model(first).data[:, :cut], atol=1e-5)


def test_the_first_token_reaches_the_last_and_order_matters() -> None:
    model, ids = small_gpt(), some_ids(1, 6)
    before = model(ids).data[:, -1]
    other = Tensor(np.concatenate([(ids.data[:, :1] + 1) % 20, ids.data[:, 1:]], axis=1))
    assert np.abs(model(other).data[:, -1] - before).max() > 1e-3
    swapped = Tensor(ids.data[:, [1, 0, 2, 3, 4, 5]])
    assert np.abs(model(swapped).data[:, -1] - before).max() > 1e-3


def test_texts_of_a_batch_do_not_see_each_other() -> None:
    model, ids = small_gpt(), some_ids(4, 6)
    for i in range(4):
        # A product of another shape adds up in another order: float32 tells that apart on some processors.
        np.testing.assert_allclose(model(ids).data[i], model(ids[i]).data, rtol=1e-5, atol=1e-5)


def test_the_offset_moves_the_positions() -> None:
    model, ids = small_gpt(num_layers=1), some_ids(2, 3)
    moved = model(ids, position_offset=5).data
    model.position_embedding.weight.data[:3] = model.position_embedding.weight.data[5:8]
    np.testing.assert_array_equal(model(ids).data, moved)


@pytest.mark.parametrize(
    ("tokens", "offset", "message"),
    [(13, 0, "13 tokens from position 0"), (1, 12, "position 12"), (3, 10, "0 to 11"), (1, -1, "position -1")],
)
def test_positions_beyond_the_last_are_named(tokens: int, offset: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small_gpt()(some_ids(1, tokens), position_offset=offset)


def test_wrong_ids_and_sizes_are_refused() -> None:
    model = small_gpt()
    with pytest.raises(ValueError, match="id 20;"):
        model(Tensor([[1, 20]]))
    with pytest.raises(ValueError, match=r"\(batch, tokens\) or \(tokens,\), got \(1, 1, 1\)"):
        model(Tensor([[[1]]]))
    with pytest.raises(TypeError, match="list"):
        model([[1, 2]])
    for change in ({"num_layers": 0}, {"num_heads": 3}, {"vocab_size": 0}, {"max_seq_len": 0}):
        with pytest.raises(ValueError, match=r"positive|multiple"):
            small_gpt(**change)


# A cache, as module 15 will install one


class Cache:
    """Keys and values of every layer, put into the model through its hooks."""

    def __init__(self, model: GPT):
        self.stored: list[tuple[Any, Any] | None] = [None] * len(model.blocks)
        for index, block in enumerate(model.blocks):
            block.attention.key_value_hook = lambda keys, values, index=index: self.extend(index, keys, values)

    def extend(self, index: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        new = (keys.data, values.data)
        old = self.stored[index]
        if old is not None:
            new = (np.concatenate([old[0], new[0]], axis=-2), np.concatenate([old[1], new[1]], axis=-2))
        self.stored[index] = new
        return Tensor(new[0]), Tensor(new[1])

    @property
    def length(self) -> int:
        return 0 if self.stored[0] is None else self.stored[0][0].shape[-2]


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 3), st.lists(st.integers(1, 5), min_size=1, max_size=12), st.integers(0, 99))
def test_a_prompt_and_then_pieces_with_a_cache_give_the_logits_of_the_whole(
    batch: int, pieces: list[int], seed: int
) -> None:
    model = small_gpt()
    ids = some_ids(batch, 12, seed=seed)
    whole = model(ids).data
    cache = Cache(model)
    for length in pieces:
        start = cache.length
        end = min(start + length, 12)
        if start < end:
            logits = model(ids[:, start:end], position_offset=start).data
            np.testing.assert_allclose(logits, whole[:, start:end], atol=2e-6)


def test_generation_through_a_cache_gives_the_same_texts() -> None:
    prompt = some_ids(3, 4)
    expected = small_gpt().generate(prompt, 8, rng=3).data
    model = small_gpt()
    cache, forward = Cache(model), model.forward
    seen = []

    def only_new(tokens: Tensor) -> Tensor:
        new = tokens[:, cache.length :]
        seen.append(new.shape[1])
        return forward(new, position_offset=cache.length)[:, -1, :]

    model.next_logits = only_new  # type: ignore[method-assign]
    np.testing.assert_array_equal(model.generate(prompt, 8, rng=3).data, expected)
    assert seen == [4, 1, 1, 1, 1, 1, 1, 1]


# Generation


def test_greedy_generation_takes_the_likeliest_each_time_for_every_text() -> None:
    model, prompt = small_gpt(), some_ids(3, 2)
    tokens = prompt.data
    for _ in range(15):  # past max_seq_len, where only the last 12 are seen
        logits = model(Tensor(tokens[:, -12:])).data
        tokens = np.concatenate([tokens, logits[:, -1].argmax(-1)[:, None]], axis=1)
    generated = model.generate(prompt, 15, temperature=0)
    assert generated.dtype == np.int64
    np.testing.assert_array_equal(generated.data, tokens)
    np.testing.assert_array_equal(model.generate(prompt[1], 15, temperature=0).data, tokens[1])
    np.testing.assert_array_equal(model.generate(prompt, 15, temperature=1e-300, rng=0).data, tokens)


def test_generation_repeats_with_a_seed_a_generator_or_numpys_seed() -> None:
    model, prompt = small_gpt(), some_ids(2, 3)

    def text(rng: Any = None) -> list[Any]:
        tokens: list[Any] = model.generate(prompt, 9, rng=rng).data.tolist()
        return tokens

    assert text(5) == text(5) == text(np.random.default_rng(5)) != text(6)
    np.random.seed(0)
    first, second = text(), text()
    np.random.seed(0)
    assert text() == first != second
    np.random.seed(0)
    text(5)
    assert text() == first  # a generator of one's own leaves numpy's alone


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_every_text_is_drawn_from_softmax_of_the_logits_over_the_temperature(temperature: float) -> None:
    model = small_gpt()
    logits = np.array([[0.0, 1.0, 2.0, -np.inf], [3.0, 0.0, 0.0, 0.0]])
    rows = 20_000
    model.next_logits = lambda tokens: Tensor(logits[tokens.data[:, 0]])  # type: ignore[method-assign]
    prompt = Tensor(np.repeat([0, 1], rows)[:, None])
    new = model.generate(prompt, 1, temperature, rng=0).data[:, 1].reshape(2, rows)
    for row, row_logits in zip(new, logits, strict=True):
        probabilities = np.exp(row_logits / temperature) / np.exp(row_logits / temperature).sum()
        frequencies = np.bincount(row, minlength=4) / rows
        np.testing.assert_allclose(frequencies, probabilities, atol=5 * np.sqrt(0.25 / rows))
        assert not frequencies[probabilities == 0].any()


def test_generation_records_nothing_and_drops_nothing() -> None:
    model, prompt = small_gpt(dropout_prob=0.9), some_ids(1, 3)
    tokens = model.generate(prompt, 5, temperature=0)
    assert not tokens.requires_grad
    np.testing.assert_array_equal(tokens.data, model.generate(prompt, 5, temperature=0).data)
    assert model(prompt).requires_grad  # recording is on again
    recorded = []
    next_logits = model.next_logits

    def watched(tokens: Tensor) -> Tensor:
        logits = next_logits(tokens)
        recorded.append(logits.requires_grad)
        return logits

    model.next_logits = watched  # type: ignore[method-assign]
    model.generate(prompt, 2)
    assert recorded == [False, False]


def test_generation_of_nothing_and_from_nothing() -> None:
    model = small_gpt()
    np.testing.assert_array_equal(model.generate(some_ids(2, 3), 0).data, some_ids(2, 3).data)
    with pytest.raises(ValueError, match="prompt is empty"):
        model.generate(Tensor(np.zeros((1, 0))))
    for arguments in ({"max_new_tokens": -1}, {"temperature": -0.1}, {"temperature": float("nan")}):
        with pytest.raises(ValueError, match="at least 0"):
            model.generate(some_ids(1, 3), **arguments)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="id 99"):
        model.generate(Tensor([[99]]))


# Learning


def windows(length: int) -> tuple[CharTokenizer, Any]:
    """The corpus as ids, cut into windows of length + 1."""
    text = "\n".join(load_dialogues())
    tokenizer = CharTokenizer()
    tokenizer.build_vocab([text])
    ids = np.array(tokenizer.encode(text))
    count = (len(ids) - 1) // length
    return tokenizer, np.stack([ids[i * length : (i + 1) * length + 1] for i in range(count)])


@pytest.mark.slow
def test_a_small_gpt_learns_the_corpus_through_the_trainer() -> None:
    tokenizer, texts = windows(32)
    np.random.seed(0)
    model = GPT(tokenizer.vocab_size, 32, num_layers=2, num_heads=4, max_seq_len=32, dropout_prob=0.0)
    batches = [(Tensor(texts[i : i + 16, :-1]), Tensor(texts[i : i + 16, 1:])) for i in range(0, len(texts) - 16, 16)]
    trainer = Trainer(model, AdamW(model.parameters(), lr=5e-3), CrossEntropyLoss(), grad_clip_norm=1.0)
    held_out = batches[-5:]
    untrained, _ = trainer.evaluate(held_out)
    assert abs(untrained - np.log(tokenizer.vocab_size)) < 1  # as good as guessing
    trainer.train_epoch(batches[:-5])
    loss, accuracy = trainer.evaluate(held_out)
    assert loss < 2.5  # guessing by the frequency of the characters gives 3.0
    assert accuracy > 0.3


def test_the_trainer_tells_a_gpt_whether_it_trains() -> None:
    model = small_gpt(dropout_prob=0.5)
    ids = some_ids(2, 6)
    trainer = Trainer(model, AdamW(model.parameters(), lr=0.0, weight_decay=0.0), CrossEntropyLoss())
    assert trainer.train_epoch([(ids, ids)]) != trainer.train_epoch([(ids, ids)])
    assert trainer.evaluate([(ids, ids)]) == trainer.evaluate([(ids, ids)])


def test_the_alias_is_the_same() -> None:
    assert alias.GPT is GPT
