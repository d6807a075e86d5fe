"""Embeddings: look-ups, positions and their offsets, gradients, and ids that have no row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gradients import check_gradients
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch_ref.core import embeddings as alias
from tinytorch_ref.core.tensor import Tensor
from tinytorch_ref.text.embeddings import (
    Embedding,
    EmbeddingLayer,
    PositionalEncoding,
    create_sinusoidal_embeddings,
)


@pytest.mark.parametrize("shape", [(), (4,), (2, 3), (2, 0), (2, 3, 4)])
@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.uint16, np.float32, np.float64])
def test_each_id_becomes_its_row(shape: tuple[int, ...], dtype: Any) -> None:
    table = Embedding(10, 6)
    ids = np.random.default_rng(0).integers(0, 10, shape)
    output = table(Tensor(ids.astype(dtype), dtype=dtype))
    assert output.shape == (*shape, 6)
    assert output.dtype == np.float32
    for place in np.ndindex(shape):
        np.testing.assert_array_equal(output.data[place], table.weight.data[ids[place]])


def test_the_table_is_uniform_within_its_limit_and_repeats_with_the_seed() -> None:
    np.random.seed(4)
    weight = Embedding(1000, 56).weight
    limit = np.sqrt(6 / 1056)
    assert weight.shape == (1000, 56)
    assert weight.requires_grad
    assert 0.999 * limit < np.abs(weight.data).max() <= limit * (1 + 1e-6)
    assert weight.data.var() == pytest.approx(limit**2 / 3, rel=0.02)
    np.random.seed(4)
    np.testing.assert_array_equal(Embedding(1000, 56).weight.data, weight.data)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([0, 5, 7], "id 5;.*0 to 4"),
        ([0, -1], "id -1;"),
        ([[0], [-3]], "id -3;"),
        ([1.5], "whole numbers, got 1.5"),
        ([float("nan")], "whole numbers, got nan"),
        ([float("inf")], "id inf"),
        ([1e9], "id 1000000000;"),
    ],
)
def test_an_id_without_a_row_is_named(ids: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Embedding(5, 2)(Tensor(ids))


def test_embedding_refuses_what_is_no_tensor_and_sizes_that_are_none() -> None:
    with pytest.raises(TypeError, match="ndarray"):
        Embedding(5, 2)(np.array([1]))
    for sizes in ((0, 2), (5, -1), (5, 2.5)):
        with pytest.raises(ValueError, match="positive integer"):
            Embedding(*sizes)  # type: ignore[arg-type]


@pytest.mark.parametrize("ids", [[1, 3, 1, 1], [[0, 4], [4, 4]], 2, np.zeros((2, 0))])
def test_embedding_gradient(ids: Any) -> None:
    table = Embedding(5, 3)
    check_gradients(lambda: table(Tensor(ids)), parameters=table.parameters())


@settings(deadline=None)
@given(st.integers(1, 20), st.integers(1, 9), st.integers(0, 5))
def test_sines_and_cosines_are_those_of_the_paper(positions: int, width: int, seed: int) -> None:
    table = create_sinusoidal_embeddings(positions, width)
    assert table.shape == (positions, width)
    assert table.dtype == np.float32
    assert not table.requires_grad
    p, column = seed % positions, seed % width
    angle = p / 10000 ** ((column // 2 * 2) / width)
    expected = np.cos(angle) if column % 2 else np.sin(angle)
    assert table.data[p, column] == pytest.approx(expected, abs=1e-6)


def test_far_positions_are_exact() -> None:
    # in float32 the angle itself would be wrong by 5e-4 here
    assert create_sinusoidal_embeddings(10_000, 2).data[9999, 0] == pytest.approx(np.sin(9999), abs=1e-7)


def test_positions_are_added_from_the_offset_on() -> None:
    positions = PositionalEncoding(8, 3)
    x = np.random.default_rng(0).normal(size=(2, 4, 3))
    for offset in (0, 2, 4):
        expected = x + positions.position_embeddings.data[offset : offset + 4]
        np.testing.assert_allclose(positions(Tensor(x), offset).data, expected, atol=1e-6)


def test_positions_get_gradients_where_they_were_used() -> None:
    positions = PositionalEncoding(6, 3)
    check_gradients(lambda x: positions(x, 2), (2, 3, 3), parameters=positions.parameters())
    grad = positions.parameters()[0].grad
    assert grad is not None
    assert not grad[[0, 1, 5]].any()
    assert grad[[2, 3, 4]].all()


@pytest.mark.parametrize(
    ("shape", "offset", "message"),
    [
        ((2, 9, 3), 0, "positions 0 to 8 .* 0 to 7"),
        ((2, 1, 3), 8, "positions 8 to 8"),
        ((2, 1, 3), -1, "positions -1"),
        ((2, 4, 5), 0, r"\(\.\.\., tokens, 3\)"),
        ((3,), 0, r"got \(3,\)"),
    ],
)
def test_positions_that_do_not_exist_are_named(shape: tuple[int, ...], offset: int, message: str) -> None:
    x = Tensor(np.zeros(shape))
    with pytest.raises(ValueError, match=message):
        PositionalEncoding(8, 3)(x, offset)


@pytest.mark.parametrize("pos_encoding", ["learned", "sinusoidal", None])
@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("offset", [0, 3])
def test_the_layer_is_token_plus_position(pos_encoding: str | None, scale: bool, offset: int) -> None:
    layer = EmbeddingLayer(11, 4, max_seq_len=8, pos_encoding=pos_encoding, scale_embeddings=scale)
    ids = np.array([[1, 2, 10], [0, 2, 2]])
    expected = layer.token_embedding.weight.data[ids] * (2 if scale else 1)
    if isinstance(layer.pos_encoding, PositionalEncoding):
        expected = expected + layer.pos_encoding.position_embeddings.data[offset : offset + 3]
    elif layer.pos_encoding is not None:
        expected = expected + create_sinusoidal_embeddings(8, 4).data[offset : offset + 3]
    np.testing.assert_allclose(layer(Tensor(ids), offset).data, expected, rtol=1e-6)
    np.testing.assert_allclose(layer(Tensor(ids[0]), offset).data, expected[0], rtol=1e-6)
    assert len(layer.parameters()) == (2 if pos_encoding == "learned" else 1)
    check_gradients(lambda: layer(Tensor(ids), offset), parameters=layer.parameters())


def test_the_layer_refuses_too_many_tokens_and_unknown_encodings() -> None:
    with pytest.raises(ValueError, match="'rotary'"):
        EmbeddingLayer(5, 4, pos_encoding="rotary")
    with pytest.raises(ValueError, match="0 to 2 asked for"):
        EmbeddingLayer(5, 4, max_seq_len=2, pos_encoding="sinusoidal")(Tensor([[1, 2, 3]]))
    assert EmbeddingLayer(5, 4, max_seq_len=2, pos_encoding=None)(Tensor([[1, 2, 3]])).shape == (1, 3, 4)


def test_the_alias_is_the_same() -> None:
    assert alias.EmbeddingLayer is EmbeddingLayer
