# module: 14_profiling
"""What is given for running a model in order to watch it: a forward pass, a training step, a clock, a trace of memory.

How they are used is in `profiler`. A model is run as when it is used: if it has a training mode it is told that
it does not train, so that nothing is drawn or averaged that the caller would notice.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from ..core.autograd import no_grad
from ..core.tensor import Tensor

Work = Callable[[], object]
Clock = Callable[[], float]
LossFunction = Callable[[Any], Tensor]

_BRIEF_MS = 500
_FEWEST, _MOST = 3, 100
_STEPS = 5


def forward_run(model: Any, input_tensor: Tensor) -> Callable[[], Any]:
    """A forward pass to be run, which records nothing for gradients.

    Raises:
        TypeError: the model can neither be called nor has it a `forward`.

    >>> forward_run(lambda x: x * 2, Tensor([1, 2]))()
    Tensor([2, 4], dtype=float32)
    """
    return no_grad()(_recorded_run(model, input_tensor))


def _recorded_run(model: Any, input_tensor: Tensor) -> Callable[[], Any]:
    call = model if callable(model) else getattr(model, "forward", None)
    if call is None:
        raise TypeError(f"{type(model).__name__} can neither be called nor has it a forward")
    options = {"training": False} if getattr(model, "has_training_mode", False) else {}
    return lambda: call(input_tensor, **options)


# Time


def now_ms() -> float:
    """What the clock for short times shows, in ms; only differences mean anything. It never goes back.

    >>> before = now_ms()
    >>> now_ms() >= before
    True
    """
    return time.perf_counter_ns() / 1e6


def clock_step_ms() -> float:
    """The smallest of a few steps of that clock, in ms: what takes less may be told as 0. A browser's are long.

    >>> 0 < clock_step_ms() < 1000
    True
    """
    steps = []
    for _ in range(_STEPS):
        before = now_ms()
        while (after := now_ms()) == before:
            pass
        steps.append(after - before)
    return min(steps)


@contextmanager
def collector_paused() -> Iterator[None]:
    """No garbage collection inside, as in `timeit`; afterwards as before.

    >>> with collector_paused():
    ...     gc.isenabled()
    False
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def brief_iterations(first_ms: float) -> int:
    """How often to repeat what took `first_ms`: for about half a second, from 3 times to 100.

    >>> brief_iterations(0.01), brief_iterations(25), brief_iterations(10_000)
    (100, 20, 3)
    """
    return max(_FEWEST, min(_MOST, int(_BRIEF_MS / max(first_ms, 1e-6))))


# Memory


class Allocated(NamedTuple):
    """Bytes that a run had allocated beyond what there was before it.

    >>> Allocated(peak=2000, retained=500)
    Allocated(peak=2000, retained=500)
    """

    peak: int  # at its height
    retained: int  # at its end, with its result still there


@contextmanager
def tracing() -> Iterator[None]:
    """tracemalloc inside, to which numpy reports its arrays; left running where it was running.

    >>> with tracing():
    ...     array = np.zeros(10**6, np.int8)
    ...     tracemalloc.get_traced_memory()[0] // 10**6
    1
    """
    already = tracemalloc.is_tracing()
    if not already:
        tracemalloc.start()
    try:
        yield
    finally:
        if not already:
            tracemalloc.stop()


# Forward and backward


class TrainingStep:
    """A forward pass that is recorded, and its backward pass; the optimizer is not run.

    The input is given a gradient as well where it is floating-point, as that of a layer inside of a model is. Gradients
    that the parameters have are put aside meanwhile: use it in a `with` block.

    Args:
        model: see `profiler`.
        input_tensor: what goes in. It is copied.
        parameters: the model's; those with `requires_grad` get gradients.
        loss_fn: from the output to a scalar, run with the forward pass; the sum of the output where None.

    >>> w = Tensor([2, 3], requires_grad=True)
    >>> with TrainingStep(lambda x: x * w, Tensor([10, 20]), [w]) as step:
    ...     step.backward(step.forward())
    ...     print(w.grad)
    [10. 20.]
    >>> w.grad is None
    True
    """

    def __init__(
        self, model: Any, input_tensor: Tensor, parameters: Sequence[Tensor], loss_fn: LossFunction | None = None
    ):
        floating = input_tensor.dtype.kind == "f"
        self._input = Tensor(input_tensor, requires_grad=floating)
        self._model = _recorded_run(model, self._input)
        self._loss_fn = loss_fn
        self._parameters = list(parameters)
        self._put_aside: list[Any] = []

    def __enter__(self) -> TrainingStep:
        self._put_aside = [tensor.grad for tensor in self._parameters]
        self.forget()
        return self

    def __exit__(self, *error: object) -> None:
        for tensor, gradient in zip(self._parameters, self._put_aside, strict=True):
            tensor.grad = gradient

    def forward(self) -> Tensor:
        """The loss, or the output where there is no `loss_fn`; recorded.

        Raises:
            TypeError: it is no Tensor.
        """
        output = self._model()
        end = output if self._loss_fn is None else self._loss_fn(output)
        if not isinstance(end, Tensor):
            raise TypeError(f"backward starts from one Tensor, and this model or loss gives a {type(end).__name__}")
        return end

    def backward(self, end: Tensor) -> None:
        """Gradients, from what `forward` gave."""
        end.backward(np.ones_like(end.data) if self._loss_fn is None else None)

    def run(self) -> None:
        """Forward and backward, from no gradients."""
        self.forget()
        self.backward(self.forward())

    def gradient_bytes(self) -> int:
        """What the gradients that the parameters have take."""
        return sum(tensor.grad.nbytes for tensor in self._parameters if tensor.grad is not None)

    def forget(self) -> None:
        """No gradients any more, so that the next backward pass does not add to them."""
        for tensor in (self._input, *self._parameters):
            tensor.grad = None
