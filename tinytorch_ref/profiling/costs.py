# module: 14_profiling
"""What is given for counting operations: the convention, a table of rules, and the rules of layers that are no product.

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

A rule takes a layer and the shape of its input, the batch included, and gives a `Cost`. Layers are known by the name of
their class or of a base class, so modules 01 to 13 are counted without being imported. The rules of the layers that
multiply and those of windows are in `profiler`, and so is what adds up a model. A later module, or you, can teach a new
layer with `cost_rule`.
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

    >>> rule_of(type("ReLU", (), {})())(None, (2, 5))
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
    >>> rule_of(Negate())(Negate(), (3, 4)).flops
    12
    """

    def register(rule: Rule) -> Rule:
        _RULES.update(dict.fromkeys(class_names, rule))
        return rule

    return register


def rule_of(layer: Any) -> Rule | None:
    """The rule for a layer, found by the name of its class or of a base class; None where nobody taught one.

    >>> rule_of(type("Mystery", (), {})()) is None
    True
    """
    return next((_RULES[cls.__name__] for cls in type(layer).__mro__ if cls.__name__ in _RULES), None)


def parts_of(model: Any) -> list[Any] | None:
    """The layers of a model in the order in which they run; None for what is no model of several.

    They stand in a list `.layers`, or for the models of module 13 in attributes.

    >>> pair = type("Pair", (), {"layers": ["first", "second"]})()
    >>> parts_of(pair), parts_of("a layer")
    (['first', 'second'], None)
    """
    inside = getattr(model, "layers", ())
    if hasattr(model, "layers") and isinstance(inside, list | tuple):
        return list(inside)
    for name in (cls.__name__ for cls in type(model).__mro__):
        if name in _RULES:
            return None
        if name in _PARTS and all(hasattr(model, part) for part in _PARTS[name]):
            return list(_in_order(model, _PARTS[name]))
    return None


def _in_order(model: Any, parts: Iterable[str]) -> Iterable[Any]:
    for part in parts:
        value = getattr(model, part)
        yield from value if isinstance(value, list | tuple) else (value,)


def between(shape: Shape, output_shape: Shape, flops: int) -> Cost:
    """The cost of a layer that reads its input once and writes its output once.

    >>> between((2, 3), (2, 4), flops=48)
    Cost(flops=48, traffic=14, output_shape=(2, 4))
    """
    return Cost(flops, prod(shape) + prod(output_shape), output_shape)


@cost_rule("Sigmoid", "ReLU", "Tanh", "GELU", "Softmax")
def _activation(layer: Any, shape: Shape) -> Cost:
    return between(shape, shape, prod(shape))


@cost_rule("LayerNorm")
def _layer_norm(layer: Any, shape: Shape) -> Cost:
    return between(shape, shape, 5 * prod(shape))


@cost_rule("BatchNorm2d")
def _batch_norm(layer: Any, shape: Shape) -> Cost:
    return between(shape, shape, 2 * prod(shape))


@cost_rule("Dropout")
def _dropout(layer: Any, shape: Shape) -> Cost:
    return Cost(0, 0, shape)  # for inference: hands its input on


@cost_rule("PositionalEncoding")
def _positions(layer: Any, shape: Shape) -> Cost:
    return between(shape, shape, 0)


@cost_rule("Flatten")
def _flatten(layer: Any, shape: Shape) -> Cost:
    return Cost(0, 0, (shape[0], prod(shape[1:])))  # another view of the same memory


@cost_rule("Embedding", "EmbeddingLayer")
def _embedding(layer: Any, shape: Shape) -> Cost:
    table = getattr(layer, "token_embedding", layer)
    return between(shape, (*shape, table.weight.shape[1]), 0)


def pair(value: Any) -> tuple[int, int]:
    """A number for both axes of an image, or one for each.

    >>> pair(2), pair((1, 3))
    ((2, 2), (1, 3))
    """
    return (value, value) if isinstance(value, int) else (value[0], value[1])
