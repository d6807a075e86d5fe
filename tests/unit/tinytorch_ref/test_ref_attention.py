"""Attention: against plain loops, masks of both kinds, hidden rows, gradients, heads and the hook for a cache."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gradients import check_gradients
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch_ref.core.attention import MultiHeadAttention, scaled_dot_product_attention
from tinytorch_ref.core.tensor import Tensor
from tinytorch_ref.profiling.profiler import Profiler


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return Tensor(np.random.default_rng(seed).normal(size=shape), dtype=np.float64)


def by_loops(q: Any, k: Any, v: Any, keep: Any) -> tuple[Any, Any]:
    """One matrix of queries, keys and values each; number by number, hidden keys left out of the sums."""
    weights, output = np.zeros((len(q), len(k))), np.zeros((len(q), v.shape[1]))
    for i in range(len(q)):
        scores = {j: sum(q[i] * k[j]) / np.sqrt(len(q[i])) for j in range(len(k)) if keep[i, j]}
        total = sum(np.exp(score) for score in scores.values())
        for j, score in scores.items():
            weights[i, j] = np.exp(score) / total
            output[i] += weights[i, j] * v[j]
    return output, weights


@settings(deadline=None, max_examples=60)
@given(
    leading=st.lists(st.integers(0, 3), max_size=3).map(tuple),
    sizes=st.tuples(*[st.integers(1, 5)] * 4),
    seed=st.integers(0, 1000),
)
def test_it_is_softmax_of_the_scaled_products_times_the_values(
    leading: tuple[int, ...], sizes: tuple[int, int, int, int], seed: int
) -> None:
    queries, keys, d, d_v = sizes
    q, k, v = (drawn(*leading, *shape, seed=seed) for shape in ((queries, d), (keys, d), (keys, d_v)))
    keep = np.random.default_rng(seed).random((*leading, queries, keys)) < 0.6
    output, weights = scaled_dot_product_attention(q, k, v, Tensor(keep))
    assert output.shape == (*leading, queries, d_v)
    assert weights.shape == (*leading, queries, keys)
    for place in np.ndindex(leading):
        expected = by_loops(q.data[place], k.data[place], v.data[place], keep[place])
        np.testing.assert_allclose(output.data[place], expected[0], atol=1e-12)
        np.testing.assert_allclose(weights.data[place], expected[1], atol=1e-12)


def test_without_a_mask_everything_is_seen() -> None:
    q, k, v = drawn(2, 3, 4), drawn(2, 5, 4, seed=1), drawn(2, 5, 4, seed=2)
    output, weights = scaled_dot_product_attention(q, k, v)
    np.testing.assert_allclose(weights.data.sum(-1), 1)
    masked, _ = scaled_dot_product_attention(q, k, v, Tensor(np.ones((3, 5))))
    np.testing.assert_array_equal(output.data, masked.data)


def test_leading_axes_broadcast() -> None:
    q, k, v = drawn(6, 2, 3, 4), drawn(1, 5, 4, seed=1), drawn(2, 5, 3, seed=2)
    output, _ = scaled_dot_product_attention(q, k, v)
    assert output.shape == (6, 2, 3, 3)
    alone, _ = scaled_dot_product_attention(q[4, 1], k[0], v[1])
    np.testing.assert_allclose(output.data[4, 1], alone.data)
    check_gradients(lambda *all_three: scaled_dot_product_attention(*all_three)[0], q.data, k.data, v.data)


KEEP = np.array([[1, 0, 1, 1], [0, 1, 0, 0], [1, 1, 1, 0]])


@pytest.mark.parametrize(
    "mask",
    [
        KEEP.astype(np.float32),
        KEEP.astype(bool),
        KEEP.astype(np.int64),
        KEEP.astype(np.uint8),
        np.where(KEEP == 1, 0, -np.inf),
        np.where(KEEP == 1, 0, -1e9),
        np.where(KEEP == 1, 0, -np.inf).astype(np.float16),
    ],
    ids=["float", "bool", "int", "uint8", "-inf", "-1e9", "float16"],
)
def test_keep_and_additive_masks_hide_the_same(mask: Any) -> None:
    q, k, v = drawn(2, 3, 4), drawn(2, 4, 4, seed=1), drawn(2, 4, 2, seed=2)
    output, weights = scaled_dot_product_attention(q, k, v, Tensor(mask))
    assert output.dtype == np.float64
    assert not weights.data[:, KEEP == 0].any()
    for i in range(2):
        np.testing.assert_allclose(output.data[i], by_loops(q.data[i], k.data[i], v.data[i], KEEP)[0])


def test_an_additive_mask_may_hold_biases() -> None:
    q, k, v = drawn(3, 4), drawn(3, 4, seed=1), drawn(3, 4, seed=2)
    bias = np.array([[0, -1, -2], [-0.5, 0, 3], [-np.inf, 0, 0]])
    _, weights = scaled_dot_product_attention(q, k, v, Tensor(bias))
    powers = np.exp(q.data @ k.data.T / 2 + bias)
    np.testing.assert_allclose(weights.data, powers / powers.sum(-1, keepdims=True), rtol=1e-6)


@pytest.mark.parametrize("mask", [[[0, 0], [1, 0]], [[-np.inf, -np.inf], [0, -np.inf]]])
def test_a_query_that_may_see_nothing_takes_nothing_and_gives_no_gradient(mask: Any) -> None:
    q, k, v = (Tensor(drawn(2, 2, seed=seed), requires_grad=True) for seed in range(3))
    output, weights = scaled_dot_product_attention(q, k, v, Tensor(mask))
    assert output.data[0].tolist() == [0, 0]
    assert weights.data.tolist() == [[0, 0], [1, 0]]
    output.sum().backward()
    for tensor in (q, k, v):
        assert tensor.grad is not None
        assert np.isfinite(tensor.grad).all()
    assert q.grad is not None
    assert not q.grad[0].any()


def test_hidden_keys_have_no_influence_whatever_they_hold() -> None:
    q, k, v = drawn(2, 3), drawn(4, 3, seed=1), drawn(4, 3, seed=2)
    keep = Tensor([[1, 1, 0, 1]])
    before, _ = scaled_dot_product_attention(q, k, v, keep)
    k.data[2], v.data[2] = 1e30, -7
    after, _ = scaled_dot_product_attention(q, k, v, keep)
    np.testing.assert_array_equal(before.data, after.data)


def test_large_scores_neither_overflow_nor_warn() -> None:
    q = Tensor([[3e4, 0]])
    output, weights = scaled_dot_product_attention(q, Tensor([[1e4, 0], [0, 1]]), Tensor([[1], [2]]))
    assert weights.data.tolist() == [[1, 0]]
    assert output.data.tolist() == [[1]]


def test_no_keys_give_nothing() -> None:
    output, weights = scaled_dot_product_attention(drawn(3, 2), drawn(0, 2), drawn(0, 5))
    assert weights.shape == (3, 0)
    np.testing.assert_array_equal(output.data, np.zeros((3, 5)))


@pytest.mark.parametrize("mask", [None, KEEP, [[0, 0, 0, 0], [1, 1, 0, 1], [1, 0, 0, 0]]], ids=["none", "some", "row"])
def test_gradients_of_output_and_weights(mask: Any) -> None:
    mask_tensor = None if mask is None else Tensor(mask)
    for part in (0, 1):
        check_gradients(
            lambda q, k, v, part=part: scaled_dot_product_attention(q, k, v, mask_tensor)[part] + 0 * v.sum(),
            (2, 3, 4),
            (2, 4, 4),
            (2, 4, 2),
        )


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((3, 4), (5, 6), (5, 4)), r"\(3, 4\), \(5, 6\) and \(5, 4\)"),
        (((3, 4), (5, 4), (6, 4)), r"\(6, 4\)"),
        (((4,), (5, 4), (5, 4)), "queries, d"),
        (((3, 0), (3, 0), (3, 2)), "queries, d"),
        (((2, 3, 4), (3, 3, 4), (3, 4)), "leading axes"),
    ],
)
def test_shapes_that_do_not_go_together_are_named(shapes: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        scaled_dot_product_attention(*(Tensor(np.ones(shape)) for shape in shapes))


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.ones((3, 4)), r"\(3, 4\) does not broadcast to .* \(2, 3, 3\)"),
        (np.ones((1, 2, 3, 3)), "does not broadcast"),
        (np.full((3, 3), 0.5), "0.5 to 0.5"),
        (np.full((3, 3), 2), "1 to keep and 0 to hide"),
        (np.full((3, 3), -1), "1 to keep and 0 to hide"),  # integers are never added
        ([[np.nan, 1, 1]], "1 to keep"),
        ([[np.nan, -1, 1]], r"NaN or \+inf"),
        ([[np.inf, -1, 1]], r"NaN or \+inf"),
    ],
)
def test_a_mask_of_neither_kind_is_refused(mask: Any, message: str) -> None:
    x = drawn(2, 3, 4)
    with pytest.raises(ValueError, match=message):
        scaled_dot_product_attention(x, x, x, Tensor(mask))


def test_what_is_no_tensor_is_refused() -> None:
    x = drawn(3, 4)
    with pytest.raises(TypeError, match="K must be a Tensor, not ndarray"):
        scaled_dot_product_attention(x, x.data, x)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="mask is a Tensor, not ndarray"):
        scaled_dot_product_attention(x, x, x, np.ones((3, 3)))  # type: ignore[arg-type]


# Several heads


def test_heads_are_stretches_of_columns_that_attend_by_themselves() -> None:
    attention = MultiHeadAttention(6, 3)
    x = drawn(2, 4, 6)
    q, k, v = (projection(x).data for projection in (attention.q_proj, attention.k_proj, attention.v_proj))
    keep = np.tril(np.ones((4, 4)))
    side_by_side = np.zeros((2, 4, 6))
    for i in range(2):
        for columns in (slice(0, 2), slice(2, 4), slice(4, 6)):
            head = by_loops(q[i, :, columns], k[i, :, columns], v[i, :, columns], keep)[0]
            side_by_side[i, :, columns] = head
    expected = attention.out_proj(Tensor(side_by_side)).data
    np.testing.assert_allclose(attention(x, Tensor(keep)).data, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("leading", [(), (3,), (0,), (2, 3)])
@pytest.mark.parametrize("tokens", [1, 5])
def test_multi_head_attention_takes_any_leading_axes(leading: tuple[int, ...], tokens: int) -> None:
    attention = MultiHeadAttention(8, 2)
    x = drawn(*leading, tokens, 8)
    output = attention(x)
    assert output.shape == x.shape
    for place in np.ndindex(leading):
        np.testing.assert_allclose(output.data[place], attention(x[place]).data, rtol=1e-5, atol=1e-6)


def test_a_mask_may_be_for_all_for_each_text_or_for_each_head() -> None:
    attention = MultiHeadAttention(8, 2)
    x = drawn(3, 4, 8)
    keep = np.random.default_rng(3).random((3, 2, 4, 4)) < 0.7
    whole = attention(x, Tensor(keep)).data
    for text in range(3):
        np.testing.assert_allclose(attention(x[text], Tensor(keep[text])).data, whole[text], atol=1e-6)
    same = keep.copy()
    same[:, 1] = same[:, 0]  # the same for each head
    np.testing.assert_array_equal(attention(x, Tensor(keep[:, 0])).data, attention(x, Tensor(same)).data)
    same[:] = same[0]  # and for each text
    for shape in ((4, 4), (1, 4, 4), (1, 1, 4, 4)):
        shared = Tensor(keep[0, 0].reshape(shape))
        np.testing.assert_array_equal(attention(x, shared).data, attention(x, Tensor(same)).data)
    padding = np.array([[1, 1, 1, 0], [1, 1, 0, 0], [1, 1, 1, 1]])
    by_key = attention(x, Tensor(padding[:, None, :])).data
    rows = np.broadcast_to(padding[:, None, :], (3, 4, 4)).copy()
    np.testing.assert_array_equal(by_key, attention(x, Tensor(rows)).data)


def test_multi_head_gradients() -> None:
    attention = MultiHeadAttention(6, 2)
    check_gradients(lambda x: attention(x, Tensor(np.tril(np.ones((4, 4))))), (2, 4, 6))
    check_gradients(lambda x: attention(x), (2, 4, 6), parameters=[attention.v_proj.weight, attention.out_proj.weight])
    check_gradients(attention, (3, 6), parameters=[attention.q_proj.weight, attention.k_proj.weight])


def test_the_bias_of_the_keys_is_learned_but_never_matters() -> None:
    # It adds the same to all scores of a query, and softmax does not see that.
    attention = MultiHeadAttention(4, 1)
    attention(Tensor(drawn(3, 4), requires_grad=True)).sum().backward()
    for parameter in attention.parameters():
        assert parameter.grad is not None
    assert attention.k_proj.bias is not None
    np.testing.assert_allclose(attention.k_proj.bias.grad, 0, atol=1e-6)


def test_what_a_multi_head_attention_is_made_of() -> None:
    attention = MultiHeadAttention(8, 2)
    assert attention.head_dim == 4
    projections = (attention.q_proj, attention.k_proj, attention.v_proj, attention.out_proj)
    expected = [id(tensor) for projection in projections for tensor in projection.parameters()]
    assert [id(tensor) for tensor in attention.parameters()] == expected
    assert Profiler().count_parameters(attention) == 4 * (8 * 8 + 8)
    assert Profiler().count_flops(MultiHeadAttention(64, 4), (1, 10, 64)) == 353_280 + 4 * 10 * 10
    assert repr(attention) == "MultiHeadAttention(8, num_heads=2)"


@pytest.mark.parametrize("sizes", [(8, 3), (0, 1), (8, 0), (8, -2), (8.0, 2)])
def test_sizes_that_do_not_divide_are_refused(sizes: Any) -> None:
    with pytest.raises(ValueError, match=r"num_heads|positive integer"):
        MultiHeadAttention(*sizes)


@pytest.mark.parametrize("shape", [(2, 4, 6), (8,)])
def test_an_input_of_the_wrong_shape_is_named(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\(\.\.\., tokens, 8\), got"):
        MultiHeadAttention(8, 2)(Tensor(np.zeros(shape)))


# The hook for a cache


class Remembering:
    """The simplest cache: everything seen so far, with the newest at the end."""

    def __init__(self) -> None:
        self.keys: list[Any] = []
        self.values: list[Any] = []

    def __call__(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        self.keys.append(keys.data)
        self.values.append(values.data)
        return Tensor(np.concatenate(self.keys, axis=-2)), Tensor(np.concatenate(self.values, axis=-2))


@pytest.mark.parametrize("leading", [(), (3,)])
@pytest.mark.parametrize("kind", ["keep", "additive"])
@pytest.mark.parametrize("pieces", [(1, 1, 1, 1, 1, 1), (4, 1, 1), (2, 3, 1), (6,)])
def test_in_pieces_with_a_cache_it_gives_what_it_gives_at_once(
    pieces: tuple[int, ...], kind: str, leading: tuple[int, ...]
) -> None:
    def causal(tokens: int) -> Tensor | None:
        keep = np.tril(np.ones((1, tokens, tokens)))
        if kind == "keep":
            return Tensor(keep)
        return Tensor(np.where(keep == 1, 0, -np.inf)) if tokens > 1 else None  # zeros only would hide everything

    attention = MultiHeadAttention(8, 2)
    x = Tensor(drawn(*leading, 6, 8), dtype=np.float32)
    expected = attention(x, Tensor(np.tril(np.ones((6, 6))))).data
    attention.key_value_hook = Remembering()
    start, outputs = 0, []
    for tokens in pieces:
        outputs.append(attention(x[..., start : start + tokens, :], causal(tokens)).data)
        start += tokens
    np.testing.assert_allclose(np.concatenate(outputs, axis=-2), expected, atol=1e-6)


def test_forward_is_project_and_attend() -> None:
    attention = MultiHeadAttention(8, 2)
    x = drawn(3, 5, 8)
    queries, keys, values = attention.project(x)
    assert queries.shape == keys.shape == values.shape == (3, 2, 5, 4)
    np.testing.assert_array_equal(attention.attend(queries, keys, values).data, attention(x).data)
    assert attention.attend(queries[..., :1, :], keys, values).shape == (3, 1, 8)
