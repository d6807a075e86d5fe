# module: 04_losses
"""How wrong a prediction is, as one number: MSELoss, CrossEntropyLoss, BinaryCrossEntropyLoss, log_softmax.

Each loss averages over everything that it is given. Its `backward()` is the derivative with respect to
the predictions of the last `forward`, plain mathematics without a tape; module 05 uses the same formulas for whole
models.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .tensor import Array, Shape, Tensor


def log_softmax(x: Tensor, dim: int = -1) -> Tensor:
    """ln softmax(x) along one axis, as x - m - ln Σ e^(x - m) with m the maximum.

    Nothing overflows, and no probability is rounded to 0 before its logarithm is taken.

    Args:
        x: floating-point or integer, any shape; integers are calculated in float32.
        dim: the axis along which the probabilities add up to 1.

    Returns:
        of the shape of x.

    Raises:
        ValueError: the axis is out of range, or has no elements.

    >>> log_softmax(Tensor([1000, 0]))
    Tensor([0, -1000], dtype=float32)
    """
    values = _floating(x)
    if not -values.ndim <= dim < values.ndim or values.shape[dim] == 0:
        raise ValueError(f"log_softmax: no elements along axis {dim} of shape {x.shape}")
    return Tensor._result(_log_softmax(values, dim), "log_softmax", (x,), dim=dim)


class Loss:
    """A measure of predictions against targets, averaged to a scalar.

    A subclass defines `forward`, which leaves the arrays that it saw in `_last`, and `_gradient`, which is given them:

    >>> class L1Loss(Loss):
    ...     def forward(self, predictions, targets):
    ...         p, t = self._last = predictions.data, targets.data
    ...         return Tensor(np.abs(p - t).mean())
    ...     def _gradient(self, p, t):
    ...         return np.sign(p - t) / p.size
    >>> loss = L1Loss()
    >>> loss(Tensor([1, 5]), Tensor([2, 2])), loss.backward()
    (Tensor(2, dtype=float32), Tensor([-0.5, 0.5], dtype=float32))
    """

    def forward(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """The loss, a scalar in the dtype of the predictions."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward")

    def __call__(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """Same as `forward`."""
        return self.forward(predictions, targets)

    def parameters(self) -> list[Tensor]:
        """Nothing to learn here."""
        return []

    def backward(self) -> Tensor:
        """The derivative of the last forward's loss with respect to its predictions, of their shape.

        Raises:
            RuntimeError: there was no forward.
        """
        if self._last is None:
            raise RuntimeError(f"{type(self).__name__}.backward needs a forward first")
        return Tensor(self._gradient(*self._last), dtype=self._last[0].dtype)

    _last: tuple[Array, ...] | None = None

    def _gradient(self, *last: Array) -> Array:
        raise NotImplementedError


class MSELoss(Loss):
    """Mean squared error: Σ (p - t)² / n over all n elements.

    Predictions and targets have one shape. Nothing is broadcast: (n, 1) against (n,) would silently compare
    everything with everything.

    >>> loss = MSELoss()
    >>> loss(Tensor([1, 2, 5]), Tensor([1, 2, 2]))
    Tensor(3, dtype=float32)
    >>> loss.backward()
    Tensor([0, 0, 2], dtype=float32)
    """

    def forward(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """The mean squared difference.

        Raises:
            TypeError: the predictions or the targets are not a Tensor.
            ValueError: the shapes differ, or are empty.
        """
        p, t = self._last = _same_shape("MSELoss", predictions, targets)
        difference = (p - t).reshape(-1)
        loss = np.asarray(np.dot(difference, difference) / difference.size)
        return Tensor._result(loss, "mse", (predictions, targets))

    def _gradient(self, *last: Array) -> Array:
        return mean_squared_error_gradient(*last)


class CrossEntropyLoss(Loss):
    """Cross-entropy: the mean of -ln softmax(logits)[class], the negative log-likelihood of the right class.

    logits are (..., C), one score per class and not yet probabilities; targets are (...), class numbers 0 to C-1,
    as integers or as whole floats. So (N, C) goes with (N,), and (B, T, C) with (B, T).

    >>> loss = CrossEntropyLoss()
    >>> loss(Tensor([[0, 0], [1000, 0]]), Tensor([0, 1]))
    Tensor(500.3, dtype=float32)
    >>> loss.backward()
    Tensor([[-0.25, 0.25], [0.5, -0.5]], dtype=float32)
    """

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The mean cross-entropy.

        Raises:
            TypeError: the logits or the targets are not a Tensor.
            ValueError: the shapes do not go together, a target is no class, or there is none.
        """
        values = _floating(logits)
        _check_tensor(targets)
        ids = class_ids(targets, logits.shape)
        log_probabilities = _log_softmax(values, -1)
        chosen = np.take_along_axis(log_probabilities, ids[..., None], -1)
        probabilities = np.exp(log_probabilities)
        self._last = (values, ids, probabilities)
        loss = np.asarray(-chosen.mean())
        return Tensor._result(loss, "cross_entropy", (logits, targets), probabilities=probabilities)

    def _gradient(self, *last: Array) -> Array:
        return cross_entropy_gradient(*last)


class BinaryCrossEntropyLoss(Loss):
    """Mean of -[t ln p + (1 - t) ln (1 - p)], p the predicted probability of class 1 and t the target, 0 to 1.

    A logarithm below -100 counts as -100, and p (1 - p) in the derivative as at least 1e-12, as in PyTorch's
    BCELoss: predictions of exactly 0 and 1 have a loss and a gradient.

    >>> loss = BinaryCrossEntropyLoss()
    >>> loss(Tensor([0.5, 0.5]), Tensor([0, 1]))
    Tensor(0.6931, dtype=float32)
    >>> loss(Tensor([0, 1]), Tensor([1, 1]))
    Tensor(50, dtype=float32)
    """

    def forward(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """The mean binary cross-entropy; predictions and targets have one shape.

        Raises:
            TypeError: the predictions or the targets are not a Tensor.
            ValueError: the shapes differ or are empty, or a prediction lies outside 0 to 1.
        """
        p, t = self._last = _same_shape("BinaryCrossEntropyLoss", predictions, targets)
        if not ((p >= 0) & (p <= 1)).all():
            raise ValueError(
                "BinaryCrossEntropyLoss: predictions are probabilities between 0 and 1: apply Sigmoid first"
            )
        loss = np.asarray(-(t * _log(p) + (1 - t) * _log(1 - p)).mean())
        return Tensor._result(loss, "bce", (predictions, targets))

    def _gradient(self, *last: Array) -> Array:
        return binary_cross_entropy_gradients(*last)[0]


# The derivatives


def mean_squared_error_gradient(predictions: Array, targets: Array) -> Array:
    """2 (p - t) / n.

    >>> mean_squared_error_gradient(np.array([3.0, 1.0]), np.array([1.0, 1.0]))
    array([2., 0.])
    """
    return np.asarray((predictions - targets) * (2 / predictions.size))


def cross_entropy_gradient(logits: Array, ids: Array, probabilities: Array | None = None) -> Array:
    """(softmax - one-hot) / n, n the number of targets; `probabilities` is the softmax where it is known.

    >>> cross_entropy_gradient(np.zeros((1, 2)), np.array([1]))
    array([[ 0.5, -0.5]])
    """
    gradient = np.exp(_log_softmax(logits, -1)) if probabilities is None else probabilities.copy()
    chosen = np.take_along_axis(gradient, ids[..., None], -1)
    np.put_along_axis(gradient, ids[..., None], chosen - 1, -1)
    gradient /= ids.size
    return gradient


def binary_cross_entropy_gradients(predictions: Array, targets: Array) -> tuple[Array, Array]:
    """With respect to the predictions (p - t) / (p (1 - p)) / n, to the targets (ln (1 - p) - ln p) / n.

    >>> binary_cross_entropy_gradients(np.array([0.5]), np.array([1.0]))
    (array([-2.]), array([0.]))
    """
    n, p, t = predictions.size, predictions, targets
    grad_predictions = (p - t) / np.maximum(p * (1 - p), 1e-12) / n
    return np.asarray(grad_predictions), np.asarray((_log(1 - p) - _log(p)) / n)


# Checks and helpers


def class_ids(targets: Tensor, logits_shape: Shape) -> Array:
    """Targets as an integer array, checked against logits of `logits_shape`.

    Raises:
        ValueError: their shape is not that of the logits without the last axis, there are none, they are not
            whole, or not below the number of classes.

    >>> class_ids(Tensor([2.0, 0.0]), (2, 3))
    array([2, 0])
    """
    classes: Any = targets.data if isinstance(targets, Tensor) else np.asarray(targets)
    if not logits_shape or classes.shape != logits_shape[:-1] or not classes.size:
        raise ValueError(
            f"cross-entropy takes logits (..., classes) and one class number for each (...): "
            f"got logits {logits_shape} and targets {classes.shape}"
        )
    with np.errstate(invalid="ignore"):  # NaN becomes some integer, which it is not equal to
        ids = classes.astype(np.int64)
    if (ids != classes).any() or ids.min() < 0 or ids.max() >= logits_shape[-1]:
        raise ValueError(
            f"cross-entropy: targets are whole numbers from 0 to {logits_shape[-1] - 1}; "
            f"these go from {classes.min()} to {classes.max()}"
        )
    return np.asarray(ids)


def _same_shape(name: str, predictions: Tensor, targets: Tensor) -> tuple[Array, Array]:
    """Both arrays in the dtype of the predictions."""
    values = _floating(predictions)
    _check_tensor(targets)
    if predictions.shape != targets.shape or not predictions.size:
        raise ValueError(
            f"{name}: predictions and targets must have one shape and not be empty; "
            f"got {predictions.shape} and {targets.shape}"
        )
    return values, targets.data.astype(values.dtype, copy=False)


def _check_tensor(x: object) -> None:
    if not isinstance(x, Tensor):
        raise TypeError(f"a loss takes Tensors, not {type(x).__name__}")


def _floating(x: Tensor) -> Array:
    _check_tensor(x)
    return x.data if x.dtype.kind == "f" else x.data.astype(np.float32)


def _log_softmax(values: Array, axis: int) -> Array:
    shifted = values - values.max(axis=axis, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    return np.asarray(shifted)


def _log(values: Array) -> Array:
    """Natural logarithm, at least -100; of 0 too, without a warning."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.maximum(np.log(values), -100))
