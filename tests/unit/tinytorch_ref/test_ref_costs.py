"""Counting operations: hand-calculated pins, brute force over windows, batches, and what is refused."""

from __future__ import annotations

from math import prod
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tinytorch_ref.core.activations import GELU, ReLU, Sigmoid, Softmax, Tanh
from tinytorch_ref.core.layers import Dropout, Layer, Linear, Sequential
from tinytorch_ref.core.tensor import Tensor
from tinytorch_ref.profiling import costs
from tinytorch_ref.profiling.costs import Cost, cost_rule
from tinytorch_ref.profiling.profiler import Profiler, layer_cost


def named(class_name: str, **attributes: Any) -> Any:
    """A proxy for a layer of a module that does not exist yet."""
    return type(class_name, (), attributes)()


def conv2d(c_in: int, c_out: int, kernel: tuple[int, int], stride: Any = 1, padding: Any = 0) -> Any:
    weight = Tensor(np.zeros((c_out, c_in, *kernel)))
    return named("Conv2d", weight=weight, kernel_size=kernel, stride=stride, padding=padding)


def attention(embed_dim: int, num_heads: int) -> Any:
    projections = {f"{p}_proj": Linear(embed_dim, embed_dim) for p in ("q", "k", "v", "out")}
    return named("MultiHeadAttention", embed_dim=embed_dim, num_heads=num_heads, **projections)


def transformer_block(embed_dim: int, num_heads: int) -> Any:
    mlp = named("MLP", linear1=Linear(embed_dim, 4 * embed_dim), gelu=GELU(), linear2=Linear(4 * embed_dim, embed_dim))
    return named(
        "TransformerBlock",
        ln1=named("LayerNorm"),
        attention=attention(embed_dim, num_heads),
        ln2=named("LayerNorm"),
        mlp=mlp,
    )


def gpt(vocab: int, embed_dim: int, blocks: int, num_heads: int) -> Any:
    return named(
        "GPT",
        token_embedding=named("Embedding", weight=Tensor(np.zeros((vocab, embed_dim)))),
        blocks=[transformer_block(embed_dim, num_heads) for _ in range(blocks)],
        ln_f=named("LayerNorm"),
        lm_head=Linear(embed_dim, vocab, bias=False),
    )


@pytest.mark.parametrize(
    ("layer", "shape", "flops", "output"),
    [
        (Linear(128, 64), (1, 128), 16_384, (1, 64)),
        (Linear(128, 64), (32, 128), 32 * 16_384, (32, 64)),
        (Linear(128, 64), (128,), 16_384, (64,)),
        (Linear(128, 64, bias=False), (1, 128), 16_384, (1, 64)),
        (Linear(8, 4), (2, 5, 8), 2 * 5 * 2 * 8 * 4, (2, 5, 4)),
        (Sigmoid(), (3, 4), 12, (3, 4)),
        (ReLU(), (3, 4), 12, (3, 4)),
        (Tanh(), (3, 4), 12, (3, 4)),
        (GELU(), (3, 4), 12, (3, 4)),
        (Softmax(), (3, 4), 12, (3, 4)),
        (Dropout(), (3, 4), 0, (3, 4)),
        (named("LayerNorm"), (2, 3, 4), 120, (2, 3, 4)),
        (named("Flatten"), (2, 3, 4, 5), 0, (2, 60)),
        (named("PositionalEncoding"), (2, 3, 4), 0, (2, 3, 4)),
        (named("Embedding", weight=Tensor(np.zeros((50, 8)))), (2, 3), 0, (2, 3, 8)),
        (
            named("EmbeddingLayer", token_embedding=named("Embedding", weight=Tensor(np.zeros((50, 8))))),
            (2, 3),
            0,
            (2, 3, 8),
        ),
        # (N, C, H, W) → 2 · N · C_out · H_out · W_out · C_in · k_h · k_w
        (conv2d(3, 16, (3, 3), padding=1), (1, 3, 32, 32), 2 * 16 * 32 * 32 * 27, (1, 16, 32, 32)),
        (conv2d(3, 16, (3, 3)), (4, 3, 32, 32), 2 * 4 * 16 * 30 * 30 * 27, (4, 16, 30, 30)),
        (conv2d(1, 2, (5, 3), stride=2, padding=1), (1, 1, 10, 11), 2 * 2 * 4 * 6 * 15, (1, 2, 4, 6)),
        (conv2d(1, 2, (3, 3), (2, 1), (0, 1)), (1, 1, 9, 9), 2 * 2 * 4 * 9 * 9, (1, 2, 4, 9)),
        (
            named("MaxPool2d", kernel_size=2, stride=2, padding=0),
            (2, 3, 8, 9),
            2 * 3 * 4 * 4 * 4,
            (2, 3, 4, 4),
        ),
        (named("MaxPool2d", kernel_size=2, stride=None), (2, 3, 8, 8), 2 * 3 * 4 * 4 * 4, (2, 3, 4, 4)),
        (named("AvgPool2d", kernel_size=(3, 2), stride=1, padding=1), (1, 1, 5, 5), 5 * 6 * 6, (1, 1, 5, 6)),
        # four projections 4 · 2·10·64·64, two products 2 · 2·10·10·64, softmax 4 · 10·10
        (attention(64, 4), (1, 10, 64), 327_680 + 25_600 + 400, (1, 10, 64)),
        (attention(64, 4), (3, 10, 64), 3 * (327_680 + 25_600 + 400), (3, 10, 64)),
    ],
)
def test_flops_and_output_shape_of_each_layer(layer: Any, shape: Any, flops: int, output: Any) -> None:
    cost = layer_cost(layer, shape)
    assert (cost.flops, cost.output_shape) == (flops, output)


def test_the_digit_network_of_the_milestone_takes_4736_operations_in_its_matrices() -> None:
    model = Sequential(Linear(64, 32), ReLU(), Linear(32, 10))
    profiler = Profiler()
    assert profiler.count_parameters(model) == 2410
    assert profiler.count_flops(model, (1, 64)) == 4736 + 32


@settings(deadline=None, max_examples=60)
@given(
    height=st.integers(1, 8),
    width=st.integers(1, 8),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
)
def test_convolution_and_pooling_count_every_place_where_the_window_fits(
    height: int, width: int, kernel: tuple[int, int], stride: int, padding: int
) -> None:
    rows = [y for y in range(0, height + 2 * padding, stride) if y + kernel[0] <= height + 2 * padding]
    columns = [x for x in range(0, width + 2 * padding, stride) if x + kernel[1] <= width + 2 * padding]
    assume(rows and columns)
    shape, places = (2, 3, height, width), len(rows) * len(columns)
    conv = layer_cost(conv2d(3, 4, kernel, stride, padding), shape)
    assert conv.output_shape == (2, 4, len(rows), len(columns))
    assert conv.flops == 2 * 2 * 4 * places * 3 * prod(kernel)
    pool = layer_cost(named("AvgPool2d", kernel_size=kernel, stride=stride, padding=padding), shape)
    assert pool.output_shape == (2, 3, len(rows), len(columns))
    assert pool.flops == 2 * 3 * places * prod(kernel)


def test_a_chain_hands_each_layer_the_shape_of_the_one_before() -> None:
    cnn = Sequential(
        as_callable(conv2d(1, 4, (3, 3))),
        ReLU(),
        as_callable(named("MaxPool2d", kernel_size=2, stride=2, padding=0)),
        as_callable(named("Flatten")),
        Linear(4 * 3 * 3, 10),
        Softmax(),
    )
    expected = 2 * 2 * 4 * 36 * 9 + 2 * 4 * 36 + 2 * 4 * 9 * 4 + 0 + 2 * 2 * 36 * 10 + 2 * 10
    cost = layer_cost(cnn, (2, 1, 8, 8))
    assert (cost.flops, cost.output_shape) == (expected, (2, 10))


def as_callable(layer: Any) -> Any:
    """Sequential wants something that can be called; counting never calls it."""
    kind = type(layer)
    kind.__call__ = lambda self, x: x
    return layer


def test_traffic_is_each_layers_input_and_output_once() -> None:
    model = Sequential(Linear(8, 4), ReLU(), Dropout(), Linear(4, 2))
    assert layer_cost(model, (3, 8)).traffic == (24 + 12) + (12 + 12) + 0 + (12 + 6)


def test_attention_traffic_contains_the_scores_that_are_written_and_read_again() -> None:
    heads, tokens, dim = 2, 16, 8
    projections = 4 * 2 * tokens * dim
    q_k_in_and_v_in_heads_out = 4 * tokens * dim
    scores_out_in_out_in = 4 * heads * tokens * tokens
    cost = layer_cost(attention(dim, heads), (1, tokens, dim))
    assert cost.traffic == projections + q_k_in_and_v_in_heads_out + scores_out_in_out_in


@pytest.mark.parametrize("batch", [1, 3])
def test_a_gpt_is_the_sum_of_its_blocks_and_its_head(batch: int) -> None:
    t, d, v, heads, blocks = 6, 8, 20, 2, 3
    block = 2 * 5 * t * d + (4 * 2 * t * d * d + 2 * 2 * t * t * d + heads * t * t) + 2 * 2 * t * d * 4 * d + t * 4 * d
    cost = layer_cost(gpt(v, d, blocks, heads), (batch, t))
    assert cost.flops == batch * (blocks * block + 5 * t * d + 2 * t * d * v)
    assert cost.output_shape == (batch, t, v)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (Linear(8, 4), (3, 8)),
        (Sequential(Linear(8, 4), GELU(), Linear(4, 2), Softmax()), (3, 8)),
        (conv2d(2, 3, (3, 3), padding=1), (3, 2, 6, 6)),
        (transformer_block(8, 2), (3, 5, 8)),
    ],
)
def test_three_inputs_take_three_times_the_operations_of_one(layer: Any, shape: tuple[int, ...]) -> None:
    profiler = Profiler()
    assert profiler.count_flops(layer, shape) == 3 * profiler.count_flops(layer, (1, *shape[1:])) > 0


def test_a_subclass_is_counted_as_what_it_descends_from() -> None:
    class Projection(Linear):
        pass

    assert layer_cost(Projection(8, 4), (1, 8)).flops == 64


def test_a_linear_layer_that_was_made_smaller_is_counted_by_its_weight() -> None:
    layer = Linear(8, 4)
    layer.weight = Tensor(np.zeros((8, 2)))
    assert layer_cost(layer, (1, 8)) == Cost(flops=32, traffic=10, output_shape=(1, 2))


def test_an_own_model_with_a_list_of_layers_is_counted() -> None:
    assert layer_cost(SimpleNamespace(layers=[Linear(8, 4), ReLU()]), (1, 8)).flops == 68


class Mystery(Layer):
    pass


@pytest.mark.parametrize(
    "model",
    [
        Mystery(),
        Sequential(Linear(8, 4), Mystery()),
        named("MLP", fc1=Linear(8, 4)),
        lambda x: x,
        Tensor([1]),
    ],
)
def test_an_unknown_layer_is_a_type_error_that_names_it(model: Any) -> None:
    name = "Mystery" if isinstance(model, Sequential) else type(model).__name__
    with pytest.raises(TypeError, match=name):
        Profiler().count_flops(model, (1, 8))


def test_a_new_layer_can_be_taught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs, "_RULES", dict(costs._RULES))

    @cost_rule("Mystery", "Riddle")
    def triple(layer: Any, shape: tuple[int, ...]) -> Cost:
        return Cost(3 * prod(shape), 2 * prod(shape), shape)

    assert layer_cost(Sequential(Mystery(), Linear(8, 4)), (1, 8)).flops == 24 + 64
    assert layer_cost(named("Riddle"), (2,)).flops == 6


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (Linear(8, 4), (1, 7), r"\(\.\.\., 8\).*\(1, 7\)"),
        (Sequential(Linear(8, 4), Linear(8, 4)), (1, 8), r"\(\.\.\., 8\).*\(1, 4\)"),
        (conv2d(3, 4, (3, 3)), (3, 8, 8), r"\(N, C, H, W\)"),
        (conv2d(3, 4, (3, 3)), (1, 2, 8, 8), "3 channels"),
        (conv2d(3, 4, (3, 3)), (1, 3, 2, 8), "does not fit"),
        (named("MaxPool2d", kernel_size=4), (1, 3, 3, 3), "does not fit"),
        (attention(8, 2), (8,), "tokens"),
        (Linear(8, 4), (0, 8), "positive"),
        (Linear(8, 4), (1.0, 8), "positive"),
    ],
)
def test_a_shape_that_does_not_suit_is_a_value_error(layer: Any, shape: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Profiler().count_flops(layer, shape)
