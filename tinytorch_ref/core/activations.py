# module: 02_activations
"""Non-linear functions between layers: Sigmoid, ReLU, Tanh, GELU, Softmax.

Each keeps what its own derivative needs from the last `forward`, so that `backward` is plain mathematics
without a tape. Gradients through whole models come with module 05.
"""

from __future__ import annotations

import numpy as np

from .tensor import Array, Tensor


class Activation:
    """A function of one tensor, without parameters.

    `forward` gives a tensor of the input's shape; integers are calculated in float32. `backward(grad)` takes
    the gradient of the loss with respect to the output of the *last* forward and gives that with respect to its
    input, of the same shape.

    >>> activation = ReLU()
    >>> activation(Tensor([-2, 3]))
    Tensor([0, 3], dtype=float32)
    >>> activation.backward(Tensor([10, 10]))
    Tensor([0, 10], dtype=float32)
    """

    _cache: Array | None = None  # what the derivative needs: the last input or the last output

    def forward(self, x: Tensor) -> Tensor:
        """Apply the function to `x`."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward")

    def backward(self, grad: Tensor) -> Tensor:
        """Chain rule: `grad` times the local derivative."""
        raise NotImplementedError(f"{type(self).__name__} does not define backward")

    def __call__(self, x: Tensor) -> Tensor:
        """Same as `forward`."""
        return self.forward(x)

    def parameters(self) -> list[Tensor]:
        """Nothing to learn here."""
        return []

    def _cached(self, grad: Tensor) -> Array:
        if self._cache is None:
            raise RuntimeError(f"{type(self).__name__}.backward needs a forward first")
        if grad.shape != self._cache.shape:
            raise ValueError(
                f"{type(self).__name__}.backward: the gradient has shape {grad.shape}, "
                f"the last output had {self._cache.shape}"
            )
        return self._cache

    def _local(self, values: Array) -> Tensor:
        """A gradient in the dtype of the last forward."""
        assert self._cache is not None
        return Tensor(values, dtype=self._cache.dtype)


class Sigmoid(Activation):
    """σ(x) = 1 / (1 + e^-x), between 0 and 1; σ' = σ (1 - σ).

    >>> Sigmoid()(Tensor([-1000, 0, 1000]))
    Tensor([0, 0.5, 1], dtype=float32)
    """

    def forward(self, x: Tensor) -> Tensor:
        """Element by element; e is only raised to negative powers, so nothing overflows."""
        values = _floating(x)
        small = np.exp(-np.abs(values))
        self._cache = np.asarray(np.where(values >= 0, 1, small) / (1 + small))
        return Tensor._result(self._cache, "sigmoid", (x,))

    def backward(self, grad: Tensor) -> Tensor:
        """grad · σ (1 - σ)."""
        output = self._cached(grad)
        return self._local(grad.data * output * (1 - output))


class ReLU(Activation):
    """max(0, x); its derivative is 1 above zero and 0 elsewhere, at zero too.

    >>> ReLU()(Tensor([-2, 0, 3]))
    Tensor([0, 0, 3], dtype=float32)
    """

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        self._cache = np.asarray(np.maximum(_floating(x), 0))
        return Tensor._result(self._cache, "relu", (x,))

    def backward(self, grad: Tensor) -> Tensor:
        """grad where the input was positive, 0 elsewhere."""
        return self._local(grad.data * (self._cached(grad) > 0))


class Tanh(Activation):
    """tanh(x), between -1 and 1; tanh' = 1 - tanh².

    >>> Tanh()(Tensor([-1000, 0, 1000]))
    Tensor([-1, 0, 1], dtype=float32)
    """

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        self._cache = np.asarray(np.tanh(_floating(x)))
        return Tensor._result(self._cache, "tanh", (x,))

    def backward(self, grad: Tensor) -> Tensor:
        """grad · (1 - tanh²)."""
        output = self._cached(grad)
        return self._local(grad.data * (1 - output * output))


class GELU(Activation):
    """Gaussian error linear unit in its tanh form: the one GELU of this course, which module 18 makes faster.

    0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))), from Hendrycks and Gimpel, arXiv:1606.08415, section 2. It is
    within 4.8e-4 of the exact x Φ(x), with Φ the normal distribution function.

    >>> GELU()(Tensor([-1, 0, 1]))
    Tensor([-0.1588, 0, 0.8412], dtype=float32)
    """

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        self._cache = values = _floating(x)
        return Tensor._result(np.asarray(0.5 * values * (1 + _gelu_tanh(values))), "gelu", (x,))

    def backward(self, grad: Tensor) -> Tensor:
        """grad times `gelu_slope` of the input."""
        return self._local(grad.data * gelu_slope(self._cached(grad)))


class Softmax(Activation):
    """Probabilities, which add up to 1 along one axis: s_i = e^(x_i - max x) / Σ_j e^(x_j - max x).

    Subtracting the maximum changes nothing but keeps e^x from overflowing. The axis is `dim`, given here or
    to `forward`.

    >>> Softmax()(Tensor([1000, 1000]))
    Tensor([0.5, 0.5], dtype=float32)
    """

    def __init__(self, dim: int = -1):
        self.dim = dim
        self._last_dim = dim

    def forward(self, x: Tensor, dim: int | None = None) -> Tensor:
        """Probabilities along `dim`, or along the constructor's axis (by default the last) when None.

        Raises:
            ValueError: the axis is out of range, or has no elements.
        """
        self._last_dim = self.dim if dim is None else dim
        values = _floating(x)
        if not -values.ndim <= self._last_dim < values.ndim or values.shape[self._last_dim] == 0:
            raise ValueError(f"softmax: no elements along axis {self._last_dim} of shape {x.shape}")
        powers = np.exp(values - values.max(axis=self._last_dim, keepdims=True))
        self._cache = np.asarray(powers / powers.sum(axis=self._last_dim, keepdims=True))
        return Tensor._result(self._cache, "softmax", (x,), dim=self._last_dim)

    def __call__(self, x: Tensor, dim: int | None = None) -> Tensor:
        """Same as `forward`."""
        return self.forward(x, dim)

    def backward(self, grad: Tensor) -> Tensor:
        """s · (grad - Σ_j grad_j s_j), the sum along the axis of the last forward."""
        output = self._cached(grad)
        weighted = (grad.data * output).sum(axis=self._last_dim, keepdims=True)
        return self._local(output * (grad.data - weighted))


_GELU_SCALE = float(np.sqrt(2 / np.pi))
_GELU_CUBIC = 0.044715
_GELU_FLAT = 30.0  # from here on tanh is 1 in every float type, and x³ could overflow


def gelu_slope(x: Array) -> Array:
    """GELU's derivative 0.5 (1 + t) + 0.5 x (1 - t²) √(2/π) (1 + 3 · 0.044715 x²), t the tanh of its formula.

    >>> gelu_slope(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    t = _gelu_tanh(x)
    z = np.clip(x, -_GELU_FLAT, _GELU_FLAT)
    inner_slope = _GELU_SCALE * (1 + 3 * _GELU_CUBIC * z * z)
    return np.asarray(0.5 * (1 + t) + 0.5 * z * (1 - t * t) * inner_slope)


def _gelu_tanh(x: Array) -> Array:
    z = np.clip(x, -_GELU_FLAT, _GELU_FLAT)
    return np.asarray(np.tanh(_GELU_SCALE * (z + _GELU_CUBIC * z * z * z)))


def _floating(x: Tensor) -> Array:
    """The tensor's array, in float32 if it holds integers."""
    if not isinstance(x, Tensor):
        raise TypeError(f"an activation takes a Tensor, not {type(x).__name__}")
    return x.data if x.dtype.kind == "f" else x.data.astype(np.float32)
