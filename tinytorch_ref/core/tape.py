# module: 05_autograd
"""The tape: what remembers operations, and walks them backwards.

The derivatives are in `tensor_gradients` and `model_gradients`; `autograd` has every name of these files.

Every operation ends in `Tensor._result` (module 01). Once `enable_autograd()` has installed a `Tape` there, an
operation that saw a tensor with `requires_grad` leaves a `Function` on its result. A Function knows the tensors
that went in, so the results and their Functions are a graph, and it lives as long as its last result does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, TypeVar

import numpy as np

from .tensor import Array, Tensor

Gradients = tuple[Array | None, ...]


class Function:
    """One operation on the tape: it knows what went in, and sends a gradient back through.

    A subclass per operation defines `apply`, and `@gradient_rule` says for which operation it is:

    >>> @gradient_rule("cube")
    ... class CubeBackward(Function):
    ...     def apply(self, grad_output):
    ...         (x,) = self.inputs
    ...         return (grad_output * 3 * x**2,)
    >>> def cube(x):
    ...     return Tensor._result(x.data**3, "cube", (x,))
    >>> enable_autograd()
    >>> x = Tensor([1, 2], requires_grad=True)
    >>> cube(x).sum().backward()
    >>> x.grad
    array([ 3., 12.], dtype=float32)

    Attributes:
        parents: the tensors that went in, in order.
        inputs: their arrays, as they were then.
        needs_input_grad: for each of them, whether a gradient is wanted; None may be given for the others.
        context: what else the operation gave to `Tensor._result`.
        position: when it was recorded; later operations have higher numbers.
    """

    position = 0

    def __init__(self, *tensors: Tensor, **context: Any):
        self.parents = tensors
        self.inputs = tuple(tensor.data for tensor in tensors)
        self.needs_input_grad = tuple(tensor.requires_grad for tensor in tensors)
        self.context = context

    @classmethod
    def of(cls, result: Tensor, parents: tuple[Tensor, ...], context: dict[str, Any]) -> Function:
        """The step that made `result`. A rule that needs the output's values overrides this.

        Keep `result.data` then, not `result`: the tensor holds its Function, and a ring of the two would wait
        for the garbage collector.
        """
        return cls(*parents, **context)

    @property
    def saved_tensors(self) -> tuple[Tensor, ...]:
        """The public course's name for `parents`."""
        return self.parents

    def apply(self, grad_output: Array) -> Gradients:
        """The chain rule: from ∂L/∂output to ∂L/∂input for each input, in order.

        Args:
            grad_output: of the output's shape. It may be shared: do not write into it.

        Returns:
            for each input an array of its shape, or None where no gradient is wanted or there is none.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define apply")


F = TypeVar("F", bound=type[Function])

_RULES: dict[str, type[Function]] = {}


def gradient_rule(*operations: str) -> Callable[[F], F]:
    """Class decorator: this Function is the derivative of the operations of these names.

    The name is the one that the operation gives to `Tensor._result`; the tensors and the context that it gives
    there become the arguments of the constructor (see `Function.of`).

    >>> @gradient_rule("twice", "double")
    ... class TwiceBackward(Function):
    ...     def apply(self, grad_output):
    ...         return (2 * grad_output,)
    >>> enable_autograd()
    >>> x = Tensor([5], requires_grad=True)
    >>> Tensor._result(2 * x.data, "double", (x,)).backward()
    >>> x.grad
    array([2.], dtype=float32)
    """

    def register(rule: F) -> F:
        _RULES.update(dict.fromkeys(operations, rule))
        return rule

    return register


class Tape:
    """Remembers operations as they happen; the `Recorder` that module 01 leaves room for.

    What it remembers hangs on the results, so the tape itself holds nothing:

    >>> enable_autograd()
    >>> a = Tensor([3], requires_grad=True)
    >>> b = a * 2
    >>> type(b._function).__name__, b._function.parents[0] is a
    ('MulBackward', True)

    Attributes:
        recording: whether operations are remembered; `no_grad()` turns it off.
    """

    def __init__(self) -> None:
        self.recording = True
        self._positions = count(1)

    def record(self, result: Tensor, op: str, parents: tuple[Tensor, ...], context: dict[str, Any]) -> None:
        """Leave on `result` the Function that made it."""
        if not self.recording:
            return
        rule = _RULES.get(op)
        function = rule.of(result, parents, context) if rule else _MissingRule(*parents, op=op)
        function.position = next(self._positions)
        result._function = function
        result.requires_grad = True

    def backward(self, tensor: Tensor, gradient: Array | Tensor | None = None) -> None:
        """Add to `.grad` of every leaf under `tensor` its derivative; see `Tensor.backward`."""
        if not tensor.requires_grad:
            raise RuntimeError(
                "backward: no tensor that this one was made from has requires_grad=True, or it was made under no_grad()"
            )
        pending: dict[int, Array] = {}  # gradients on their way, by the position of the Function that they go to
        _accumulate(tensor, _initial_gradient(tensor, gradient), pending)
        for function in _reverse_topological_order(tensor):
            grad_output = pending.pop(function.position, None)
            if grad_output is None:
                continue
            for parent, grad_input in zip(function.parents, function.apply(grad_output), strict=True):
                if grad_input is not None and parent.requires_grad:
                    _check_shape(function, parent, grad_input)
                    _accumulate(parent, grad_input, pending)


class _MissingRule(Function):
    """An operation without a rule: an error only if a gradient arrives."""

    def apply(self, grad_output: Array) -> Gradients:
        op = self.context["op"]
        raise NotImplementedError(f'no gradient rule for the operation "{op}": write one, @gradient_rule("{op}")')


def _initial_gradient(tensor: Tensor, gradient: Array | Tensor | None) -> Array:
    if gradient is None:
        if tensor.size != 1:
            raise ValueError(
                f"backward without a gradient starts from a scalar, and this tensor has shape {tensor.shape}: "
                "reduce it first, as by .sum(), or pass the gradient with respect to it"
            )
        return np.ones_like(tensor.data)
    initial = np.asarray(gradient, dtype=tensor.dtype)
    if initial.shape != tensor.shape:
        raise ValueError(f"backward: the gradient has shape {initial.shape}, the tensor {tensor.shape}")
    return initial


def _check_shape(function: Function, parent: Tensor, gradient: Array) -> None:
    """A rule that forgets to undo broadcasting must not leave a gradient that broadcasts again."""
    if gradient.shape != parent.shape:
        raise RuntimeError(
            f"{type(function).__name__}.apply gave a gradient of shape {gradient.shape} for a tensor of {parent.shape}"
        )


def _reverse_topological_order(tensor: Tensor) -> list[Function]:
    """The Functions under a tensor, each after everything that was made from it.

    Nothing is recorded before what it is made of, so recording order is a topological order, and reversed it is the
    one that backward needs. No recursion: a graph may be deeper than Python's stack.
    """
    functions: dict[int, Function] = {}
    waiting = [tensor]
    while waiting:
        function = waiting.pop()._function
        if function is not None and function.position not in functions:
            functions[function.position] = function
            waiting.extend(function.parents)
    return [functions[position] for position in sorted(functions, reverse=True)]


def _accumulate(tensor: Tensor, gradient: Array, pending: dict[int, Array]) -> None:
    """Add a gradient to a leaf's `.grad`, or to what is pending for the Function that made the tensor."""
    if tensor._function is None:
        if tensor.grad is None:
            # A copy: rules may hand the same array to two tensors, and users may write into .grad.
            tensor.grad = np.array(gradient, dtype=tensor.dtype, order="C")
        else:
            tensor.grad = tensor.grad + gradient.astype(tensor.dtype, copy=False)
        return
    position = tensor._function.position
    pending[position] = pending[position] + gradient if position in pending else gradient


_TAPE = Tape()


def enable_autograd() -> None:
    """Have operations recorded from now on. Importing `core.autograd` does it; again does no harm.

    >>> enable_autograd()
    >>> w = Tensor([3], requires_grad=True)
    >>> (w * w).backward()
    >>> w.grad
    array([6.], dtype=float32)
    """
    Tensor._recorder = _TAPE


@contextmanager
def no_grad() -> Iterator[None]:
    """Operations inside are not recorded: less memory for a model that is only used. Also a decorator.

    >>> w = Tensor([3], requires_grad=True)
    >>> with no_grad():
    ...     print((w * w).requires_grad)
    False
    """
    before, _TAPE.recording = _TAPE.recording, False
    try:
        yield
    finally:
        _TAPE.recording = before
