"""Activations: values by formula in double precision, extremes without warnings, gradients by differences."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinytorch_ref.core.activations import GELU, Activation, ReLU, Sigmoid, Softmax, Tanh, gelu_slope
from tinytorch_ref.core.tensor import Tensor

ALL = [Sigmoid, ReLU, Tanh, GELU, Softmax]


def gelu_by_formula(x: float) -> float:
    return 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


@pytest.mark.parametrize(
    ("activation", "formula"),
    [
        (Sigmoid(), lambda x: 1 / (1 + math.exp(-x))),
        (ReLU(), lambda x: x if x > 0 else 0.0),
        (Tanh(), math.tanh),
        (GELU(), gelu_by_formula),
    ],
)
def test_values_are_those_of_the_formula(activation: Activation, formula: Callable[[float], float]) -> None:
    points = np.linspace(-8, 8, 201)
    expected = [formula(float(np.float32(x))) for x in points]
    np.testing.assert_allclose(activation(Tensor(points)).data, expected, rtol=2e-6, atol=2e-7)


def test_gelu_is_the_tanh_form_and_stays_close_to_the_exact_one() -> None:
    points = np.linspace(-6, 6, 2401)
    ours = GELU()(Tensor(points, dtype=np.float64)).data
    exact = np.array([0.5 * x * (1 + math.erf(x / math.sqrt(2))) for x in points])
    assert 4.6e-4 < np.abs(ours - exact).max() < 4.8e-4


@pytest.mark.parametrize("activation", [Sigmoid(), ReLU(), Tanh(), GELU(), Softmax()])
def test_extremes_neither_overflow_nor_become_nan(activation: Activation) -> None:
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        output = activation(Tensor([-1000, -1e4, 0, 1e4, 1000])).data
    assert np.isfinite(output).all()


def test_sigmoid_saturates_symmetrically() -> None:
    x = np.array([0.5, 20, 1000])
    output = Sigmoid()(Tensor(np.concatenate([x, -x]), dtype=np.float64)).data
    np.testing.assert_allclose(output[:3] + output[3:], 1, rtol=1e-15)
    assert 0 < output[4] < 2.1e-9  # a small number, not a rounded 0


@pytest.mark.parametrize("dim", [0, 1, 2, -1, -3])
def test_softmax_gives_probabilities_along_the_axis_asked_for(dim: int) -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    powers = np.exp(x)
    expected = powers / powers.sum(axis=dim, keepdims=True)
    np.testing.assert_allclose(Softmax()(Tensor(x), dim).data, expected, rtol=1e-5)
    np.testing.assert_allclose(Softmax(dim=dim).forward(Tensor(x)).data, expected, rtol=1e-5)


def test_softmax_does_not_change_when_everything_moves_by_the_same() -> None:
    x = np.array([[1.0, 2.0, 4.0]])
    np.testing.assert_allclose(Softmax()(Tensor(x + 10_000)).data, Softmax()(Tensor(x)).data, rtol=1e-6)


def test_softmax_gives_nothing_to_minus_infinity() -> None:
    np.testing.assert_array_equal(Softmax()(Tensor([0, -np.inf, 0])).data, [0.5, 0, 0.5])


@pytest.mark.parametrize(("shape", "dim"), [((2, 3), 2), ((2, 3), -3), ((2, 0), 1), ((), 0)])
def test_softmax_refuses_an_axis_that_is_not_there(shape: tuple[int, ...], dim: int) -> None:
    with pytest.raises(ValueError, match=f"axis {dim} "):
        Softmax()(Tensor(np.zeros(shape)), dim)


@pytest.mark.parametrize("kind", ALL)
def test_backward_is_the_derivative_of_forward(kind: type[Activation]) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(3, 4)) * 2
    upstream = rng.normal(size=(3, 4))
    activation = kind()
    activation(Tensor(x, dtype=np.float64))
    ours = activation.backward(Tensor(upstream, dtype=np.float64))
    assert ours.dtype == np.float64

    def loss(values: Any) -> float:
        return float((kind()(Tensor(values, dtype=np.float64)).data * upstream).sum())

    step, expected = 1e-6, np.zeros_like(x)
    for index in np.ndindex(x.shape):
        moved = np.zeros_like(x)
        moved[index] = step
        expected[index] = (loss(x + moved) - loss(x - moved)) / (2 * step)
    np.testing.assert_allclose(ours.data, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("dim", [0, 1])
def test_softmax_backward_follows_the_axis_of_the_last_forward(dim: int) -> None:
    softmax = Softmax()
    softmax(Tensor(np.random.default_rng(2).normal(size=(3, 4))), dim)
    gradient = softmax.backward(Tensor(np.random.default_rng(3).normal(size=(3, 4))))
    # The probabilities always add up to 1, so no gradient can move their sum.
    np.testing.assert_allclose(gradient.data.sum(axis=dim), 0, atol=1e-6)
    assert np.abs(gradient.data.sum(axis=1 - dim)).max() > 1e-3


def test_relu_sends_nothing_back_at_zero_and_below() -> None:
    relu = ReLU()
    relu(Tensor([-1, 0, 2]))
    assert relu.backward(Tensor([5, 5, 5])).data.tolist() == [0, 0, 5]


@pytest.mark.parametrize("kind", ALL)
def test_backward_needs_a_forward_and_its_shape(kind: type[Activation]) -> None:
    activation = kind()
    with pytest.raises(RuntimeError, match="forward first"):
        activation.backward(Tensor([1]))
    activation(Tensor([1, 2]))
    with pytest.raises(ValueError, match=r"\(3,\).*\(2,\)"):
        activation.backward(Tensor([1, 2, 3]))


@pytest.mark.parametrize("kind", ALL)
def test_activations_have_no_parameters_keep_the_shape_and_work_on_integers_in_float32(
    kind: type[Activation],
) -> None:
    activation = kind()
    output = activation.forward(Tensor(np.array([[1, 2, 3]], np.int8)))
    assert activation.parameters() == []
    assert output.shape == (1, 3)
    assert output.dtype == np.float32
    with pytest.raises(TypeError, match="ndarray"):
        activation(np.zeros(3))  # type: ignore[arg-type]


@pytest.mark.parametrize(("dtype", "huge"), [(np.float16, 60000.0), (np.float32, 1e30), (np.float64, 1e200)])
def test_gelu_and_its_slope_do_not_overflow(dtype: type, huge: float) -> None:
    x = np.array([huge, -huge], dtype=dtype)
    np.testing.assert_array_equal(gelu_slope(x), [1, 0])
    np.testing.assert_array_equal(GELU()(Tensor(x, dtype=dtype)).data, np.array([huge, 0], dtype=dtype))
