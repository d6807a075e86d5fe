# module: 01_tensor
"""The tensor: a numpy array that knows how to take part in a model.

Here live storage, arithmetic, matrix products, changes of shape and reductions. Gradients do not: every
operation ends in `Tensor._result`, and module 05 installs a recorder there. Without one, nothing here knows
or pays for autograd.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

Array: TypeAlias = NDArray[Any]
Shape: TypeAlias = tuple[int, ...]
Axis: TypeAlias = int | tuple[int, ...] | None
Operand: TypeAlias = "Tensor | Array | np.generic | float"


class Recorder(Protocol):
    """What module 05 installs as `Tensor._recorder`, so that operations are written on a tape.

    >>> class Printer:
    ...     def record(self, result, op, parents, context):
    ...         print(op, [parent.shape for parent in parents], "->", result.shape)
    >>> before, Tensor._recorder = Tensor._recorder, Printer()
    >>> _ = Tensor([[1, 2]], requires_grad=True) @ Tensor([[3], [4]])
    matmul [(1, 2), (2, 1)] -> (1, 1)
    >>> Tensor._recorder = before
    """

    def record(self, result: Tensor, op: str, parents: tuple[Tensor, ...], context: dict[str, Any]) -> None:
        """Note that `op` made `result` from `parents`; `context` holds what its derivative needs besides."""

    def backward(self, tensor: Tensor, gradient: Array | Tensor | None) -> None:
        """Send `gradient` (ones for a scalar when None) from `tensor` back along the tape."""


class Tensor:
    """An n-dimensional array of one dtype, with room for a gradient.

    Args:
        data: a number, nested lists, a numpy array or another Tensor. It is copied: later changes to the
            source do not reach the tensor.
        requires_grad: whether `backward` should fill `.grad`; floating-point tensors only.
        dtype: the dtype to store, overriding the rule below.

    The dtype rule. float32 is the working type of the course, so Python numbers and lists, and numpy's
    default float64, become float32. Any other numpy dtype was somebody's choice and stays: int8 stays int8
    (one byte per element), int32, int64, bool and float16 too. A float64 tensor exists only if
    `dtype=np.float64` asks for it. Operations promote as numpy does, except that float64 comes out only where
    float64 went in: an int32 tensor divided by an int32 tensor is float32.

    `a == b` asks whether they are the same object; compare values through `.data`.

    Attributes:
        data: the numpy array itself, not a copy. Replace it freely: shape, size, dtype and nbytes follow.
        grad: the gradient as a numpy array of the same shape, or None.
        requires_grad: see above.

    Raises:
        TypeError: the data are not real numbers.
        OverflowError: a Python integer does not fit into `dtype`.
        ValueError: the lists are ragged, or gradients are asked of an integer or boolean tensor.

    >>> x = Tensor([[1, 2], [3, 4]])
    >>> x @ x + 1
    Tensor([[8, 11], [16, 23]], dtype=float32)
    >>> codes = Tensor(np.array([-128, 127], dtype=np.int8))
    >>> codes.dtype, codes.nbytes
    (dtype('int8'), 2)
    """

    # Set by `enable_autograd()` of module 05; None means that no operation is recorded.
    _recorder: ClassVar[Recorder | None] = None

    # numpy must hand `array + tensor` to our `__radd__` instead of adding element by element.
    __array_ufunc__ = None

    data: Array
    grad: Array | None
    requires_grad: bool
    _function: Any = None  # where module 05 keeps what made this tensor; None for one that nothing recorded made

    def __init__(self, data: ArrayLike | Tensor, requires_grad: bool = False, dtype: DTypeLike | None = None):
        source = data.data if isinstance(data, Tensor) else data
        array = np.asarray(source)
        if dtype is None:
            dtype = array.dtype if _dtype_was_chosen(data) else np.float32
        if array.dtype.kind not in "biuf" or np.dtype(dtype).kind not in "biuf":
            raise TypeError(f"a Tensor holds real numbers, not {array.dtype} as {np.dtype(dtype)}")
        self.data = np.array(source, dtype=dtype)
        if requires_grad and self.data.dtype.kind != "f":
            raise ValueError(
                f"only floating-point tensors have gradients, this one is {self.data.dtype}: "
                "pass dtype=np.float32 as well"
            )
        self.requires_grad = requires_grad
        self.grad = None

    # What it is

    @property
    def shape(self) -> Shape:
        """Length of each axis; () for a scalar."""
        return self.data.shape

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.data.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self.data.dtype

    @property
    def nbytes(self) -> int:
        """Bytes that the elements take: `size` times the bytes of one."""
        return self.data.nbytes

    def numpy(self) -> Array:
        """The array itself, not a copy."""
        return self.data

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        """Let `np.asarray` and `np.testing` take a tensor."""
        return np.array(self.data, dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        """The values of up to eight elements, otherwise the shape."""
        formats: Any = {"float_kind": "{:.4g}".format, "int_kind": str, "bool": str}
        values = np.array2string(self.data, separator=", ", formatter=formats)
        shown = " ".join(values.split()) if 0 < self.size <= 8 else f"shape={self.shape}"
        return f"Tensor({shown}, dtype={self.dtype}{', requires_grad=True' if self.requires_grad else ''})"

    # Element by element, with numpy's broadcasting

    def __add__(self, other: Operand) -> Tensor:
        return _elementwise("add", np.add, self, other)

    def __radd__(self, other: Operand) -> Tensor:
        return _elementwise("add", np.add, self, other, reflected=True)

    def __sub__(self, other: Operand) -> Tensor:
        return _elementwise("sub", np.subtract, self, other)

    def __rsub__(self, other: Operand) -> Tensor:
        return _elementwise("sub", np.subtract, self, other, reflected=True)

    def __mul__(self, other: Operand) -> Tensor:
        return _elementwise("mul", np.multiply, self, other)

    def __rmul__(self, other: Operand) -> Tensor:
        return _elementwise("mul", np.multiply, self, other, reflected=True)

    def __truediv__(self, other: Operand) -> Tensor:
        return _elementwise("div", np.true_divide, self, other)

    def __rtruediv__(self, other: Operand) -> Tensor:
        return _elementwise("div", np.true_divide, self, other, reflected=True)

    def __pow__(self, other: Operand) -> Tensor:
        return _elementwise("pow", np.power, self, other)

    def __rpow__(self, other: Operand) -> Tensor:
        return _elementwise("pow", np.power, self, other, reflected=True)

    def __neg__(self) -> Tensor:
        return self._result(-self.data, "neg", (self,))

    # Matrix product

    def matmul(self, other: Tensor) -> Tensor:
        """Matrix product: (..., n, k) times (..., k, m) is (..., n, m); the leading axes broadcast.

        A 1-D operand is a row on the left and a column on the right, and its axis vanishes from the result.
        Integers stay integers and wrap around as numpy's do: give int8 codes a wider dtype first.

        Raises:
            TypeError: `other` is not a Tensor.
            ValueError: an operand is a scalar, or the shapes do not fit; both shapes are named.

        >>> Tensor(np.ones((2, 5, 3))).matmul(Tensor(np.ones((3, 4)))).shape
        (2, 5, 4)
        """
        if not isinstance(other, Tensor):
            raise TypeError(f"matmul needs a Tensor, not {type(other).__name__}: wrap it in Tensor(...)")
        _check_matmul(self.shape, other.shape)
        return self._result(matrix_product(self.data, other.data), "matmul", (self, other))

    def __matmul__(self, other: Operand) -> Tensor:
        operand = _operand(other, self)
        return NotImplemented if operand is None else self.matmul(operand)

    def __rmatmul__(self, other: Operand) -> Tensor:
        operand = _operand(other, self)
        return NotImplemented if operand is None else operand.matmul(self)

    # Shape. The results share memory with the tensor that they come from, as numpy's views do.

    def reshape(self, *shape: int | Shape) -> Tensor:
        """The same elements, in the same order, in another shape: `x.reshape(2, -1)` or `x.reshape((2, -1))`.

        One length may be -1 and is worked out.

        Raises:
            ValueError: the sizes differ, or more than one length is -1.

        >>> Tensor(np.arange(6)).reshape(2, -1).shape
        (2, 3)
        """
        target = _lengths(shape)
        try:
            reshaped = self.data.reshape(target)
        except ValueError as error:
            raise ValueError(
                f"cannot reshape {self.shape} ({self.size} elements) into {target}: "
                "the sizes must match, and at most one length may be -1"
            ) from error
        return self._result(reshaped, "reshape", (self,))

    def transpose(self, dim0: int | None = None, dim1: int | None = None) -> Tensor:
        """Swap two axes; without arguments the last two. Fewer than two axes: nothing to swap.

        Raises:
            ValueError: one axis only was given, or one is out of range.

        >>> Tensor(np.zeros((2, 3, 4))).transpose(0, -1).shape
        (4, 3, 2)
        """
        if (dim0 is None) != (dim1 is None):
            raise ValueError("transpose swaps two axes: give both dim0 and dim1, or neither for the last two")
        axes = list(range(self.data.ndim))
        if dim0 is not None and dim1 is not None:
            first, second = _axes((dim0, dim1), self.shape)
            axes[first], axes[second] = axes[second], axes[first]
        elif len(axes) >= 2:
            axes[-2], axes[-1] = axes[-1], axes[-2]
        return self.permute(*axes)

    def permute(self, *axes: int | Shape) -> Tensor:
        """Put the axes into the order given, each named once.

        Raises:
            ValueError: an axis is missing, named twice or out of range.

        >>> Tensor(np.zeros((2, 3, 4))).permute(2, 0, 1).shape
        (4, 2, 3)
        """
        order = _axes(_lengths(axes), self.shape)
        if sorted(order) != list(range(self.data.ndim)):
            raise ValueError(
                f"permute needs every axis of shape {self.shape} once, as {tuple(range(self.data.ndim))} "
                f"in some order; got {_lengths(axes)}"
            )
        return self._result(self.data.transpose(order), "permute", (self,), axes=order)

    @property
    def T(self) -> Tensor:  # noqa: N802 (the name that everybody writes)
        """The transposed matrix.

        Raises:
            ValueError: there are more than two axes; numpy and PyTorch would not agree on which to swap.
        """
        if self.data.ndim > 2:
            raise ValueError(
                f".T is for matrices, and this tensor has shape {self.shape}: use transpose(dim0, dim1) or permute(...)"
            )
        return self.transpose()

    def __getitem__(self, index: Any) -> Tensor:
        """Select as numpy does: integers, slices, `...`, None, masks and integer arrays or tensors."""
        items = index if isinstance(index, tuple) else (index,)
        plain: Any = tuple(item.data if isinstance(item, Tensor) else item for item in items)
        try:
            selected = self.data[plain]
        except IndexError as error:
            raise IndexError(f"cannot index a tensor of shape {self.shape}: {error}") from error
        return self._result(np.asarray(selected), "getitem", (self,), index=plain)

    # Reductions

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Add up along one axis, several, or all (None). Narrow integers add up in numpy's wide integer.

        Raises:
            ValueError: an axis is out of range or named twice.

        >>> Tensor([[1, 2], [3, 4]]).sum(axis=0)
        Tensor([4, 6], dtype=float32)
        """
        axes = _reduced_axes(axis, self.shape)
        reduced = np.asarray(self.data.sum(axis=axes, keepdims=keepdims))
        return self._result(reduced, "sum", (self,), axes=axes, keepdims=keepdims)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Average along one axis, several, or all (None); float32 for integers.

        Raises:
            ValueError: an axis is out of range or named twice, or there is nothing to average.

        >>> Tensor([[1, 2], [3, 4]]).mean(axis=1, keepdims=True)
        Tensor([[1.5], [3.5]], dtype=float32)
        """
        axes = _reduced_axes(axis, self.shape, empty="mean")
        reduced = np.asarray(self.data.mean(axis=axes, keepdims=keepdims))
        return self._result(reduced, "mean", (self,), axes=axes, keepdims=keepdims)

    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Largest element along one axis, several, or all (None).

        Raises:
            ValueError: an axis is out of range or named twice, or there is nothing to choose from.

        >>> Tensor([[1, 5], [3, 4]]).max(axis=1)
        Tensor([5, 4], dtype=float32)
        """
        axes = _reduced_axes(axis, self.shape, empty="max")
        reduced = np.asarray(self.data.max(axis=axes, keepdims=keepdims))
        return self._result(reduced, "max", (self,), axes=axes, keepdims=keepdims)

    # The seam for module 05

    def backward(self, gradient: Array | Tensor | None = None) -> None:
        """Find the derivatives of this tensor with respect to every leaf under it; add them to their `.grad`.

        A leaf is a tensor with `requires_grad` that no recorded operation made: parameters, inputs. Results in
        between keep no gradient. The graph stays, so backward may run on it again; each run adds to `.grad`
        once more, and only an optimizer's `zero_grad` starts afresh. Values are taken as they were in the
        forward pass: do not write into `.data` in place between the two.

        Args:
            gradient: the derivative of the loss with respect to this tensor, of its shape; 1 for a scalar
                when None.

        Raises:
            RuntimeError: autograd is not enabled, or nothing under this tensor has `requires_grad`.
            ValueError: `gradient` is missing for more than one element, or has another shape.
        """
        if self._recorder is None:
            raise RuntimeError(
                "nothing records gradients: import core.autograd (module 05) before the forward pass, "
                "or call its enable_autograd()"
            )
        self._recorder.backward(self, gradient)

    def zero_grad(self) -> None:
        """Forget the gradient: `.grad` is None again."""
        self.grad = None

    @staticmethod
    def _result(data: Array, op: str, parents: tuple[Tensor, ...], **context: Any) -> Tensor:
        """The tensor in which an operation ends: the one place where every operation can be seen.

        Args:
            data: what was computed. It is adopted, not copied.
            op: name of the operation, by which the recorder finds the derivative.
            parents: the tensors that went in, in order.
            context: what else the derivative needs, such as `axes`.
        """
        result = Tensor.__new__(Tensor)  # __init__ would copy
        result.data = _no_stray_float64(data, parents)
        result.requires_grad = False  # a recorder that keeps the operation turns it on
        result.grad = None
        if Tensor._recorder is not None and any(parent.requires_grad for parent in parents):
            Tensor._recorder.record(result, op, parents, context)
        return result


def _dtype_was_chosen(data: object) -> bool:
    """Whether the dtype of `data` says something, as int8 does and numpy's default float64 does not."""
    if isinstance(data, Tensor):
        return True
    return isinstance(data, np.ndarray | np.generic) and data.dtype not in (np.float64, np.longdouble)


def _no_stray_float64(data: Array, parents: tuple[Tensor, ...]) -> Array:
    """numpy answers float64 to many questions about integers; float64 comes out only where it went in."""
    if data.dtype == np.float64 and all(parent.dtype != np.float64 for parent in parents):
        return data.astype(np.float32)
    return data


def _operand(value: object, partner: Tensor) -> Tensor | None:
    """`value` as a Tensor, or None when it is nothing to calculate with.

    A Python number takes its partner's dtype if that can hold its kind, as in numpy: int8 + 1 is int8.
    """
    if isinstance(value, Tensor):
        return value
    if isinstance(value, int | float) and not isinstance(value, np.generic):
        dtype = np.result_type(partner.dtype, value)
        return Tensor(value, dtype=np.float32 if dtype == np.float64 != partner.dtype else dtype)
    return Tensor(value) if isinstance(value, np.ndarray | np.generic) else None


def _elementwise(
    op: str, function: Callable[[Array, Array], Array], tensor: Tensor, other: object, reflected: bool = False
) -> Tensor:
    operand = _operand(other, tensor)
    if operand is None:
        return NotImplemented  # type: ignore[no-any-return]  # Python then raises a TypeError naming both types
    left, right = (operand, tensor) if reflected else (tensor, operand)
    try:
        np.broadcast_shapes(left.shape, right.shape)
    except ValueError as error:
        raise ValueError(
            f"{op}: shapes {left.shape} and {right.shape} do not broadcast; "
            "counted from the right, lengths must be equal or 1"
        ) from error
    return Tensor._result(np.asarray(function(left.data, right.data)), op, (left, right))


def matrix_product(left: Array, right: Array) -> Array:
    """numpy's matmul; a stack of matrices times one matrix is calculated as one tall matrix times it.

    >>> matrix_product(np.ones((2, 5, 3)), np.ones((3, 4))).shape
    (2, 5, 4)
    """
    if left.ndim > 2 and right.ndim == 2:
        *leading, length = left.shape
        tall = left.reshape(math.prod(leading), length)
        return np.asarray(np.matmul(tall, right).reshape(*leading, right.shape[1]))
    return np.asarray(np.matmul(left, right))


def _check_matmul(left: Shape, right: Shape) -> None:
    if not left or not right:
        raise ValueError(f"matmul: shapes {left} and {right}; a scalar has no axis to multiply along, use *")
    rows = right[-2:][0]
    if left[-1] != rows:
        which = "only" if len(right) == 1 else "second to last"
        raise ValueError(
            f"matmul: shapes {left} and {right} do not fit; the last axis of the left ({left[-1]}) "
            f"must equal the {which} axis of the right ({rows})"
        )
    try:
        np.broadcast_shapes(left[:-2], right[:-2])
    except ValueError as error:
        raise ValueError(
            f"matmul: shapes {left} and {right} do not fit; "
            f"the leading axes {left[:-2]} and {right[:-2]} do not broadcast"
        ) from error


def _lengths(values: tuple[Any, ...]) -> Shape:
    """Let `f(2, 3)` and `f((2, 3))` mean the same."""
    return tuple(values[0]) if len(values) == 1 and isinstance(values[0], tuple | list) else values


def _axes(axes: Shape, shape: Shape) -> Shape:
    """The axes counted from the front."""
    for axis in axes:
        if not -len(shape) <= axis < len(shape):
            raise ValueError(f"axis {axis} is out of range for shape {shape}, which has {len(shape)} axes")
    return tuple(axis % len(shape) for axis in axes)


def _reduced_axes(axis: Axis, shape: Shape, empty: str = "") -> Shape:
    """The axes to reduce; `empty` names the operation that has no answer for zero elements."""
    wanted = tuple(range(len(shape))) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
    axes = _axes(wanted, shape)
    if len(set(axes)) != len(axes):
        raise ValueError(f"an axis is named twice in {wanted} for shape {shape}")
    if empty and any(shape[i] == 0 for i in axes):
        raise ValueError(f"{empty} of no elements: shape {shape}, axis {axis}")
    return axes
