# module: 05_autograd
"""Derivatives of what a model computes beyond arithmetic: look-ups, activations (module 02), losses (module 04).

How such a rule reads is said in `autograd`, which hands on every name that is here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .activations import gelu_slope
from .losses import binary_cross_entropy_gradients, class_ids, cross_entropy_gradient, mean_squared_error_gradient
from .tape import Function, Gradients, enable_autograd, gradient_rule
from .tensor import Array, Tensor

enable_autograd()


# Look-up


@gradient_rule("embedding")
class EmbeddingBackward(Function):
    """Rows of a table (V, D), looked up by integer ids of any shape (...): the result is (..., D).

    >>> table = Tensor(np.zeros((3, 1)), requires_grad=True)
    >>> [gradient] = EmbeddingBackward(table, np.array([2, 0, 2])).apply(np.array([[1.0], [5.0], [10.0]]))
    >>> gradient.tolist()
    [[5.0], [0.0], [11.0]]
    """

    def __init__(self, weight: Tensor, indices: Tensor | Array):
        super().__init__(weight)
        self.indices = np.asarray(indices.data if isinstance(indices, Tensor) else indices)

    def apply(self, grad_output: Array) -> Gradients:
        """For each row the sum of the gradients of all places that looked it up."""
        vocabulary, width = self.inputs[0].shape
        # Number by number in one axis: there np.add.at is about five times as fast as row by row.
        places = self.indices.reshape(-1, 1).astype(np.intp) * width + np.arange(width)
        gradient = np.zeros(vocabulary * width, dtype=grad_output.dtype)
        np.add.at(gradient, places.reshape(-1), grad_output.reshape(-1))
        return (gradient.reshape(vocabulary, width),)


# Activations


@gradient_rule("relu")
class ReLUBackward(Function):
    """max(0, x).

    >>> [gradient] = ReLUBackward(Tensor([-1, 0, 2])).apply(np.array([5, 5, 5]))
    >>> gradient
    array([0, 0, 5])
    """

    def apply(self, grad_output: Array) -> Gradients:
        """g where x > 0."""
        return (grad_output * (self.inputs[0] > 0),)


class _FromOutput(Function):
    """An activation whose derivative is simplest in terms of its own output."""

    def __init__(self, input_tensor: Tensor, output_tensor: Tensor, **context: Any):
        super().__init__(input_tensor, **context)
        self.output = output_tensor.data

    @classmethod
    def of(cls, result: Tensor, parents: tuple[Tensor, ...], context: dict[str, Any]) -> Function:
        """Hand over the output besides the input."""
        return cls(parents[0], result, **context)


@gradient_rule("sigmoid")
class SigmoidBackward(_FromOutput):
    """σ(x).

    >>> from .activations import Sigmoid
    >>> x = Tensor([0], requires_grad=True)
    >>> Sigmoid()(x).backward()
    >>> x.grad
    array([0.25], dtype=float32)
    """

    def apply(self, grad_output: Array) -> Gradients:
        """g σ (1 - σ)."""
        return (grad_output * self.output * (1 - self.output),)


@gradient_rule("tanh")
class TanhBackward(_FromOutput):
    """tanh x.

    >>> from .activations import Tanh
    >>> x = Tensor([0, 1000], requires_grad=True)
    >>> Tanh()(x).sum().backward()
    >>> x.grad
    array([1., 0.], dtype=float32)
    """

    def apply(self, grad_output: Array) -> Gradients:
        """g (1 - tanh²)."""
        return (grad_output * (1 - self.output * self.output),)


@gradient_rule("gelu")
class GELUBackward(Function):
    """GELU in its tanh form.

    >>> [gradient] = GELUBackward(Tensor([-1000, 0, 1000])).apply(np.ones(3, np.float32))
    >>> gradient
    array([0. , 0.5, 1. ], dtype=float32)
    """

    def apply(self, grad_output: Array) -> Gradients:
        """g times the slope that module 02 works out."""
        return (grad_output * gelu_slope(self.inputs[0]),)


@gradient_rule("softmax")
class SoftmaxBackward(_FromOutput):
    """Probabilities s along one axis.

    >>> x = Tensor([0, 0], requires_grad=True)
    >>> [gradient] = SoftmaxBackward(x, Tensor([0.5, 0.5])).apply(np.array([1, 0]))
    >>> gradient.tolist()
    [0.25, -0.25]
    """

    def __init__(self, input_tensor: Tensor, output_tensor: Tensor, dim: int = -1):
        super().__init__(input_tensor, output_tensor)
        self.dim = dim

    def apply(self, grad_output: Array) -> Gradients:
        """s (g - Σ g s): what one probability gains, the others lose."""
        weighted = grad_output * self.output
        weighted -= self.output * weighted.sum(axis=self.dim, keepdims=True)
        return (weighted,)


@gradient_rule("log_softmax")
class LogSoftmaxBackward(SoftmaxBackward):
    """ln of the probabilities.

    >>> from .losses import log_softmax
    >>> x = Tensor([0, 0], requires_grad=True)
    >>> log_softmax(x).backward(np.array([1, 0]))
    >>> x.grad
    array([ 0.5, -0.5], dtype=float32)
    """

    def apply(self, grad_output: Array) -> Gradients:
        """g - s Σ g."""
        return (grad_output - np.exp(self.output) * grad_output.sum(axis=self.dim, keepdims=True),)


# Losses, each one step from predictions to a number


@gradient_rule("mse")
class MSEBackward(Function):
    """Mean squared error.

    >>> [grad_predictions, _] = MSEBackward(Tensor([3, 1]), Tensor([1, 1])).apply(np.array(1.0))
    >>> grad_predictions
    array([2., 0.])
    """

    def apply(self, grad_output: Array) -> Gradients:
        """(d, -d) with d = g · 2 (p - t) / n."""
        grad_predictions = grad_output * mean_squared_error_gradient(*self.inputs)
        return grad_predictions, -grad_predictions if self.needs_input_grad[1] else None


@gradient_rule("bce")
class BCEBackward(Function):
    """Binary cross-entropy.

    >>> [grad_predictions, _] = BCEBackward(Tensor([0.5]), Tensor([1])).apply(np.array(1.0))
    >>> grad_predictions
    array([-2.])
    """

    def apply(self, grad_output: Array) -> Gradients:
        """(g (p - t) / (p (1 - p)) / n, g (ln (1 - p) - ln p) / n)."""
        grad_predictions, grad_targets = binary_cross_entropy_gradients(*self.inputs)
        return grad_output * grad_predictions, grad_output * grad_targets if self.needs_input_grad[1] else None


@gradient_rule("cross_entropy")
class CrossEntropyBackward(Function):
    """Softmax and cross-entropy in one: cancelling the logarithm against the exponential is exact and stable.

    Args:
        logits: (..., C).
        targets: (...), class numbers.
        probabilities: softmax of the logits, if it is known already.

    >>> logits = Tensor([[0, 0]], requires_grad=True)
    >>> [gradient] = CrossEntropyBackward(logits, Tensor([1])).apply(np.array(1.0))
    >>> gradient.tolist()
    [[0.5, -0.5]]
    """

    def __init__(self, logits: Tensor, targets: Tensor, probabilities: Array | None = None):
        super().__init__(logits)
        self.ids = class_ids(targets, logits.shape)
        self.probabilities = probabilities

    def apply(self, grad_output: Array) -> Gradients:
        """g · (softmax - one-hot) / n."""
        return (grad_output * cross_entropy_gradient(self.inputs[0], self.ids, self.probabilities),)
