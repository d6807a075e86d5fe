"""Losses: values by formula, gradients with and without the tape, extremes, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from gradients import check_gradients
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch_ref.core import autograd
from tinytorch_ref.core.losses import BinaryCrossEntropyLoss, CrossEntropyLoss, Loss, MSELoss, log_softmax
from tinytorch_ref.core.tensor import Tensor

RNG = np.random.default_rng(0)
PROBABILITIES = RNG.uniform(0.05, 0.95, size=(3, 4))


def test_mean_squared_error_by_formula() -> None:
    p, t = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4))
    assert MSELoss()(Tensor(p), Tensor(t)).data == pytest.approx(((p - t) ** 2).mean(), rel=1e-5)


def test_binary_cross_entropy_by_formula() -> None:
    p, t = PROBABILITIES, RNG.uniform(size=(3, 4))
    expected = -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p))
    assert BinaryCrossEntropyLoss()(Tensor(p), Tensor(t)).data == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("leading", [(5,), (2, 3), (1,), ()])
def test_cross_entropy_by_formula(leading: tuple[int, ...]) -> None:
    logits = RNG.normal(size=(*leading, 4))
    classes = RNG.integers(0, 4, size=leading)
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    expected = -np.log(np.take_along_axis(probabilities, np.asarray(classes)[..., None], -1)).mean()
    loss = CrossEntropyLoss()(Tensor(logits), Tensor(np.asarray(classes)))
    assert loss.shape == ()
    assert loss.data == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_log_softmax_is_the_logarithm_of_softmax(dim: int) -> None:
    x = RNG.normal(size=(3, 4))
    expected = x - np.log(np.exp(x).sum(axis=dim, keepdims=True))
    np.testing.assert_allclose(log_softmax(Tensor(x), dim).data, expected, rtol=1e-5, atol=1e-6)


# Gradients


def test_gradients_through_the_tape() -> None:
    targets = RNG.integers(0, 5, size=(3,))
    check_gradients(lambda x: CrossEntropyLoss()(x, Tensor(targets)), (3, 5))
    check_gradients(lambda x: CrossEntropyLoss()(x, Tensor(np.array([[0, 4], [1, 1]]))), (2, 2, 5))
    check_gradients(MSELoss(), (3, 4), (3, 4))
    check_gradients(BinaryCrossEntropyLoss(), PROBABILITIES, RNG.uniform(size=(3, 4)))


@pytest.mark.parametrize(
    ("loss", "predictions", "targets"),
    [
        (MSELoss(), RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4))),
        (BinaryCrossEntropyLoss(), PROBABILITIES, RNG.integers(0, 2, size=(3, 4))),
        (CrossEntropyLoss(), RNG.normal(size=(3, 4)), np.array([0, 3, 1])),
    ],
)
def test_a_loss_finds_the_same_gradient_without_the_tape(loss: Loss, predictions: Any, targets: Any) -> None:
    p = Tensor(predictions, requires_grad=True)
    loss(p, Tensor(targets)).backward()
    by_itself = loss.backward()
    assert by_itself.shape == p.shape
    assert by_itself.dtype == p.dtype
    np.testing.assert_allclose(by_itself.data, p.grad, rtol=1e-6)


def test_rules_by_hand_need_only_predictions_and_targets() -> None:
    logits, targets = Tensor(np.zeros((2, 2)), requires_grad=True), Tensor([0, 1])
    [gradient] = autograd.CrossEntropyBackward(logits, targets).apply(np.array(2.0, np.float32))
    assert gradient is not None
    assert gradient.tolist() == [[-0.5, 0.5], [0.5, -0.5]]
    p, t = Tensor([1, 3], requires_grad=True), Tensor([0, 0])
    assert autograd.MSEBackward(p, t).apply(np.array(1.0, np.float32))[1] is None


def test_backward_does_not_change_what_the_next_backward_finds() -> None:
    loss, logits = CrossEntropyLoss(), Tensor(RNG.normal(size=(3, 4)), requires_grad=True)
    value = loss(logits, Tensor([0, 1, 2]))
    value.backward()
    assert logits.grad is not None
    first = logits.grad.copy()
    value.backward()
    np.testing.assert_array_equal(logits.grad, 2 * first)
    np.testing.assert_array_equal(loss.backward().data, first)


# Extremes


def test_cross_entropy_of_a_thousand_either_way_is_finite_and_exact() -> None:
    logits = Tensor([[1000, -1000], [1000, -1000]], requires_grad=True)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        loss = CrossEntropyLoss()(logits, Tensor([0, 1]))
        loss.backward()
    assert loss.data == 1000
    assert logits.grad is not None
    assert logits.grad.tolist() == [[0, 0], [0.5, -0.5]]


def test_binary_cross_entropy_of_certainties_is_finite() -> None:
    p = Tensor([0, 1, 0, 1], requires_grad=True)
    loss = BinaryCrossEntropyLoss()(p, Tensor([0, 1, 1, 0]))
    loss.backward()
    assert loss.data == 50  # two right for nothing, two wrong for 100 each
    assert p.grad is not None
    assert np.isfinite(p.grad).all()
    assert np.sign(p.grad).tolist() == [0, 0, -1, 1]


def test_log_softmax_of_a_thousand_either_way() -> None:
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert log_softmax(Tensor([1000, 0, -1000])).data.tolist() == [0, -1000, -2000]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=8), st.floats(-1e4, 1e4, width=32))
def test_log_softmax_adds_up_and_ignores_a_shift(values: list[float], shift: float) -> None:
    x = np.array(values, dtype=np.float64)
    log_probabilities = log_softmax(Tensor(x, dtype=np.float64)).data
    assert np.exp(log_probabilities).sum() == pytest.approx(1)
    moved = log_softmax(Tensor(x + shift, dtype=np.float64)).data
    np.testing.assert_allclose(moved, log_probabilities, rtol=1e-6, atol=1e-6)


# Types and refusals


@pytest.mark.parametrize("kind", [np.int8, np.int64, np.float32, np.uint8])
def test_classes_may_be_any_whole_numbers(kind: Any) -> None:
    loss = CrossEntropyLoss()(Tensor(np.zeros((3, 4))), Tensor(np.array([0, 1, 3], dtype=kind)))
    assert loss.data == pytest.approx(math.log(4))


def test_the_loss_has_the_dtype_of_the_predictions() -> None:
    for dtype in (np.float32, np.float64):
        p = Tensor([[0.5, 0.5]], dtype=dtype)
        assert MSELoss()(p, Tensor(np.array([[1, 0]]))).dtype == dtype
        assert BinaryCrossEntropyLoss()(p, Tensor(np.array([[1, 0]]))).dtype == dtype
        assert CrossEntropyLoss()(p, Tensor([0])).dtype == dtype
    assert MSELoss()(Tensor(np.array([1, 2])), Tensor(np.array([1, 2]))).dtype == np.float32


@pytest.mark.parametrize(
    ("logits", "targets", "message"),
    [
        ((2, 3), [0, 1, 2], r"\(2, 3\).*\(3,\)"),
        ((2, 3), [[0], [1]], r"\(2, 1\)"),
        ((2, 3), [0, 3], "from 0 to 2.*3"),
        ((2, 3), [-1, 0], "from 0 to 2"),
        ((2, 3), [0.5, 0], "whole"),
        ((0, 3), [], r"\(0, 3\)"),
        ((), 0, r"\(\)"),
    ],
)
def test_cross_entropy_says_what_does_not_fit(logits: Any, targets: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CrossEntropyLoss()(Tensor(np.zeros(logits)), Tensor(targets))


@pytest.mark.parametrize("loss", [MSELoss(), BinaryCrossEntropyLoss()])
def test_shapes_must_agree_for_the_others(loss: Loss) -> None:
    with pytest.raises(ValueError, match=r"\(3, 1\).*\(3,\)"):
        loss(Tensor(np.zeros((3, 1))), Tensor(np.zeros(3)))
    with pytest.raises(ValueError, match="empty"):
        loss(Tensor([]), Tensor([]))
    with pytest.raises(TypeError, match="ndarray"):
        loss(np.zeros(3), np.zeros(3))  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_binary_cross_entropy_refuses_what_is_no_probability(wrong: float) -> None:
    with pytest.raises(ValueError, match="Sigmoid"):
        BinaryCrossEntropyLoss()(Tensor([0.5, wrong]), Tensor([0, 1]))


@pytest.mark.parametrize(("shape", "dim"), [((2, 3), 2), ((2, 0), 1), ((), 0)])
def test_log_softmax_refuses_an_axis_that_is_not_there(shape: tuple[int, ...], dim: int) -> None:
    with pytest.raises(ValueError, match=f"axis {dim} "):
        log_softmax(Tensor(np.zeros(shape)), dim)


@pytest.mark.parametrize("kind", [MSELoss, BinaryCrossEntropyLoss, CrossEntropyLoss])
def test_backward_needs_a_forward_and_losses_learn_nothing(kind: type[Loss]) -> None:
    with pytest.raises(RuntimeError, match="forward first"):
        kind().backward()
    assert kind().parameters() == []
