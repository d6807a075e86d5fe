# module: 05_autograd
"""Derivatives of what a Tensor can do (module 01): arithmetic, matrix product, changes of shape, reductions.

How such a rule reads is said in `autograd`, which hands on every name that is here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .tape import Function, Gradients, enable_autograd, gradient_rule
from .tensor import Array, Shape, Tensor, matrix_product

enable_autograd()


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
            unbroadcast(grad_output, a.shape) if self.needs_input_grad[0] else None,
            unbroadcast(grad_output, b.shape) if self.needs_input_grad[1] else None,
        )


@gradient_rule("sub")
class SubBackward(Function):
    """a - b.

    >>> a, b = Tensor([5], requires_grad=True), Tensor([3], requires_grad=True)
    >>> (a - b).backward()
    >>> a.grad, b.grad
    (array([1.], dtype=float32), array([-1.], dtype=float32))
    """

    def apply(self, grad_output: Array) -> Gradients:
        """(g, -g), summed where broadcast."""
        a, b = self.inputs
        return (
            unbroadcast(grad_output, a.shape) if self.needs_input_grad[0] else None,
            -unbroadcast(grad_output, b.shape) if self.needs_input_grad[1] else None,
        )


@gradient_rule("mul")
class MulBackward(Function):
    """a · b: each is the other's factor.

    >>> a, b = Tensor([5], requires_grad=True), Tensor([3], requires_grad=True)
    >>> (a * b).backward()
    >>> a.grad, b.grad
    (array([3.], dtype=float32), array([5.], dtype=float32))
    """

    def apply(self, grad_output: Array) -> Gradients:
        """(g b, g a), summed where broadcast."""
        a, b = self.inputs
        return (
            unbroadcast(grad_output * b, a.shape) if self.needs_input_grad[0] else None,
            unbroadcast(grad_output * a, b.shape) if self.needs_input_grad[1] else None,
        )


@gradient_rule("div")
class DivBackward(Function):
    """a / b.

    >>> a, b = Tensor([6], requires_grad=True), Tensor([2], requires_grad=True)
    >>> (a / b).backward()
    >>> a.grad, b.grad
    (array([0.5], dtype=float32), array([-1.5], dtype=float32))
    """

    def apply(self, grad_output: Array) -> Gradients:
        """(g / b, -g a / b²), summed where broadcast."""
        a, b = self.inputs
        grad_a = grad_output / b
        return (
            unbroadcast(grad_a, a.shape) if self.needs_input_grad[0] else None,
            unbroadcast(-grad_a * (a / b), b.shape) if self.needs_input_grad[1] else None,
        )


@gradient_rule("pow")
class PowBackward(Function):
    """a ** b.

    >>> a = Tensor([0, 3], requires_grad=True)
    >>> (a**2).sum().backward()
    >>> a.grad
    array([0., 6.], dtype=float32)
    """

    def apply(self, grad_output: Array) -> Gradients:
        """(g b a^(b-1), g a^b ln a), summed where broadcast; 0 for a⁰ and for the exponent of 0."""
        a, b = self.inputs
        grad_a = grad_b = None
        if self.needs_input_grad[0]:
            grad_a = unbroadcast(grad_output * b * a ** np.where(b == 0, 1, b - 1).astype(b.dtype), a.shape)
        if self.needs_input_grad[1]:
            grad_b = unbroadcast(grad_output * a**b * np.log(np.where(a == 0, 1, a)), b.shape)
        return grad_a, grad_b


@gradient_rule("neg")
class NegBackward(Function):
    """-a.

    >>> a = Tensor([5], requires_grad=True)
    >>> (-a).backward()
    >>> a.grad
    array([-1.], dtype=float32)
    """

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
        grad_a = grad_b = None
        if self.needs_input_grad[0]:
            grad_a = unbroadcast(matrix_product(g, b.swapaxes(-1, -2)), a.shape).reshape(left.shape)
        if self.needs_input_grad[1]:
            if b.ndim == 2 and a.ndim > 2:  # the sum over the stack is one long product
                grad_b = _rows(a).T @ _rows(g)
            else:
                grad_b = unbroadcast(np.matmul(a.swapaxes(-1, -2), g), b.shape)
            grad_b = grad_b.reshape(right.shape)
        return grad_a, grad_b


def _rows(array: Array) -> Array:
    """All leading axes as one; said with a number, since -1 is ambiguous for empty arrays."""
    length = array.shape[-1]
    return array.reshape(array.size // length if length else 0, length)


# Shape


@gradient_rule("reshape")
class ReshapeBackward(Function):
    """The same elements in another shape.

    >>> x = Tensor([1, 2, 3, 4], requires_grad=True)
    >>> x.reshape(2, 2).backward(np.array([[1, 2], [3, 4]]))
    >>> x.grad
    array([1., 2., 3., 4.], dtype=float32)
    """

    def __init__(self, tensor: Tensor, original_shape: Shape | None = None):
        super().__init__(tensor)
        self.original_shape = tensor.shape if original_shape is None else original_shape

    def apply(self, grad_output: Array) -> Gradients:
        """g in the shape from before."""
        return (grad_output.reshape(self.original_shape),)


@gradient_rule("permute")
class PermuteBackward(Function):
    """The axes in another order.

    >>> x = Tensor(np.zeros((2, 3, 4)), requires_grad=True)
    >>> [gradient] = PermuteBackward(x, axes=(2, 0, 1)).apply(np.ones((4, 2, 3)))
    >>> gradient.shape
    (2, 3, 4)
    """

    def __init__(self, tensor: Tensor, axes: Shape):
        super().__init__(tensor)
        self.axes = axes

    def apply(self, grad_output: Array) -> Gradients:
        """g with its axes put back: the order that undoes an order is its argsort."""
        return (grad_output.transpose([self.axes.index(axis) for axis in range(len(self.axes))]),)


class TransposeBackward(PermuteBackward):
    """Two axes swapped, by default the last two. `Tensor.transpose` is recorded as the permute that it is.

    >>> [gradient] = TransposeBackward(Tensor([[1, 2]]), 0, 1).apply(np.array([[3], [4]]))
    >>> gradient
    array([[3, 4]])
    """

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


# Reductions


class _Reduction(Function):
    def __init__(self, tensor: Tensor, axes: Shape | None = None, keepdims: bool = False):
        super().__init__(tensor)
        self.axes = tuple(range(len(tensor.shape))) if axes is None else axes
        self.keepdims = keepdims

    def _with_kept_axes(self, reduced: Array) -> Array:
        """The reduced axes with length 1, so that it broadcasts against the input."""
        return reduced if self.keepdims else np.expand_dims(reduced, self.axes)


@gradient_rule("sum")
class SumBackward(_Reduction):
    """Σ a.

    >>> x = Tensor([[1, 2], [3, 4]], requires_grad=True)
    >>> x.sum(axis=0).backward(np.array([10, 20]))
    >>> x.grad
    array([[10., 20.],
           [10., 20.]], dtype=float32)
    """

    def apply(self, grad_output: Array) -> Gradients:
        """g for every element that was added."""
        return (np.broadcast_to(self._with_kept_axes(grad_output), self.inputs[0].shape),)


@gradient_rule("mean")
class MeanBackward(_Reduction):
    """Σ a / n.

    >>> x = Tensor([1, 2, 3, 4], requires_grad=True)
    >>> x.mean().backward()
    >>> x.grad
    array([0.25, 0.25, 0.25, 0.25], dtype=float32)
    """

    def apply(self, grad_output: Array) -> Gradients:
        """g / n for every element that was averaged."""
        (a,) = self.inputs
        n = a.size // max(grad_output.size, 1)
        return (np.broadcast_to(self._with_kept_axes(grad_output) / max(n, 1), a.shape),)


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
        return (largest * (self._with_kept_axes(grad_output) / winners.astype(grad_output.dtype)),)
