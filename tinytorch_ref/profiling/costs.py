# module: 14_profiling
"""How many operations a layer takes, worked out from its attributes and the shape of its input.

The convention, which is that of DeepSpeed's flops profiler but for pooling:

- matrix products and convolutions: 2 per multiply-add. The bias is not counted: it rides along;
- Sigmoid, ReLU, Tanh, GELU, Softmax: 1 per element, however dear the function;
- BatchNorm2d: 2 per element (scale and shift, once trained);
- LayerNorm: 5 per element (mean, variance, centre, divide, scale and shift);
- MaxPool2d and AvgPool2d: 1 per element of each window, k_h · k_w per output;
- look-ups, Flatten, Dropout (a forward pass for inference), and what only adds, scales or masks on the way
  (residuals, positions, 1/√d in attention): 0.

A backward pass takes 2 operations for each of the forward pass: every matrix product has two of its size to go back
through, one by either factor, and what is not a product is small (Kaplan et al., arXiv:2001.08361, section 2.1).

Layers are known by the name of their class or of a base class, so modules 01 to 13 are counted without being
imported. A later module, or you, can teach a new one with `cost_rule`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias

from ..core.tensor import Shape


@dataclass(frozen=True)
class Cost:
    """What one forward pass takes.

    Attributes:
        flops: floating-point operations, by the convention above.
        traffic: activation elements read plus written when each layer reads its input and writes its output
            once. Parameters are not in it.
        output_shape: the shape that the next layer gets.

    >>> layer_cost(type("ReLU", (), {})(), (2, 5))
    Cost(flops=10, traffic=20, output_shape=(2, 5))
    """

    flops: int
    traffic: int
    output_shape: Shape


BACKWARD_FLOPS_PER_FORWARD = 2

Rule: TypeAlias = Callable[[Any, Shape], Cost]

_RULES: dict[str, Rule] = {}

# Models that keep their layers in attributes; blocks may be lists of layers.
_PARTS = {
    "MLP": ("linear1", "gelu", "linear2"),
    "TransformerBlock": ("ln1", "attention", "ln2", "mlp"),
    "GPT": ("token_embedding", "blocks", "ln_f", "lm_head"),
}


def cost_rule(*class_names: str) -> Callable[[Rule], Rule]:
    """Decorate a function `(layer, input_shape) -> Cost` to make layers of these class names known.

    >>> @cost_rule("Negate")
    ... def negate_cost(layer, shape):
    ...     return Cost(flops=prod(shape), traffic=2 * prod(shape), output_shape=shape)
    >>> Negate = type("Negate", (), {})
    >>> layer_cost(Negate(), (3, 4)).flops
    12
    """

    def register(rule: Rule) -> Rule:
        _RULES.update(dict.fromkeys(class_names, rule))
        return rule

    return register


def layer_cost(layer: Any, input_shape: Shape) -> Cost:
    """The cost of a layer or model for one input of `input_shape`, the batch included.

    A model is a layer in the table, or has its layers in a list `.layers` in the order in which they run.

    Raises:
        TypeError: no rule knows the layer.
        ValueError: the shape does not suit the layer.

    >>> from ..core.layers import Linear
    >>> layer_cost(Linear(128, 64), (32, 128))
    Cost(flops=524288, traffic=6144, output_shape=(32, 64))
    """
    layers = getattr(layer, "layers", None)
    if isinstance(layers, list | tuple):
        return _chain(layers, input_shape)
    for name in (cls.__name__ for cls in type(layer).__mro__):
        if name in _RULES:
            return _RULES[name](layer, input_shape)
        if name in _PARTS and all(hasattr(layer, part) for part in _PARTS[name]):
            return _chain(_in_order(layer, _PARTS[name]), input_shape)
    raise TypeError(
        f"no rule to count the operations of {type(layer).__name__}: keep its layers in a list .layers, "
        f'or teach one with @cost_rule("{type(layer).__name__}")'
    )


def _chain(layers: Iterable[Any], shape: Shape) -> Cost:
    flops = traffic = 0
    for layer in layers:
        cost = layer_cost(layer, shape)
        flops, traffic, shape = flops + cost.flops, traffic + cost.traffic, cost.output_shape
    return Cost(flops, traffic, shape)


def _in_order(model: Any, parts: Iterable[str]) -> Iterable[Any]:
    for part in parts:
        value = getattr(model, part)
        yield from value if isinstance(value, list | tuple) else (value,)


def _between(shape: Shape, output_shape: Shape, flops: int) -> Cost:
    """The cost of a layer that reads its input once and writes its output once."""
    return Cost(flops, prod(shape) + prod(output_shape), output_shape)


@cost_rule("Linear")
def _linear(layer: Any, shape: Shape) -> Cost:
    rows, columns = layer.weight.shape
    if shape[-1:] != (rows,):
        raise ValueError(f"Linear({rows}, {columns}): expected an input of shape (..., {rows}), got {shape}")
    return _between(shape, (*shape[:-1], columns), 2 * prod(shape) * columns)


@cost_rule("Sigmoid", "ReLU", "Tanh", "GELU", "Softmax")
def _activation(layer: Any, shape: Shape) -> Cost:
    return _between(shape, shape, prod(shape))


@cost_rule("LayerNorm")
def _layer_norm(layer: Any, shape: Shape) -> Cost:
    return _between(shape, shape, 5 * prod(shape))


@cost_rule("BatchNorm2d")
def _batch_norm(layer: Any, shape: Shape) -> Cost:
    return _between(shape, shape, 2 * prod(shape))


@cost_rule("Dropout")
def _dropout(layer: Any, shape: Shape) -> Cost:
    return Cost(0, 0, shape)  # for inference: hands its input on


@cost_rule("PositionalEncoding")
def _positions(layer: Any, shape: Shape) -> Cost:
    return _between(shape, shape, 0)


@cost_rule("Flatten")
def _flatten(layer: Any, shape: Shape) -> Cost:
    return Cost(0, 0, (shape[0], prod(shape[1:])))  # another view of the same memory


@cost_rule("Embedding", "EmbeddingLayer")
def _embedding(layer: Any, shape: Shape) -> Cost:
    table = getattr(layer, "token_embedding", layer)
    return _between(shape, (*shape, table.weight.shape[1]), 0)


@cost_rule("Conv2d")
def _conv2d(layer: Any, shape: Shape) -> Cost:
    out_channels, in_channels, k_h, k_w = layer.weight.shape
    output = _sliding(layer, shape, (k_h, k_w), out_channels)
    if shape[1] != in_channels:
        raise ValueError(f"Conv2d: expected {in_channels} channels, got an input of shape {shape}")
    return _between(shape, output, 2 * prod(output) * in_channels * k_h * k_w)


@cost_rule("MaxPool2d", "AvgPool2d")
def _pool2d(layer: Any, shape: Shape) -> Cost:
    window = _pair(layer.kernel_size)
    output = _sliding(layer, shape, window, None)
    return _between(shape, output, prod(output) * prod(window))


@cost_rule("MultiHeadAttention")
def _attention(layer: Any, shape: Shape) -> Cost:
    """Four projections, Q Kᵀ, softmax over the scores, scores times V; x is (..., tokens, embed_dim)."""
    if len(shape) < 2:
        raise ValueError(f"MultiHeadAttention: expected (..., tokens, embed_dim), got an input of shape {shape}")
    projections = [layer_cost(p, shape) for p in (layer.q_proj, layer.k_proj, layer.v_proj)]
    inner = projections[0].output_shape
    projections.append(layer_cost(layer.out_proj, inner))
    tokens = shape[-2]
    scores = prod(shape[:-2]) * layer.num_heads * tokens * tokens
    products = 2 * (2 * prod(inner) * tokens)
    # Q and K in, scores out; scores in and out; scores and V in, the heads' output out
    between = 4 * prod(inner) + 4 * scores
    return Cost(
        sum(p.flops for p in projections) + products + scores,
        sum(p.traffic for p in projections) + between,
        projections[-1].output_shape,
    )


def _sliding(layer: Any, shape: Shape, kernel: tuple[int, int], channels: int | None) -> Shape:
    """Output shape of a window that slides over (N, C, H, W): ⌊(H + 2 padding - k_h) / stride⌋ + 1 high."""
    name = type(layer).__name__
    if len(shape) != 4:
        raise ValueError(f"{name}: expected an input of shape (N, C, H, W), got {shape}")
    stride = _pair(layer.stride if getattr(layer, "stride", None) is not None else kernel)
    padding = _pair(getattr(layer, "padding", 0))
    height, width = ((shape[2 + i] + 2 * padding[i] - kernel[i]) // stride[i] + 1 for i in range(2))
    if height < 1 or width < 1:
        raise ValueError(f"{name}: a window of {kernel} with padding {padding} does not fit into {shape}")
    return (shape[0], shape[1] if channels is None else channels, height, width)


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])
