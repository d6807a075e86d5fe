# module: 06_optimizers
"""How parameters follow their gradients: SGD, Adam, AdamW, with exactly PyTorch's update rules.

An optimizer writes into the parameters' arrays in place. Its `state_dict` is plain arrays, for checkpoints.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .autograd import enable_autograd
from .tensor import Array, Tensor

enable_autograd()

State = dict[str, Array]


class Optimizer:
    """Parameters, and what is remembered about each of them from step to step.

    Args:
        params: the tensors to train, each with `requires_grad`.
        lr: the learning rate; change the attribute between steps as you like.

    Attributes:
        step_count: how often `step` was called.
        state: for each parameter, by its place in `params`, arrays by name. Empty before its first gradient.

    Raises:
        TypeError: `params` holds something that is no Tensor.
        ValueError: it is empty, names a tensor twice, or one that does not require a gradient.

    A subclass says in `_update` how one array follows its gradient:

    >>> class Sign(Optimizer):
    ...     def _update(self, values, gradient, state):
    ...         values -= self.lr * np.sign(gradient)
    >>> w = Tensor([1, -1], requires_grad=True)
    >>> optimizer = Sign([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    Tensor([0.5, -0.5], dtype=float32, requires_grad=True)
    """

    def __init__(self, params: Iterable[Tensor], lr: float = 0.01, weight_decay: float = 0.0):
        self.params = list(params)
        _check_parameters(self.params)
        self.lr = _not_negative("lr", lr)
        self.weight_decay = _not_negative("weight_decay", weight_decay)
        self.step_count = 0
        self.state: list[State] = [{} for _ in self.params]

    def zero_grad(self) -> None:
        """Forget all gradients (None, not zeros), so that the next backward starts afresh."""
        for param in self.params:
            param.grad = None

    def step(self) -> None:
        """Move every parameter that has a gradient; one without is left alone, and so is its state."""
        self.step_count += 1
        for param, state in zip(self.params, self.state, strict=True):
            if param.grad is not None:
                self._update(param.data, param.grad, state)

    def state_dict(self) -> dict[str, Array]:
        """All that is remembered, as arrays by name `<parameter>.<what>`; copies."""
        arrays = {f"{i}.{name}": np.copy(array) for i, state in enumerate(self.state) for name, array in state.items()}
        return arrays | {"step_count": np.asarray(self.step_count), "lr": np.asarray(self.lr)}

    def load_state_dict(self, saved: dict[str, Array]) -> None:
        """Continue where `state_dict` was taken, with the same parameters in the same order.

        Raises:
            ValueError: it was taken from other parameters.
        """
        state: list[State] = [{} for _ in self.params]
        for key, array in saved.items():
            place, dot, name = key.partition(".")
            if not dot:
                continue
            if int(place) >= len(state) or array.shape not in ((), self.params[int(place)].shape):
                raise ValueError(f"the saved state '{key}' of shape {array.shape} fits no parameter here")
            state[int(place)][name] = np.copy(array)
        self.state, self.step_count, self.lr = state, int(saved["step_count"]), float(saved["lr"])

    def _update(self, values: Array, gradient: Array, state: State) -> None:
        """Move `values` in place; `state` is this parameter's own, kept from step to step."""
        raise NotImplementedError(f"{type(self).__name__} does not define _update")

    def _decayed(self, values: Array, gradient: Array) -> Array:
        """The gradient of the loss + weight_decay/2 · |values|², a pull towards 0."""
        return gradient + self.weight_decay * values if self.weight_decay else gradient


class SGD(Optimizer):
    """Stochastic gradient descent: w ← w - lr · v with v ← momentum · v + g, and g = gradient + weight_decay · w.

    v starts as the first g. This is the momentum of Sutskever et al. (ICML 2013) as PyTorch writes it, with the
    learning rate outside v, so that a changed rate acts at once.

    >>> w = Tensor([1], requires_grad=True)
    >>> optimizer = SGD([w], lr=0.1)
    >>> (w * w).backward()
    >>> optimizer.step()
    >>> w
    Tensor([0.8], dtype=float32, requires_grad=True)
    """

    def __init__(self, params: Iterable[Tensor], lr: float = 0.01, momentum: float = 0.0, weight_decay: float = 0.0):
        super().__init__(params, lr, weight_decay)
        self.momentum = _not_negative("momentum", momentum)

    def _update(self, values: Array, gradient: Array, state: State) -> None:
        gradient = self._decayed(values, gradient)
        if self.momentum:
            if "velocity" in state:
                state["velocity"] *= self.momentum
                state["velocity"] += gradient
            else:
                state["velocity"] = np.array(gradient, dtype=values.dtype)
            gradient = state["velocity"]
        values -= self.lr * gradient


class Adam(Optimizer):
    """Steps scaled by running means of the gradient and its square (Kingma and Ba, arXiv:1412.6980, algorithm 1).

    With g = gradient + weight_decay · w, in step t:
    m ← β₁ m + (1 - β₁) g;  v ← β₂ v + (1 - β₂) g²;
    w ← w - lr · m̂ / (√v̂ + eps), where m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ) correct for starting at 0.

    t counts the steps in which the parameter had a gradient.

    >>> w = Tensor([1], requires_grad=True)
    >>> optimizer = Adam([w], lr=0.1)
    >>> (w * w).backward()
    >>> optimizer.step()
    >>> w
    Tensor([0.9], dtype=float32, requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ):
        super().__init__(params, lr, weight_decay)
        if not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"betas lie between 0 (included) and 1 (not included), got {betas}")
        self.betas = betas
        self.eps = _not_negative("eps", eps)

    def _update(self, values: Array, gradient: Array, state: State) -> None:
        self._adam_step(values, self._decayed(values, gradient), state)

    def _adam_step(self, values: Array, gradient: Array, state: State) -> None:
        if not state:
            state.update(m=np.zeros_like(values), v=np.zeros_like(values), t=np.asarray(0))
        state["t"] = np.asarray(state["t"] + 1)
        m, v, t = state["m"], state["v"], int(state["t"])
        beta1, beta2 = self.betas
        m *= beta1
        m += (1 - beta1) * gradient
        v *= beta2
        v += (1 - beta2) * gradient * gradient
        denominator = np.asarray(np.sqrt(v))
        denominator /= (1 - beta2**t) ** 0.5
        denominator += self.eps
        values -= self.lr / (1 - beta1**t) * m / denominator


class AdamW(Adam):
    """Adam with weight decay apart from the gradient: w ← w - lr · weight_decay · w first, then Adam's step.

    So the pull towards 0 is not divided by √v̂ (Loshchilov and Hutter, arXiv:1711.05101, algorithm 2).

    >>> w = Tensor([1], requires_grad=True)
    >>> optimizer = AdamW([w], lr=0.1, weight_decay=0.5)
    >>> (w * w).backward()
    >>> optimizer.step()
    >>> w
    Tensor([0.85], dtype=float32, requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ):
        super().__init__(params, lr, betas, eps, weight_decay)

    def _update(self, values: Array, gradient: Array, state: State) -> None:
        values *= 1 - self.lr * self.weight_decay
        self._adam_step(values, gradient, state)


def _check_parameters(params: list[Any]) -> None:
    if not params:
        raise ValueError("an optimizer needs at least one parameter, and this list is empty")
    for i, param in enumerate(params):
        if not isinstance(param, Tensor):
            raise TypeError(f"parameter {i} is a {type(param).__name__}, not a Tensor")
        if not param.requires_grad:
            raise ValueError(f"parameter {i} of shape {param.shape} does not require a gradient: requires_grad=True")
    if len({id(param) for param in params}) < len(params):
        raise ValueError("a parameter is in the list twice and would be moved twice: list each tensor once")


def _not_negative(name: str, value: float) -> float:
    if not value >= 0:
        raise ValueError(f"{name} is a number of at least 0, got {value}")
    return value
