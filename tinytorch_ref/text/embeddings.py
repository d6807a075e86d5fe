# module: 11_embeddings
"""Token ids to vectors, and where in the sequence they stand: Embedding, PositionalEncoding, EmbeddingLayer.

Sequences are (..., tokens), usually (batch, tokens), and become (..., tokens, embed_dim). The derivative of the
look-up is with the others, in module 05.
"""

from __future__ import annotations

import numpy as np

from ..core.autograd import enable_autograd
from ..core.layers import Layer
from ..core.tensor import Array, Tensor

enable_autograd()


class Embedding(Layer):
    """A table with a row of learned numbers for every id.

    Args:
        vocab_size: number of rows.
        embed_dim: length of a row.

    Attributes:
        weight: (vocab_size, embed_dim), float32, uniform within ±√(6 / (vocab_size + embed_dim)) (Glorot and
            Bengio, AISTATS 2010, equation 16). Drawn from numpy's global generator: `np.random.seed` repeats it.

    Raises:
        ValueError: a size is not a positive integer.

    >>> Embedding(100, 8)(Tensor([[5, 7, 5]])).shape
    (1, 3, 8)
    """

    def __init__(self, vocab_size: int, embed_dim: int):
        self.vocab_size = _checked_size("Embedding", "vocab_size", vocab_size)
        self.embed_dim = _checked_size("Embedding", "embed_dim", embed_dim)
        limit = np.sqrt(6 / (vocab_size + embed_dim))
        self.weight = Tensor(np.random.uniform(-limit, limit, (vocab_size, embed_dim)), requires_grad=True)

    def forward(self, indices: Tensor) -> Tensor:
        """(...) → (..., embed_dim), row `weight[id]` for each id.

        Args:
            indices: ids of any shape: integers, or whole numbers in floating point.

        Raises:
            TypeError: `indices` is not a Tensor.
            ValueError: an id has no row (the first is named), or is not a whole number.
        """
        ids = _checked_ids(indices, self.weight.shape[0])
        return Tensor._result(self.weight.data[ids], "embedding", (self.weight,), indices=ids)

    def parameters(self) -> list[Tensor]:
        """[weight]."""
        return [self.weight]

    def __repr__(self) -> str:
        return f"Embedding({self.vocab_size}, {self.embed_dim})"


class PositionalEncoding(Layer):
    """Adds to each token's vector a learned one for its position, as GPT does (Radford et al., 2018).

    Args:
        max_seq_len: number of positions.
        embed_dim: length of a vector.

    Attributes:
        position_embeddings: (max_seq_len, embed_dim), float32, uniform within ±√(6 / (max_seq_len + embed_dim)).

    Raises:
        ValueError: a size is not a positive integer.

    >>> positions = PositionalEncoding(16, 8)
    >>> vectors = Tensor(np.zeros((2, 5, 8)))
    >>> np.array_equal(positions(vectors, offset=3).data[0], positions.position_embeddings.data[3:8])
    True
    """

    def __init__(self, max_seq_len: int, embed_dim: int):
        self.max_seq_len = _checked_size("PositionalEncoding", "max_seq_len", max_seq_len)
        self.embed_dim = _checked_size("PositionalEncoding", "embed_dim", embed_dim)
        limit = np.sqrt(6 / (max_seq_len + embed_dim))
        values = np.random.uniform(-limit, limit, (max_seq_len, embed_dim))
        self.position_embeddings = Tensor(values, requires_grad=True)

    def forward(self, x: Tensor, offset: int = 0) -> Tensor:
        """x + position_embeddings[offset : offset + tokens].

        Args:
            x: (..., tokens, embed_dim).
            offset: the position of the first token; not 0 where the tokens before it are kept in a cache.

        Raises:
            TypeError: x is not a Tensor.
            ValueError: the shape does not suit, or a position has no row.
        """
        return x + _positions(self.position_embeddings, x, offset)

    def parameters(self) -> list[Tensor]:
        """[position_embeddings]."""
        return [self.position_embeddings]

    def __repr__(self) -> str:
        return f"PositionalEncoding({self.max_seq_len}, {self.embed_dim})"


def create_sinusoidal_embeddings(max_seq_len: int, embed_dim: int) -> Tensor:
    """Positions as waves of growing length; nothing is learned.

    PE[p, 2i] = sin(p / 10000^(2i / embed_dim)) and PE[p, 2i + 1] = cos of the same, from Vaswani et al.,
    "Attention Is All You Need", arXiv:1706.03762, section 3.5. An odd embed_dim ends with a sine.

    Returns:
        (max_seq_len, embed_dim), float32, without gradient. Calculated in float64.

    Raises:
        ValueError: a size is not a positive integer.

    >>> create_sinusoidal_embeddings(2, 4)
    Tensor([[0, 1, 0, 1], [0.8415, 0.5403, 0.01, 0.9999]], dtype=float32)
    """
    _checked_size("create_sinusoidal_embeddings", "max_seq_len", max_seq_len)
    _checked_size("create_sinusoidal_embeddings", "embed_dim", embed_dim)
    even = np.arange(0, embed_dim, 2)
    angles = np.arange(max_seq_len)[:, np.newaxis] / 10000 ** (even / embed_dim)
    table = np.empty((max_seq_len, embed_dim))
    table[:, 0::2] = np.sin(angles)
    table[:, 1::2] = np.cos(angles)[:, : embed_dim // 2]
    return Tensor(table)


class EmbeddingLayer(Layer):
    """Token embedding plus position: what goes into a transformer.

    Args:
        vocab_size: number of tokens.
        embed_dim: length of a vector.
        max_seq_len: number of positions.
        pos_encoding: "learned" (PositionalEncoding), "sinusoidal" (create_sinusoidal_embeddings), or None.
        scale_embeddings: multiply the token's vector by √embed_dim before its position is added (Vaswani et
            al., section 3.4), so that sines and cosines of size 1 do not drown it.

    Attributes:
        token_embedding: the Embedding.
        pos_encoding: a PositionalEncoding, a (max_seq_len, embed_dim) Tensor that is not learned, or None.

    Raises:
        ValueError: a size is not a positive integer, or there is no such `pos_encoding`.

    >>> layer = EmbeddingLayer(100, 8, max_seq_len=16, pos_encoding="sinusoidal")
    >>> layer(Tensor([[1, 2, 3]])).shape, len(layer.parameters())
    ((1, 3, 8), 1)
    """

    pos_encoding: PositionalEncoding | Tensor | None

    def __init__(
        self,
        vocab_size: int,
        embed_dim: int,
        max_seq_len: int = 512,
        pos_encoding: str | None = "learned",
        scale_embeddings: bool = False,
    ):
        self.vocab_size, self.embed_dim, self.max_seq_len = vocab_size, embed_dim, max_seq_len
        self.pos_encoding_type = pos_encoding
        self.scale_embeddings = scale_embeddings
        self.token_embedding = Embedding(vocab_size, embed_dim)
        if pos_encoding == "learned":
            self.pos_encoding = PositionalEncoding(max_seq_len, embed_dim)
        elif pos_encoding == "sinusoidal":
            self.pos_encoding = create_sinusoidal_embeddings(max_seq_len, embed_dim)
        elif pos_encoding is None:
            self.pos_encoding = None
        else:
            raise ValueError(f"EmbeddingLayer: pos_encoding is 'learned', 'sinusoidal' or None, not {pos_encoding!r}")

    def forward(self, tokens: Tensor, offset: int = 0) -> Tensor:
        """(..., tokens) → (..., tokens, embed_dim).

        Args:
            tokens: ids, as for `Embedding`.
            offset: the position of the first token.

        Raises:
            ValueError: an id or a position has no row.
        """
        x = self.token_embedding.forward(tokens)
        if self.scale_embeddings:
            x = x * float(np.sqrt(self.embed_dim))
        if isinstance(self.pos_encoding, PositionalEncoding):
            return self.pos_encoding.forward(x, offset)
        return x if self.pos_encoding is None else x + _positions(self.pos_encoding, x, offset)

    def parameters(self) -> list[Tensor]:
        """[token table], or [token table, learned positions]."""
        learned = self.pos_encoding.parameters() if isinstance(self.pos_encoding, PositionalEncoding) else []
        return self.token_embedding.parameters() + learned

    def __repr__(self) -> str:
        return (
            f"EmbeddingLayer({self.vocab_size}, {self.embed_dim}, max_seq_len={self.max_seq_len}, "
            f"pos_encoding={self.pos_encoding_type!r}, scale_embeddings={self.scale_embeddings})"
        )


def _positions(table: Tensor, x: Tensor, offset: int) -> Tensor:
    """The rows of the table for the tokens of `x`, the first of which stands at `offset`."""
    rows, width = table.shape
    if not isinstance(x, Tensor):
        raise TypeError(f"positions are added to a Tensor, not {type(x).__name__}")
    if len(x.shape) < 2 or x.shape[-1] != width:
        raise ValueError(f"positions: expected vectors of shape (..., tokens, {width}), got {x.shape}")
    end = offset + x.shape[-2]
    if offset < 0 or end > rows:
        raise ValueError(f"positions {offset} to {end - 1} asked for, but there are only 0 to {rows - 1}")
    return table[offset:end]


def _checked_ids(indices: Tensor, rows: int) -> Array:
    """The ids as an integer array, every one of which has a row."""
    if not isinstance(indices, Tensor):
        raise TypeError(f"Embedding takes a Tensor of ids, not {type(indices).__name__}")
    ids = indices.data
    if (broken := ids != np.rint(ids)).any():
        raise ValueError(f"Embedding: ids are whole numbers, got {ids[broken][0]}")
    if ids.size and (ids.min() < 0 or ids.max() >= rows):
        missing = ids[(ids < 0) | (ids >= rows)][0]
        raise ValueError(f"Embedding: no row for id {missing:.0f}; the table has ids 0 to {rows - 1}")
    return ids.astype(np.int64, copy=False)


def _checked_size(where: str, name: str, size: int) -> int:
    if not isinstance(size, int | np.integer) or size < 1:
        raise ValueError(f"{where}: {name} must be a positive integer, got {size!r}")
    return int(size)
