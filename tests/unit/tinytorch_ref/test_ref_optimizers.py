"""Optimizers: the first steps by hand, descent, what is left alone, state, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinytorch_ref.core.optimizers import SGD, Adam, AdamW, Optimizer
from tinytorch_ref.core.tensor import Tensor

KINDS: list[tuple[type[Optimizer], dict[str, Any]]] = [
    (SGD, {"lr": 0.1}),
    (SGD, {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01}),
    (Adam, {"lr": 0.1}),
    (AdamW, {"lr": 0.1, "weight_decay": 0.01}),
]


def parameter(*values: float) -> Tensor:
    return Tensor(values, requires_grad=True, dtype=np.float64)


def steps(optimizer: Optimizer, gradients: list[float]) -> list[float]:
    [param] = optimizer.params
    values = []
    for gradient in gradients:
        param.grad = np.array([gradient])
        optimizer.step()
        values.append(float(param.data[0]))
    return values


def test_sgd_by_hand() -> None:
    assert steps(SGD([parameter(1)], lr=0.1), [2, 1]) == pytest.approx([0.8, 0.7])
    # v = 2, then 0.9 · 2 + 1
    assert steps(SGD([parameter(1)], lr=0.1, momentum=0.9), [2, 1]) == pytest.approx([0.8, 0.8 - 0.28])
    # g = 2 + 0.5 · 1
    assert steps(SGD([parameter(1)], lr=0.1, weight_decay=0.5), [2]) == pytest.approx([0.75])


def test_adam_moves_by_the_learning_rate_at_first_whatever_the_gradients_size() -> None:
    for gradient in (1e-3, 1, 1e3):
        assert steps(Adam([parameter(1)], lr=0.1), [gradient]) == pytest.approx([0.9], abs=1e-6)


def test_adam_by_hand() -> None:
    m1, v1 = 0.1 * 2, 0.001 * 4
    m2, v2 = 0.9 * m1 + 0.1 * -1, 0.999 * v1 + 0.001
    first = 1 - 0.1 * (m1 / 0.1) / ((v1 / 0.001) ** 0.5 + 1e-8)
    second = first - 0.1 * (m2 / (1 - 0.9**2)) / ((v2 / (1 - 0.999**2)) ** 0.5 + 1e-8)
    assert steps(Adam([parameter(1)], lr=0.1), [2, -1]) == pytest.approx([first, second])


def test_weight_decay_goes_through_the_scaling_in_adam_and_past_it_in_adamw() -> None:
    # With a gradient of 0, Adam's step is the sign of the decay term, AdamW's is the decay itself.
    assert steps(Adam([parameter(1)], lr=0.1, weight_decay=0.01), [0]) == pytest.approx([0.9], abs=1e-6)
    assert steps(AdamW([parameter(1)], lr=0.1, weight_decay=0.01), [0]) == pytest.approx([1 - 0.1 * 0.01])


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_they_find_the_minimum_of_a_parabola(kind: type[Optimizer], options: dict[str, Any]) -> None:
    param = Tensor([3, -2], requires_grad=True)
    optimizer = kind([param], **{**options, "weight_decay": 0})
    for _ in range(300):
        optimizer.zero_grad()
        ((param - 1) ** 2).sum().backward()
        optimizer.step()
    np.testing.assert_allclose(param.data, 1, atol=1e-2)
    assert optimizer.step_count == 300


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_a_parameter_without_a_gradient_stays_and_its_clock_stands_still(
    kind: type[Optimizer], options: dict[str, Any]
) -> None:
    late, always, reference = parameter(1), parameter(1), parameter(1)
    optimizer, alone = kind([late, always], **options), kind([reference], **options)
    for _ in range(5):
        always.grad = np.array([1.0])
        optimizer.step()
    assert late.data.tolist() == [1]
    late.grad = reference.grad = np.array([3.0])
    optimizer.step()
    alone.step()
    assert late.data.tolist() == reference.data.tolist()


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_steps_write_in_place_and_keep_the_dtype_and_the_gradient(
    kind: type[Optimizer], options: dict[str, Any]
) -> None:
    param = Tensor([1, 2], requires_grad=True)
    array, gradient = param.data, np.array([1, 1], np.float32)
    param.grad = gradient
    optimizer = kind([param], **options)
    optimizer.step()
    optimizer.step()
    assert param.data is array
    assert param.dtype == np.float32
    assert gradient.tolist() == [1, 1]
    assert all(array.dtype in (np.float32, np.int64) for array in optimizer.state[0].values())


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_a_restored_state_continues_as_if_nothing_had_happened(kind: type[Optimizer], options: dict[str, Any]) -> None:
    first, second = parameter(1), parameter(1)
    optimizer, restored = kind([first], **options), kind([second], **options)
    expected = steps(optimizer, [1, -2, 3])
    second.data = first.data.copy()
    restored.load_state_dict(optimizer.state_dict())
    assert steps(restored, [0.5, 1]) == steps(optimizer, [0.5, 1])
    assert restored.step_count == 5
    assert expected


def test_a_state_is_a_copy_and_must_fit() -> None:
    optimizer = Adam([parameter(1)], lr=0.1)
    steps(optimizer, [1])
    saved = optimizer.state_dict()
    steps(optimizer, [1])
    assert saved["0.t"] == 1
    with pytest.raises(ValueError, match="fits no parameter"):
        Adam([parameter(1, 2)]).load_state_dict(saved)
    with pytest.raises(ValueError, match=r"1\.m"):
        Adam([parameter(1)]).load_state_dict({**saved, "1.m": np.zeros(1)})


def test_zero_grad_forgets() -> None:
    param = Tensor([1], requires_grad=True)
    (param * 2).backward()
    SGD([param]).zero_grad()
    assert param.grad is None


@pytest.mark.parametrize("kind", [SGD, Adam, AdamW])
def test_what_cannot_be_trained_is_refused(kind: Any) -> None:
    good = Tensor([1], requires_grad=True)
    with pytest.raises(TypeError, match="parameter 1 is a ndarray"):
        kind([good, np.zeros(2)])
    with pytest.raises(ValueError, match="parameter 0 of shape"):
        kind([Tensor([1])])
    with pytest.raises(ValueError, match="twice"):
        kind([good, good])
    with pytest.raises(ValueError, match="empty"):
        kind([])
    with pytest.raises(ValueError, match="lr"):
        kind([good], lr=-1)
    with pytest.raises(ValueError, match="weight_decay"):
        kind([good], weight_decay=float("nan"))


def test_other_settings_out_of_range_are_refused() -> None:
    good = Tensor([1], requires_grad=True)
    with pytest.raises(ValueError, match="momentum"):
        SGD([good], momentum=-0.1)
    with pytest.raises(ValueError, match="betas"):
        Adam([good], betas=(0.9, 1))
    with pytest.raises(ValueError, match="eps"):
        Adam([good], eps=-1)


def test_parameters_may_come_from_a_generator() -> None:
    assert len(SGD(Tensor([i], requires_grad=True) for i in range(3)).params) == 3


def test_the_base_class_knows_no_rule() -> None:
    param = Tensor([1], requires_grad=True)
    param.grad = np.ones(1)
    with pytest.raises(NotImplementedError, match="Optimizer"):
        Optimizer([param]).step()
