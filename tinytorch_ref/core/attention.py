# module: 12_attention
"""Attention: every token takes from the others as much as they have to offer it.

Masks say which key each query may see, and are constants: no gradient flows into them. Two kinds are understood:

- keep masks, of 1 (may see) and 0 (may not) in any dtype, booleans too;
- additive masks, floating-point, added to the scores: 0 to see, -inf not to, anything else a bias. They are known
  by having a negative number in them. (Of zeros only, a mask is a keep mask and hides everything; for an additive
  mask that hides nothing give None.)

A query that may see nothing takes nothing: its weights and its output are 0, not NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from .autograd import enable_autograd
from .layers import Layer, Linear
from .tensor import Array, Shape, Tensor

enable_autograd()

KeyValueHook: TypeAlias = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def scaled_dot_product_attention(
    Q: Tensor,  # noqa: N803 (the names of the paper)
    K: Tensor,  # noqa: N803
    V: Tensor,  # noqa: N803
    mask: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """softmax(Q Kᵀ / √d) V, from Vaswani et al., "Attention Is All You Need", arXiv:1706.03762, equation 1.

    Args:
        Q: (..., queries, d), what each query looks for.
        K: (..., keys, d), what each key has to offer.
        V: (..., keys, d_v), what is taken from it.
        mask: a keep or additive mask that broadcasts to (..., queries, keys), or None to see everything.

    The leading axes broadcast.

    Returns:
        the output, (..., queries, d_v), and the weights, (..., queries, keys), whose rows add up to 1.

    Raises:
        TypeError: Q, K or V is not a Tensor.
        ValueError: the shapes do not go together, or the mask is neither kind.

    >>> Q, K = Tensor([[1, 0]]), Tensor([[1, 0], [0, 1], [5, 5]])
    >>> output, weights = scaled_dot_product_attention(Q, K, Tensor([[10], [20], [30]]), mask=Tensor([[1, 1, 0]]))
    >>> output, weights
    (Tensor([[13.3]], dtype=float32), Tensor([[0.6698, 0.3302, 0]], dtype=float32))
    """
    _check_shapes(Q, K, V)
    # Scaling the queries gives the same as scaling the scores, of which there are more.
    scores = (Q * float(Q.shape[-1] ** -0.5)).matmul(K.transpose())
    weights = _masked_softmax(scores, _additive(mask, scores.shape))
    return weights.matmul(V), weights


def _masked_softmax(scores: Tensor, additive: Array | None) -> Tensor:
    """Softmax along the last axis of scores plus mask; 0 throughout where everything is hidden.

    Its derivative is that of softmax: a hidden score has the weight 0, and so gets no gradient.
    """
    powers = scores.data.copy() if additive is None else scores.data + additive.astype(scores.dtype, copy=False)
    largest = powers.max(axis=-1, keepdims=True, initial=-np.inf)
    powers -= np.where(np.isneginf(largest), 0, largest)
    np.exp(powers, out=powers)
    # The largest power of a row is e^0, so the sum is at least 1, or 0 where everything is hidden.
    powers /= np.maximum(powers.sum(axis=-1, keepdims=True), 1)
    return Tensor._result(powers, "softmax", (scores,), dim=-1)


class MultiHeadAttention(Layer):
    """Attention of a sequence to itself, in several heads that each see a part of the vector.

    MultiHead(x) = [head_1 ... head_h] W_O with head_i = attention(x W_Q, x W_K, x W_V) in the i-th stretch of
    head_dim columns; Vaswani et al., section 3.2.2.

    Args:
        embed_dim: length of a token's vector.
        num_heads: number of heads, which divides embed_dim.

    Attributes:
        head_dim: embed_dim / num_heads.
        q_proj, k_proj, v_proj, out_proj: Linear(embed_dim, embed_dim), with bias.
        key_value_hook: None, or a function that is given the keys and values of the tokens of each `forward`,
            (..., heads, tokens, head_dim), and returns those to attend to. The place for a cache: one that stores
            what it is given, and returns everything stored, with what was given last at the end.

    To work otherwise in between, call `project` and `attend`, of which `forward` is made.

    Raises:
        ValueError: a size is not a positive integer, or embed_dim is no multiple of num_heads.

    >>> attention = MultiHeadAttention(embed_dim=8, num_heads=2)
    >>> attention(Tensor(np.ones((3, 5, 8)))).shape
    (3, 5, 8)
    """

    def __init__(self, embed_dim: int, num_heads: int):
        for name, value in (("embed_dim", embed_dim), ("num_heads", num_heads)):
            if not isinstance(value, int | np.integer) or value < 1:
                raise ValueError(f"MultiHeadAttention: {name} must be a positive integer, got {value!r}")
        if embed_dim % num_heads:
            raise ValueError(f"MultiHeadAttention: embed_dim {embed_dim} is no multiple of num_heads {num_heads}")
        self.embed_dim = int(embed_dim)
        self.num_heads = int(num_heads)
        self.head_dim = self.embed_dim // self.num_heads
        self.q_proj = Linear(embed_dim, embed_dim)
        self.k_proj = Linear(embed_dim, embed_dim)
        self.v_proj = Linear(embed_dim, embed_dim)
        self.out_proj = Linear(embed_dim, embed_dim)
        self.key_value_hook: KeyValueHook | None = None

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(..., tokens, embed_dim) → the same shape.

        Args:
            x: one vector per token.
            mask: a keep or additive mask, (tokens, tokens) for all, (..., tokens, tokens) with the leading axes of
                x, or (..., heads, tokens, tokens); where an axis has length 1 it is the same for all. It speaks
                of the tokens of x: older ones, which a key_value_hook put before them, everybody may see.

        Raises:
            TypeError: x or the mask is not a Tensor.
            ValueError: the shape of x or of the mask does not suit, or the mask is neither kind.
        """
        queries, keys, values = self.project(x)
        if self.key_value_hook is not None:
            keys, values = self.key_value_hook(keys, values)
            mask = _seeing_older(mask, x.shape[-2], keys.shape[-2])
        return self.attend(queries, keys, values, mask)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values of the tokens of x, each (..., heads, tokens, head_dim).

        Raises:
            TypeError: x is not a Tensor.
            ValueError: x is not (..., tokens, embed_dim).
        """
        if not isinstance(x, Tensor):
            raise TypeError(f"MultiHeadAttention takes a Tensor, not {type(x).__name__}")
        if len(x.shape) < 2 or x.shape[-1] != self.embed_dim:
            raise ValueError(
                f"MultiHeadAttention: expected an input of shape (..., tokens, {self.embed_dim}), got {x.shape}"
            )
        by_head = (*x.shape[:-1], self.num_heads, self.head_dim)
        queries, keys, values = (
            projection(x).reshape(by_head).transpose(-3, -2) for projection in (self.q_proj, self.k_proj, self.v_proj)
        )
        return queries, keys, values

    def attend(self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None) -> Tensor:
        """Attention of each head, the heads side by side again, and `out_proj`.

        Args:
            queries: (..., heads, tokens, head_dim).
            keys, values: (..., heads, keys, head_dim); there may be more keys than queries.
            mask: as for `forward`, but with a column for each key.

        Returns:
            (..., tokens, embed_dim).
        """
        if mask is not None and 3 <= len(mask.shape) < len(queries.shape):
            mask = mask[..., None, :, :]  # the same for each head
        output, _ = scaled_dot_product_attention(queries, keys, values, mask)
        side_by_side = output.transpose(-3, -2)
        projected: Tensor = self.out_proj(side_by_side.reshape((*side_by_side.shape[:-2], self.embed_dim)))
        return projected

    def parameters(self) -> list[Tensor]:
        """Weight and bias of q_proj, k_proj, v_proj and out_proj."""
        projections = (self.q_proj, self.k_proj, self.v_proj, self.out_proj)
        return [tensor for projection in projections for tensor in projection.parameters()]

    def __repr__(self) -> str:
        return f"MultiHeadAttention({self.embed_dim}, num_heads={self.num_heads})"


def _is_additive(mask: Tensor) -> bool:
    return mask.dtype.kind == "f" and bool((mask.data < 0).any())


def _additive(mask: Tensor | None, scores: Shape) -> Array | None:
    """The mask as what to add to the scores."""
    if mask is None:
        return None
    if not isinstance(mask, Tensor):
        raise TypeError(f"attention: a mask is a Tensor, not {type(mask).__name__}")
    if not _broadcasts(mask.shape, scores):
        raise ValueError(f"attention: a mask of shape {mask.shape} does not broadcast to (..., queries, keys) {scores}")
    values = mask.data
    if _is_additive(mask):
        if np.isnan(values).any() or np.isposinf(values).any():
            raise ValueError("attention: an additive mask holds numbers and -inf, this one has NaN or +inf")
        return values
    hidden = values == 0
    if not (hidden | (values == 1)).all():
        raise ValueError(
            "attention: a mask holds 1 to keep and 0 to hide, or has negative numbers and is added to the scores; "
            f"this one goes from {values.min()} to {values.max()}"
        )
    return np.where(hidden, np.float32(-np.inf), np.float32(0))


def _seeing_older(mask: Tensor | None, tokens: int, keys: int) -> Tensor | None:
    """The mask with columns on its left for the keys that are older than the tokens that it speaks of."""
    if mask is None or mask.shape[-1] != tokens or keys == tokens:
        return mask
    see = 0 if _is_additive(mask) else 1
    older = np.full((*mask.shape[:-1], keys - tokens), see, dtype=mask.dtype)
    return Tensor(np.concatenate([older, mask.data], axis=-1), dtype=mask.dtype)


def _broadcasts(shape: Shape, target: Shape) -> bool:
    """Whether `shape` can be stretched to `target`."""
    return len(shape) <= len(target) and all(
        length in (1, wanted) for length, wanted in zip(shape[::-1], target[::-1], strict=False)
    )


def _check_shapes(queries: Tensor, keys: Tensor, values: Tensor) -> None:
    for name, tensor in (("Q", queries), ("K", keys), ("V", values)):
        if not isinstance(tensor, Tensor):
            raise TypeError(f"attention: {name} must be a Tensor, not {type(tensor).__name__}")
    q, k, v = queries.shape, keys.shape, values.shape
    fits = min(len(q), len(k), len(v)) >= 2 and q[-1] == k[-1] > 0 and k[-2] == v[-2]
    if not fits:
        raise ValueError(
            f"attention: expected Q (..., queries, d), K (..., keys, d) and V (..., keys, d_v), got {q}, {k} and {v}"
        )
    try:
        np.broadcast_shapes(q[:-2], k[:-2], v[:-2])
    except ValueError as error:
        raise ValueError(f"attention: the leading axes of Q {q}, K {k} and V {v} do not broadcast") from error
