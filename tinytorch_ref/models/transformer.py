# module: 13_transformers
"""The transformer, decoder only: LayerNorm, MLP, TransformerBlock, and GPT, which continues a text.

Dropout is off unless a forward is called with `training=True`, as the Trainer of module 07 does.
"""

from __future__ import annotations

import numpy as np

from ..core.activations import GELU
from ..core.attention import MultiHeadAttention
from ..core.autograd import Function, Gradients, gradient_rule, no_grad
from ..core.layers import Dropout, Layer, Linear
from ..core.tensor import Array, Shape, Tensor
from ..text.embeddings import Embedding


class LayerNorm(Layer):
    """γ (x - mean) / √(variance + eps) + β, with mean and variance of each vector by itself.

    Ba, Kiros and Hinton, "Layer Normalization", arXiv:1607.06450, equation 4. The variance is the mean squared
    distance from the mean, divided by n and not n - 1.

    Args:
        normalized_shape: the last axis, or last axes, over which to normalise: a length or a tuple of them.
        eps: keeps the division finite where all numbers are equal.

    Attributes:
        gamma, beta: of normalized_shape, float32, ones and zeros.

    Raises:
        ValueError: a length is not a positive integer, or eps is negative.

    >>> LayerNorm(4)(Tensor([[1, 2, 3, 4]])).data.round(3)
    array([[-1.342, -0.447,  0.447,  1.342]], dtype=float32)
    """

    def __init__(self, normalized_shape: int | Shape, eps: float = 1e-5):
        lengths = normalized_shape if isinstance(normalized_shape, tuple | list) else (normalized_shape,)
        if not lengths or not all(isinstance(n, int | np.integer) and n > 0 for n in lengths) or not eps >= 0:
            raise ValueError(f"LayerNorm needs positive lengths and eps >= 0, got {normalized_shape!r} and {eps}")
        self.normalized_shape = tuple(int(n) for n in lengths)
        self.eps = eps
        self.gamma = Tensor(np.ones(self.normalized_shape), requires_grad=True)
        self.beta = Tensor(np.zeros(self.normalized_shape), requires_grad=True)

    def forward(self, x: Tensor) -> Tensor:
        """(..., *normalized_shape) → the same shape.

        Raises:
            TypeError: x is not a Tensor.
            ValueError: the last axes of x are not normalized_shape.
        """
        if not isinstance(x, Tensor):
            raise TypeError(f"LayerNorm takes a Tensor, not {type(x).__name__}")
        shape = self.gamma.shape
        if len(x.shape) < len(shape) or x.shape[len(x.shape) - len(shape) :] != shape:
            expected = ", ".join(map(str, shape))
            raise ValueError(f"LayerNorm: expected an input of shape (..., {expected}), got {x.shape}")
        rows = _rows(x.data if x.dtype.kind == "f" else x.data.astype(np.float32), self.gamma.size)
        normal = rows - rows.mean(axis=1, keepdims=True)
        deviation = np.sqrt(_row_products(normal, normal) / self.gamma.size + self.eps)
        normal /= deviation
        output = normal * self.gamma.data.reshape(-1)
        output += self.beta.data.reshape(-1)
        return Tensor._result(
            output.reshape(x.shape), "layer_norm", (x, self.gamma, self.beta), normal=normal, deviation=deviation
        )

    def parameters(self) -> list[Tensor]:
        """[gamma, beta]."""
        return [self.gamma, self.beta]

    def __repr__(self) -> str:
        return f"LayerNorm({self.normalized_shape}, eps={self.eps})"


@gradient_rule("layer_norm")
class LayerNormBackward(Function):
    """Layer normalisation. With z the normalised rows and h = g γ = ∂L/∂z,

    ∂L/∂x = (h - mean h - z mean(h z)) / deviation, ∂L/∂γ = Σ g z, ∂L/∂β = Σ g, the sums over the rows.

    >>> norm, x = LayerNorm(2), Tensor([[1, 3]], requires_grad=True)
    >>> norm(x).sum().backward()
    >>> norm.gamma.grad.round(3), norm.beta.grad, abs(x.grad).max() < 1e-6
    (array([-1.,  1.], dtype=float32), array([1., 1.], dtype=float32), np.True_)
    """

    def apply(self, grad_output: Array) -> Gradients:
        """Gradients with respect to x, gamma and beta."""
        x, gamma, beta = self.inputs
        normal, deviation = self.context["normal"], self.context["deviation"]
        g = _rows(grad_output, gamma.size)
        grad_x = None
        if self.needs_input_grad[0]:
            h = g * gamma.reshape(-1)
            along = _row_products(h, normal) / gamma.size
            h -= np.einsum("ij->i", h)[:, np.newaxis] / gamma.size  # three times as fast as mean(axis=1)
            h -= normal * along
            h /= deviation
            grad_x = h.reshape(x.shape)
        return grad_x, np.einsum("ij,ij->j", g, normal).reshape(gamma.shape), g.sum(axis=0).reshape(beta.shape)


def _rows(array: Array, length: int) -> Array:
    """As a matrix with rows of this length; said with a number, since -1 is ambiguous for empty arrays."""
    return array.reshape(array.size // length, length)


def _row_products(a: Array, b: Array) -> Array:
    """The scalar product of each row of a with that of b, as a column; no temporary of the size of a."""
    return np.asarray(np.einsum("ij,ij->i", a, b)[:, np.newaxis])


class MLP(Layer):
    """What each token does by itself between two attentions: linear2(GELU(linear1(x))), then dropout.

    Vaswani et al., arXiv:1706.03762, section 3.3, with GELU for ReLU as in GPT.

    Args:
        embed_dim: length of a token's vector.
        hidden_dim: length in between; 4 · embed_dim where None.
        dropout_prob: probability to drop a number of the output while training.

    Attributes:
        linear1, gelu, linear2, dropout: the layers.

    >>> MLP(8)(Tensor(np.ones((2, 5, 8)))).shape
    (2, 5, 8)
    """

    has_training_mode = True

    def __init__(self, embed_dim: int, hidden_dim: int | None = None, dropout_prob: float = 0.1):
        hidden = 4 * embed_dim if hidden_dim is None else hidden_dim
        self.linear1 = Linear(embed_dim, hidden)
        self.gelu = GELU()
        self.linear2 = Linear(hidden, embed_dim)
        self.dropout = Dropout(dropout_prob)

    def forward(self, x: Tensor, training: bool = False) -> Tensor:
        """(..., embed_dim) → the same shape."""
        return self.dropout.forward(self.linear2(self.gelu(self.linear1(x))), training=training)

    def parameters(self) -> list[Tensor]:
        """Weight and bias of linear1 and linear2."""
        return self.linear1.parameters() + self.linear2.parameters()


class TransformerBlock(Layer):
    """x + attention(ln1(x)), then x + mlp(ln2(x)): each part adds something to what goes by.

    Normalising before each part rather than after it ("pre-norm", as in GPT-2) lets the gradient pass the sums
    unchanged: Xiong et al., arXiv:2002.04745.

    Args:
        embed_dim: length of a token's vector.
        num_heads: heads of attention; divides embed_dim.
        mlp_ratio: the MLP is mlp_ratio · embed_dim wide.
        dropout_prob: probability to drop a number of what either part adds, while training.

    Attributes:
        ln1, attention, dropout, ln2, mlp: the layers.

    >>> TransformerBlock(8, num_heads=2)(Tensor(np.ones((2, 5, 8))), mask=create_causal_mask(5)).shape
    (2, 5, 8)
    """

    has_training_mode = True

    def __init__(self, embed_dim: int, num_heads: int, mlp_ratio: float = 4, dropout_prob: float = 0.1):
        self.ln1 = LayerNorm(embed_dim)
        self.attention = MultiHeadAttention(embed_dim, num_heads)
        self.dropout = Dropout(dropout_prob)
        self.ln2 = LayerNorm(embed_dim)
        self.mlp = MLP(embed_dim, int(mlp_ratio * embed_dim), dropout_prob)

    def forward(self, x: Tensor, mask: Tensor | None = None, training: bool = False) -> Tensor:
        """(..., tokens, embed_dim) → the same shape; the mask is as for MultiHeadAttention."""
        attended = self.attention.forward(self.ln1(x), mask)
        x = x + self.dropout.forward(attended, training=training)
        return x + self.mlp.forward(self.ln2(x), training=training)

    def parameters(self) -> list[Tensor]:
        """Those of ln1, attention, ln2 and mlp."""
        layers: list[Layer] = [self.ln1, self.attention, self.ln2, self.mlp]
        return [tensor for layer in layers for tensor in layer.parameters()]


class GPT(Layer):
    """A language model: for each token of a text, scores for what comes next (Radford et al., 2018 and 2019).

    token_embedding + position_embedding → blocks → ln_f → lm_head. Every token sees itself and those before it.

    Args:
        vocab_size: number of different tokens.
        embed_dim: length of a token's vector.
        num_layers: number of blocks.
        num_heads: heads of attention in each; divides embed_dim.
        max_seq_len: most tokens it can see at once.
        dropout_prob: probability to drop a number while training: after the embeddings, and in the blocks.

    Attributes:
        token_embedding, position_embedding: Embedding. blocks: list of TransformerBlock. ln_f: LayerNorm.
        lm_head: Linear(embed_dim, vocab_size) without bias. embed_dim, num_layers, num_heads, max_seq_len as given.

    Raises:
        ValueError: a size is not a positive integer, or embed_dim is no multiple of num_heads.

    >>> model = GPT(vocab_size=50, embed_dim=16, num_layers=2, num_heads=2, max_seq_len=8)
    >>> model(Tensor([[1, 2, 3]])).shape
    (1, 3, 50)
    >>> model.generate(Tensor([[1, 2, 3], [4, 5, 6]]), max_new_tokens=10, rng=0).shape
    (2, 13)
    """

    has_training_mode = True

    def __init__(
        self,
        vocab_size: int,
        embed_dim: int,
        num_layers: int,
        num_heads: int,
        max_seq_len: int = 1024,
        dropout_prob: float = 0.1,
    ):
        if not isinstance(num_layers, int | np.integer) or num_layers < 1:
            raise ValueError(f"GPT: num_layers must be a positive integer, got {num_layers!r}")
        self.vocab_size = vocab_size
        self.embed_dim = embed_dim
        self.num_layers = num_layers
        self.num_heads = num_heads
        self.max_seq_len = max_seq_len
        self.token_embedding = Embedding(vocab_size, embed_dim)
        self.position_embedding = Embedding(max_seq_len, embed_dim)
        self.dropout = Dropout(dropout_prob)
        self.blocks = [TransformerBlock(embed_dim, num_heads, dropout_prob=dropout_prob) for _ in range(num_layers)]
        self.ln_f = LayerNorm(embed_dim)
        self.lm_head = Linear(embed_dim, vocab_size, bias=False)

    def forward(self, tokens: Tensor, position_offset: int = 0, training: bool = False) -> Tensor:
        """(batch, tokens) ids → (batch, tokens, vocab_size) logits, those at t for the token at t + 1.

        Args:
            tokens: ids, as integers or whole floats; (tokens,) without a batch will do.
            position_offset: the position of the first token. Not 0 where the tokens before it are known from a
                cache (`MultiHeadAttention.key_value_hook`), so that only the new ones need to be given.
            training: whether to drop out.

        Raises:
            ValueError: a position is not below max_seq_len, or an id not below vocab_size.
        """
        vectors = self.token_embedding(tokens)
        count = _checked_length(tokens)
        if position_offset < 0 or position_offset + count > self.max_seq_len:
            raise ValueError(
                f"GPT: {count} tokens from position {position_offset} on do not fit; "
                f"this model has positions 0 to {self.max_seq_len - 1} (max_seq_len)"
            )
        positions = self.position_embedding(Tensor(np.arange(position_offset, position_offset + count)))
        x = self.dropout.forward(vectors + positions, training=training)
        mask = create_causal_mask(count)
        for block in self.blocks:
            x = block.forward(x, mask, training=training)
        logits: Tensor = self.lm_head(self.ln_f(x))
        return logits

    def next_logits(self, tokens: Tensor) -> Tensor:
        """Logits for the token that follows: (batch, tokens) → (batch, vocab_size).

        Of more than max_seq_len tokens only the last so many are seen. `generate` calls it with all tokens so far,
        one more each time. A cache replaces it by one that feeds `forward` only the tokens it has not seen yet.
        """
        return self.forward(tokens[..., -self.max_seq_len :])[..., -1, :]

    def generate(
        self,
        prompt_tokens: Tensor,
        max_new_tokens: int = 50,
        temperature: float = 1.0,
        rng: np.random.Generator | int | None = None,
    ) -> Tensor:
        """Continue each text of a batch, one token at a time, by drawing from softmax(logits / temperature).

        Args:
            prompt_tokens: (batch, tokens) or (tokens,) ids, at least one token.
            max_new_tokens: how many to add.
            temperature: below 1 sharpens the distribution, above 1 flattens it; 0 always takes the most probable
                token (of equally probable ones the lowest id).
            rng: where the draws come from: a generator, a seed for one, or None for numpy's global generator.

        Returns:
            the prompt and what was added, (batch, tokens + max_new_tokens) or (tokens + max_new_tokens,), int64.

        Raises:
            ValueError: the prompt is empty or an id is unknown, max_new_tokens or temperature is negative.
        """
        if max_new_tokens < 0 or not temperature >= 0:
            raise ValueError(
                f"generate: max_new_tokens and temperature are at least 0, got {max_new_tokens} and {temperature}"
            )
        if not _checked_length(prompt_tokens):
            raise ValueError("generate: the prompt is empty; give at least one token to continue")
        gumbel = np.random.gumbel if rng is None else np.random.default_rng(rng).gumbel
        tokens = prompt_tokens.data.astype(np.int64)
        with no_grad():
            for _ in range(max_new_tokens):
                scores = _relative(self.next_logits(Tensor(tokens)).data, temperature)
                if temperature > 0:
                    # The largest of scores + Gumbel noise is a draw from softmax(scores): Maddison, Tarlow and
                    # Minka, "A* Sampling", arXiv:1411.0030, section 2.
                    scores += gumbel(size=scores.shape)
                tokens = np.concatenate([tokens, scores.argmax(axis=-1)[..., np.newaxis]], axis=-1)
        return Tensor(tokens)

    def parameters(self) -> list[Tensor]:
        """Those of token_embedding, position_embedding, the blocks, ln_f and lm_head."""
        layers: list[Layer] = [self.token_embedding, self.position_embedding, *self.blocks, self.ln_f, self.lm_head]
        return [tensor for layer in layers for tensor in layer.parameters()]

    def __repr__(self) -> str:
        return (
            f"GPT(vocab_size={self.vocab_size}, embed_dim={self.embed_dim}, num_layers={self.num_layers}, "
            f"num_heads={self.num_heads}, max_seq_len={self.max_seq_len})"
        )


def create_causal_mask(seq_len: int) -> Tensor:
    """(1, seq_len, seq_len), float32: 1 where the column is not after the row, so that no token sees its future.

    >>> create_causal_mask(2)
    Tensor([[[1, 0], [1, 1]]], dtype=float32)
    """
    return Tensor(np.tril(np.ones((1, seq_len, seq_len), dtype=np.float32)))


def _relative(logits: Array, temperature: float) -> Array:
    """How far each logit is below the largest, over the temperature if that is not 0; float64."""
    below: Array = logits.astype(np.float64)
    below -= below.max(axis=-1, keepdims=True)
    with np.errstate(over="ignore"):  # a tiny temperature makes -inf of all but the largest: that is greedy
        return below / temperature if temperature > 0 else below


def _checked_length(tokens: Tensor) -> int:
    """How many tokens each text has."""
    if not isinstance(tokens, Tensor):
        raise TypeError(f"GPT takes a Tensor of ids, not {type(tokens).__name__}")
    if len(tokens.shape) not in (1, 2):
        raise ValueError(f"GPT: expected ids of shape (batch, tokens) or (tokens,), got {tokens.shape}")
    return tokens.shape[-1]
