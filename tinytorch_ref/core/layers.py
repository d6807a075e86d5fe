# module: 03_layers
"""Building blocks with a state: Layer, Linear, Dropout, and Sequential to chain them."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from .tensor import Tensor


class Layer:
    """A step of a model: `forward` calculates, `parameters` lists what is learned.

    >>> class Double(Layer):
    ...     def forward(self, x):
    ...         return x * 2
    >>> Double()(Tensor([1, 2]))
    Tensor([2, 4], dtype=float32)

    Attributes:
        has_training_mode: whether `forward` takes `training=True` or `False`, as Dropout's does. Models hand it
            on to the layers inside for which this is true.
    """

    has_training_mode: ClassVar[bool] = False

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Calculate the output; every layer defines its own."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Same as `forward`."""
        return self.forward(*args, **kwargs)

    def parameters(self) -> list[Tensor]:
        """The tensors that training changes; none unless a layer says so."""
        return []

    def buffers(self) -> list[Tensor]:
        """The tensors that are kept but not learned, such as running averages; none unless a layer says so."""
        return []


def run_layer(layer: Any, x: Any, training: bool) -> Any:
    """`layer(x)`, told whether it trains if it behaves differently then.

    >>> run_layer(Dropout(1), Tensor([1, 2]), training=False)
    Tensor([1, 2], dtype=float32)
    """
    return layer(x, training=training) if getattr(layer, "has_training_mode", False) else layer(x)


class Linear(Layer):
    """y = x W + b.

    Args:
        in_features: length of the input's last axis.
        out_features: length of the output's last axis.
        bias: whether to add b.

    Attributes:
        weight: (in_features, out_features), float32, drawn from N(0, 1/in_features), that is with standard
            deviation 1/√in_features, so that the output varies about as much as the input (LeCun et al.,
            "Efficient BackProp", 1998, section 4.6). Drawn from numpy's global generator: `np.random.seed`
            repeats it.
        bias: (out_features,), float32, zeros; or None.

    Raises:
        ValueError: a number of features is not a positive integer.

    >>> Linear(3, 2)(Tensor(np.ones((5, 3)))).shape
    (5, 2)
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True):
        for name, value in (("in_features", in_features), ("out_features", out_features)):
            if not isinstance(value, int | np.integer) or value < 1:
                raise ValueError(f"Linear: {name} must be a positive integer, got {value!r}")
        self.in_features = int(in_features)
        self.out_features = int(out_features)
        values = np.random.standard_normal((self.in_features, self.out_features)) / np.sqrt(self.in_features)
        self.weight = Tensor(values, requires_grad=True)
        self.bias = Tensor(np.zeros(self.out_features), requires_grad=True) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """(..., in_features) → (..., out_features).

        Raises:
            TypeError: `x` is not a Tensor.
            ValueError: the last axis of `x` is not in_features long.
        """
        if not isinstance(x, Tensor):
            raise TypeError(f"Linear takes a Tensor, not {type(x).__name__}")
        rows = self.weight.shape[0]
        if x.shape[-1:] != (rows,):
            raise ValueError(f"Linear: expected an input of shape (..., {rows}), got {x.shape}")
        product = x.matmul(self.weight)
        return product if self.bias is None else product + self.bias

    def parameters(self) -> list[Tensor]:
        """[weight, bias], or [weight]."""
        return [self.weight] if self.bias is None else [self.weight, self.bias]

    def __repr__(self) -> str:
        return f"Linear({self.in_features}, {self.out_features}, bias={self.bias is not None})"


class Dropout(Layer):
    """In training, set each element to 0 with probability `p` and multiply the others by 1/(1-p).

    The factor keeps the expected value, so that nothing needs to change when not training ("inverted"
    dropout; Srivastava et al., JMLR 15, 2014, section 10). Drawn from numpy's global generator.

    Raises:
        ValueError: `p` is not between 0 and 1.

    >>> x = Tensor([1, 2, 3])
    >>> Dropout(0.5)(x, training=False) is x
    True
    """

    has_training_mode = True

    def __init__(self, p: float = 0.5):
        if not 0 <= p <= 1:
            raise ValueError(f"Dropout: p is a probability between 0 and 1, got {p}")
        self.p = p

    def forward(self, x: Tensor, training: bool = True) -> Tensor:
        """`x` with elements dropped, same shape; `x` itself when not training or p is 0.

        Raises:
            TypeError: `x` is not a Tensor.
        """
        if not isinstance(x, Tensor):
            raise TypeError(f"Dropout takes a Tensor, not {type(x).__name__}")
        if not training or self.p == 0:
            return x
        mask = np.random.random(x.shape) >= self.p
        factor = 0.0 if self.p == 1 else 1 / (1 - self.p)
        return x * Tensor(mask) * factor

    def __repr__(self) -> str:
        return f"Dropout({self.p})"


class Sequential(Layer):
    """Layers one after the other: `Sequential(a, b)(x)` is `b(a(x))`.

    Attributes:
        layers: the list of layers; change it and the model changes.

    Raises:
        TypeError: something given cannot be called.

    >>> model = Sequential(Linear(4, 3), Dropout(0.1), Linear(3, 2))
    >>> model(Tensor(np.ones((1, 4)))).shape, len(model.parameters())
    ((1, 2), 4)
    """

    has_training_mode = True

    def __init__(self, *layers: Any):
        chain = layers[0] if len(layers) == 1 and isinstance(layers[0], list | tuple) else layers
        for layer in chain:
            if not callable(layer):
                raise TypeError(f"Sequential is made of layers, and {layer!r} cannot be called")
        self.layers: list[Any] = list(chain)

    def forward(self, x: Tensor, training: bool = True) -> Tensor:
        """Each layer on the output of the one before; `training` reaches every Dropout inside."""
        for layer in self.layers:
            x = run_layer(layer, x, training)
        return x

    def parameters(self) -> list[Tensor]:
        """Parameters of all layers in order, each tensor once even where layers share it."""
        return self._collect("parameters")

    def buffers(self) -> list[Tensor]:
        """Buffers of all layers in order, each tensor once."""
        return self._collect("buffers")

    def _collect(self, kind: str) -> list[Tensor]:
        lists = [getattr(layer, kind)() for layer in self.layers if hasattr(layer, kind)]
        unique = {id(tensor): tensor for tensors in lists for tensor in tensors}
        return list(unique.values())

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.layers))})"
