# module: 05_autograd
"""Derivatives: how each operation of modules 01 to 04 sends a gradient back. Importing this turns autograd on.

Each rule is the chain rule for one operation. With L the number that we want less of and y = f(a, b), a rule is
given ∂L/∂y, of the shape of y, and returns ∂L/∂a and ∂L/∂b, of the shapes of a and b. How operations are
remembered and walked backwards is in `tape`. Gradients are plain numpy arrays, in `.grad` too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .activations import gelu_slope
from .losses import binary_cross_entropy_gradients, class_ids, cross_entropy_gradient, mean_squared_error_gradient
from .tape import Function, Gradients, enable_autograd, gradient_rule, no_grad
from .tensor import Array, Shape, Tensor, matrix_product

__all__ = [
    "AddBackward",
    "BCEBackward",
    "CrossEntropyBackward",
    "DivBackward",
    "EmbeddingBackward",
    "Function",
    "GELUBackward",
    "GetitemBackward",
    "Gradients",
    "LogSoftmaxBackward",
    "MSEBackward",
    "MatmulBackward",
    "MaxBackward",
    "MeanBackward",
    "MulBackward",
    "NegBackward",
    "PermuteBackward",
    "PowBackward",
    "ReLUBackward",
    "ReshapeBackward",
    "SigmoidBackward",
    "SoftmaxBackward",
    "SubBackward",
    "SumBackward",
    "TanhBackward",
    "TransposeBackward",
    "enable_autograd",
    "gradient_rule",
    "no_grad",
    "unbroadcast",
]


def unbroadcast(gradient: Array, shape: Shape) -> Array:
    """Undo broadcasting: sum over the axes along which an operand of `shape` was repeated.

    An element that was used many times gets the sum of the gradients of all its uses.

    >>> unbroadcast(np.ones((5, 2, 3)), (2, 1))
    array([[15.],
           [15.]])
    """
    if gradient.shape == shape:
        return gradient
    new = gradient.ndim - len(shape)
    stretched = tuple(new + i for i, length in enumerate(shape) if length == 1)
    return np.asarray(gradient.sum(axis=(*range(new), *stretched))).reshape(shape)


# Element by element


@gradient_rule("add")
class AddBackward(Function):
    """a + b: the gradient goes to both.

    >>> a, b = Tensor([1, 2], requires_grad=True), Tensor(3, requires_grad=True)
    >>> (a + b).sum().backward()
    >>> a.grad, b.grad
    (array([1., 1.], dtype=float32), array(2., dtype=float32))
    """

    def apply(self, grad_output: Array) -> Gradients:
        """(g, g), summed where broadcast."""
        a, b = self.inputs
        return (
            unbroadcast(grad_output, a.shape) if self.needs[0] else None,
            unbroadcast(grad_output, b.shape) if self.needs[1] else None,
        )


@gradient_rule("sub")
class SubBackward(Function):
    """a - b."""

    def apply(self, grad_output: Array) -> Gradients:
        """(g, -g), summed where broadcast."""
        a, b = self.inputs
        return (
            unbroadcast(grad_output, a.shape) if self.needs[0] else None,
            -unbroadcast(grad_output, b.shape) if self.needs[1] else None,
        )


@gradient_rule("mul")
class MulBackward(Function):
    """a · b: each is the other's factor."""

    def apply(self, grad_output: Array) -> Gradients:
        """(g b, g a), summed where broadcast."""
        a, b = self.inputs
        return (
            unbroadcast(grad_output * b, a.shape) if self.needs[0] else None,
            unbroadcast(grad_output * a, b.shape) if self.needs[1] else None,
        )


@gradient_rule("div")
class DivBackward(Function):
    """a / b."""

    def apply(self, grad_output: Array) -> Gradients:
        """(g / b, -g a / b²), summed where broadcast."""
        a, b = self.inputs
        by_a = grad_output / b
        return (
            unbroadcast(by_a, a.shape) if self.needs[0] else None,
            unbroadcast(-by_a * (a / b), b.shape) if self.needs[1] else None,
        )


@gradient_rule("pow")
class PowBackward(Function):
    """a ** b."""

    def apply(self, grad_output: Array) -> Gradients:
        """(g b a^(b-1), g a^b ln a), summed where broadcast; 0 for a⁰ and for the exponent of 0."""
        a, b = self.inputs
        by_a = by_b = None
        if self.needs[0]:
            by_a = unbroadcast(grad_output * b * a ** np.where(b == 0, 1, b - 1).astype(b.dtype), a.shape)
        if self.needs[1]:
            by_b = unbroadcast(grad_output * a**b * np.log(np.where(a == 0, 1, a)), b.shape)
        return by_a, by_b


@gradient_rule("neg")
class NegBackward(Function):
    """-a."""

    def apply(self, grad_output: Array) -> Gradients:
        """-g."""
        return (-grad_output,)


# Matrix product


@gradient_rule("matmul")
class MatmulBackward(Function):
    """A B, stacked or not, with 1-D operands as in `Tensor.matmul`.

    >>> a, b = Tensor([[1, 2]], requires_grad=True), Tensor([[3], [4]], requires_grad=True)
    >>> (a @ b).backward()
    >>> a.grad, b.grad
    (array([[3., 4.]], dtype=float32), array([[1.],
           [2.]], dtype=float32))
    """

    def apply(self, grad_output: Array) -> Gradients:
        """(G Bᵀ, Aᵀ G), summed over the leading axes that were broadcast."""
        left, right = self.inputs
        a = left[None, :] if left.ndim == 1 else left
        b = right[:, None] if right.ndim == 1 else right
        g = grad_output[..., None] if right.ndim == 1 else grad_output
        g = np.expand_dims(g, -2) if left.ndim == 1 else g
        by_a = by_b = None
        if self.needs[0]:
            by_a = unbroadcast(matrix_product(g, b.swapaxes(-1, -2)), a.shape).reshape(left.shape)
        if self.needs[1]:
            if b.ndim == 2 and a.ndim > 2:  # the sum over the stack is one long product
                by_b = _rows(a).T @ _rows(g)
            else:
                by_b = unbroadcast(np.matmul(a.swapaxes(-1, -2), g), b.shape)
            by_b = by_b.reshape(right.shape)
        return by_a, by_b


def _rows(array: Array) -> Array:
    """All leading axes as one; said with a number, since -1 is ambiguous for empty arrays."""
    length = array.shape[-1]
    return array.reshape(array.size // length if length else 0, length)


# Shape


@gradient_rule("reshape")
class ReshapeBackward(Function):
    """The same elements in another shape."""

    def __init__(self, tensor: Tensor, original_shape: Shape | None = None):
        super().__init__(tensor)
        self.original_shape = tensor.shape if original_shape is None else original_shape

    def apply(self, grad_output: Array) -> Gradients:
        """g in the shape from before."""
        return (grad_output.reshape(self.original_shape),)


@gradient_rule("permute")
class PermuteBackward(Function):
    """The axes in another order."""

    def __init__(self, tensor: Tensor, axes: Shape):
        super().__init__(tensor)
        self.axes = axes

    def apply(self, grad_output: Array) -> Gradients:
        """g with its axes put back: the order that undoes an order is its argsort."""
        return (grad_output.transpose([self.axes.index(axis) for axis in range(len(self.axes))]),)


class TransposeBackward(PermuteBackward):
    """Two axes swapped, by default the last two. `Tensor.transpose` is recorded as the permute that it is."""

    def __init__(self, tensor: Tensor, dim0: int | None = None, dim1: int | None = None):
        axes = list(range(len(tensor.shape)))
        if len(axes) >= 2:
            first, second = (-2 if dim0 is None else dim0), (-1 if dim1 is None else dim1)
            axes[first], axes[second] = axes[second], axes[first]
        super().__init__(tensor, tuple(axes))


@gradient_rule("getitem")
class GetitemBackward(Function):
    """Elements selected by an index.

    >>> x = Tensor([1, 2, 3], requires_grad=True)
    >>> x[[0, 0, 2]].sum().backward()
    >>> x.grad
    array([2., 0., 1.], dtype=float32)
    """

    def __init__(self, tensor: Tensor, index: Any):
        super().__init__(tensor)
        self.index = index

    def apply(self, grad_output: Array) -> Gradients:
        """g where the elements came from, 0 elsewhere; added up where an element was selected repeatedly."""
        gradient = np.zeros(self.inputs[0].shape, dtype=grad_output.dtype)
        if all(item is None or item is ... or isinstance(item, slice | int) for item in self.index):
            gradient[self.index] = grad_output
        else:
            np.add.at(gradient, self.index, grad_output)
        return (gradient,)


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
        gradient = np.zeros(self.inputs[0].shape, dtype=grad_output.dtype)
        if self.indices.size and gradient.size:
            # Sorted by id, the places of one row are neighbours and add up in one sweep; np.add.at is slower.
            ids = self.indices.reshape(-1).astype(np.intp)
            order = np.argsort(ids, kind="stable")
            rows, starts = np.unique(ids[order], return_index=True)
            gradient[rows] = np.add.reduceat(_rows(grad_output)[order], starts, axis=0)
        return (gradient,)


# Reductions


class _Reduction(Function):
    def __init__(self, tensor: Tensor, axes: Shape | None = None, keepdims: bool = False):
        super().__init__(tensor)
        self.axes = tuple(range(len(tensor.shape))) if axes is None else axes
        self.keepdims = keepdims

    def _kept(self, reduced: Array) -> Array:
        """The reduced axes with length 1, so that it broadcasts against the input."""
        return reduced if self.keepdims else np.expand_dims(reduced, self.axes)


@gradient_rule("sum")
class SumBackward(_Reduction):
    """Σ a."""

    def apply(self, grad_output: Array) -> Gradients:
        """g for every element that was added."""
        return (np.broadcast_to(self._kept(grad_output), self.inputs[0].shape),)


@gradient_rule("mean")
class MeanBackward(_Reduction):
    """Σ a / n."""

    def apply(self, grad_output: Array) -> Gradients:
        """g / n for every element that was averaged."""
        (a,) = self.inputs
        n = a.size // max(grad_output.size, 1)
        return (np.broadcast_to(self._kept(grad_output) / max(n, 1), a.shape),)


@gradient_rule("max")
class MaxBackward(_Reduction):
    """The largest element.

    >>> x = Tensor([1, 3, 3], requires_grad=True)
    >>> x.max().backward()
    >>> x.grad
    array([0. , 0.5, 0.5], dtype=float32)
    """

    def apply(self, grad_output: Array) -> Gradients:
        """g for the largest element; several that are equally large share it, as in PyTorch's amax."""
        (a,) = self.inputs
        largest = a == a.max(axis=self.axes, keepdims=True)
        winners = largest.sum(axis=self.axes, keepdims=True)
        return (largest * (self._kept(grad_output) / winners.astype(grad_output.dtype)),)


# Activations


@gradient_rule("relu")
class ReLUBackward(Function):
    """max(0, x)."""

    def apply(self, grad_output: Array) -> Gradients:
        """g where x > 0."""
        return (grad_output * (self.inputs[0] > 0),)


class _FromOutput(Function):
    """An activation whose derivative is said best by its own output."""

    def __init__(self, input_tensor: Tensor, output_tensor: Tensor, **context: Any):
        super().__init__(input_tensor, **context)
        self.output = output_tensor.data

    @classmethod
    def of(cls, result: Tensor, parents: tuple[Tensor, ...], context: dict[str, Any]) -> Function:
        """Hand over the output besides the input."""
        return cls(parents[0], result, **context)


@gradient_rule("sigmoid")
class SigmoidBackward(_FromOutput):
    """σ(x)."""

    def apply(self, grad_output: Array) -> Gradients:
        """g σ (1 - σ)."""
        return (grad_output * self.output * (1 - self.output),)


@gradient_rule("tanh")
class TanhBackward(_FromOutput):
    """tanh x."""

    def apply(self, grad_output: Array) -> Gradients:
        """g (1 - tanh²)."""
        return (grad_output * (1 - self.output * self.output),)


@gradient_rule("gelu")
class GELUBackward(Function):
    """GELU in its tanh form."""

    def apply(self, grad_output: Array) -> Gradients:
        """g times the slope that module 02 works out."""
        return (grad_output * gelu_slope(self.inputs[0]),)


@gradient_rule("softmax")
class SoftmaxBackward(_FromOutput):
    """Shares s along one axis.

    >>> x = Tensor([0, 0], requires_grad=True)
    >>> [gradient] = SoftmaxBackward(x, Tensor([0.5, 0.5])).apply(np.array([1, 0]))
    >>> gradient.tolist()
    [0.25, -0.25]
    """

    def __init__(self, input_tensor: Tensor, output_tensor: Tensor, dim: int = -1):
        super().__init__(input_tensor, output_tensor)
        self.dim = dim

    def apply(self, grad_output: Array) -> Gradients:
        """s (g - Σ g s): what one share gains, the others lose."""
        weighted = grad_output * self.output
        weighted -= self.output * weighted.sum(axis=self.dim, keepdims=True)
        return (weighted,)


@gradient_rule("log_softmax")
class LogSoftmaxBackward(SoftmaxBackward):
    """ln of the shares."""

    def apply(self, grad_output: Array) -> Gradients:
        """g - s Σ g."""
        return (grad_output - np.exp(self.output) * grad_output.sum(axis=self.dim, keepdims=True),)


# Losses, each one step from predictions to a number


@gradient_rule("mse")
class MSEBackward(Function):
    """Mean squared error."""

    def apply(self, grad_output: Array) -> Gradients:
        """(d, -d) with d = g · 2 (p - t) / n."""
        by_predictions = grad_output * mean_squared_error_gradient(*self.inputs)
        return by_predictions, -by_predictions if self.needs[1] else None


@gradient_rule("bce")
class BCEBackward(Function):
    """Binary cross-entropy."""

    def apply(self, grad_output: Array) -> Gradients:
        """By the predictions g · (p - t) / (p (1 - p)) / n, by the targets g · (ln (1 - p) - ln p) / n."""
        by_predictions, by_targets = binary_cross_entropy_gradients(*self.inputs)
        return grad_output * by_predictions, grad_output * by_targets if self.needs[1] else None


@gradient_rule("cross_entropy")
class CrossEntropyBackward(Function):
    """Softmax and cross-entropy in one: cancelling the logarithm against the exponential is exact and stable.

    Args:
        logits: (..., C).
        targets: (...), class numbers.
        shares: softmax of the logits, if it is known already.

    >>> logits = Tensor([[0, 0]], requires_grad=True)
    >>> [gradient] = CrossEntropyBackward(logits, Tensor([1])).apply(np.array(1.0))
    >>> gradient.tolist()
    [[0.5, -0.5]]
    """

    def __init__(self, logits: Tensor, targets: Tensor, shares: Array | None = None):
        super().__init__(logits)
        self.ids = class_ids(targets, logits.shape)
        self.shares = shares

    def apply(self, grad_output: Array) -> Gradients:
        """g · (softmax - one-hot) / n."""
        return (grad_output * cross_entropy_gradient(self.inputs[0], self.ids, self.shares),)


enable_autograd()
