"""Every layer and every loss where it is easily wrong: empty, of one element, not contiguous, huge, misshapen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from tinytorch_ref.core import autograd  # noqa: F401 (turns recording on)
from tinytorch_ref.core.activations import GELU, ReLU, Sigmoid, Softmax, Tanh
from tinytorch_ref.core.attention import MultiHeadAttention
from tinytorch_ref.core.layers import Dropout, Linear, Sequential
from tinytorch_ref.core.losses import BinaryCrossEntropyLoss, CrossEntropyLoss, MSELoss, log_softmax
from tinytorch_ref.core.spatial import AvgPool2d, BatchNorm2d, Conv2d, Flatten, MaxPool2d, SimpleCNN
from tinytorch_ref.core.tensor import Tensor
from tinytorch_ref.models.transformer import GPT, MLP, LayerNorm, TransformerBlock, create_causal_mask
from tinytorch_ref.text.embeddings import Embedding, EmbeddingLayer, PositionalEncoding


class Case(NamedTuple):
    """A layer, an input that suits it, and one that does not, with what the message must say."""

    build: Callable[[], Any]
    shape: tuple[int, ...]
    wrong: tuple[int, ...] | None = None
    expected: str = ""


def masked_attention() -> Callable[[Tensor], Tensor]:
    attention = MultiHeadAttention(4, 2)
    return lambda x: attention(x, create_causal_mask(x.shape[-2]))


def batch_norm_in_use() -> Callable[[Tensor], Tensor]:
    norm = BatchNorm2d(3)
    return lambda x: norm(x, training=False)


CASES = {
    "Sigmoid": Case(Sigmoid, (5, 4)),
    "ReLU": Case(ReLU, (5, 4)),
    "Tanh": Case(Tanh, (5, 4)),
    "GELU": Case(GELU, (5, 4)),
    "Softmax": Case(Softmax, (5, 4), (), r"axis -1 of shape \(\)"),
    "log_softmax": Case(lambda: log_softmax, (5, 4), (), r"axis -1 of shape \(\)"),
    "Linear": Case(lambda: Linear(4, 3), (5, 4), (5, 7), r"\(\.\.\., 4\), got \(5, 7\)"),
    "Dropout": Case(lambda: Dropout(0.5), (5, 4)),
    "Sequential": Case(lambda: Sequential(Linear(4, 3), ReLU()), (5, 4), (4, 5), r"\(\.\.\., 4\), got \(4, 5\)"),
    "Conv2d": Case(
        lambda: Conv2d(3, 4, 3, padding=1), (2, 3, 5, 6), (2, 4, 5, 6), r"\(N, 3, H, W\), got \(2, 4, 5, 6\)"
    ),
    "MaxPool2d": Case(lambda: MaxPool2d(2), (2, 3, 5, 6), (5, 6), r"\(N, C, H, W\), got \(5, 6\)"),
    "AvgPool2d": Case(lambda: AvgPool2d(2), (2, 3, 5, 6), (5, 6), r"\(N, C, H, W\), got \(5, 6\)"),
    "BatchNorm2d": Case(lambda: BatchNorm2d(3), (2, 3, 5, 6), (2, 4, 5, 6), r"\(N, 3, H, W\), got \(2, 4, 5, 6\)"),
    "BatchNorm2d in use": Case(batch_norm_in_use, (2, 3, 5, 6), (3, 5, 6), r"\(N, 3, H, W\), got \(3, 5, 6\)"),
    "Flatten": Case(Flatten, (2, 3, 4), (), r"\(N, \.\.\.\), got \(\)"),
    "SimpleCNN": Case(
        lambda: SimpleCNN(3, in_channels=1, image_size=8), (2, 1, 8, 8), (2, 1, 4, 4), r"\(\.\.\., 128\), got \(2, 32\)"
    ),
    "LayerNorm": Case(lambda: LayerNorm(4), (5, 4), (5, 7), r"\(\.\.\., 4\), got \(5, 7\)"),
    "LayerNorm over two axes": Case(
        lambda: LayerNorm((3, 4)), (5, 3, 4), (5, 4, 3), r"\(\.\.\., 3, 4\), got \(5, 4, 3\)"
    ),
    "MLP": Case(lambda: MLP(4), (2, 5, 4), (2, 5, 7), r"\(\.\.\., 4\), got \(2, 5, 7\)"),
    "PositionalEncoding": Case(
        lambda: PositionalEncoding(8, 4), (2, 5, 4), (2, 5, 7), r"\(\.\.\., tokens, 4\), got \(2, 5, 7\)"
    ),
    "MultiHeadAttention": Case(
        lambda: MultiHeadAttention(4, 2), (2, 5, 4), (2, 5, 7), r"\(\.\.\., tokens, 4\), got \(2, 5, 7\)"
    ),
    "MultiHeadAttention, masked": Case(masked_attention, (2, 5, 4), (2, 5, 7), r"tokens, 4\), got \(2, 5, 7\)"),
    "TransformerBlock": Case(lambda: TransformerBlock(4, 2), (2, 5, 4), (2, 5, 7), r"4\), got \(2, 5, 7\)"),
}

LAYERS = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def normal(shape: tuple[int, ...]) -> Any:
    return np.random.default_rng(0).standard_normal(shape)


def run(case: Case, x: Tensor, gradient: Any = None) -> tuple[Tensor, Any]:
    """Output and the input's gradient, from the same layer and the same draws each time."""
    np.random.seed(1)
    output = case.build()(x)
    output.backward(np.ones(output.shape) if gradient is None else gradient)
    return output, x.grad


@LAYERS
def test_an_empty_batch_goes_through_and_back(case: Case) -> None:
    if case.build is CASES["BatchNorm2d"].build:
        with pytest.raises(ValueError, match="more than one pixel"):
            case.build()(Tensor(np.ones((0, 3, 5, 6))))
        return
    output, gradient = run(case, Tensor(np.ones((0, *case.shape[1:])), requires_grad=True))
    assert output.shape[0] == 0
    assert gradient.shape == (0, *case.shape[1:])


@LAYERS
def test_a_batch_of_one_is_treated_as_the_first_of_many(case: Case) -> None:
    values = normal(case.shape)
    alone, by_one = run(case, Tensor(values[:1], requires_grad=True))
    together, by_all = run(case, Tensor(values, requires_grad=True))
    assert alone.shape == (1, *together.shape[1:])
    assert np.isfinite(by_one).all()
    if case.build in (CASES["BatchNorm2d"].build, CASES["Dropout"].build):
        return  # they look at the whole batch, or draw for it
    np.testing.assert_allclose(alone.data, together.data[:1], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(by_one, by_all[:1], rtol=1e-4, atol=1e-5)


@LAYERS
def test_memory_that_is_not_contiguous_makes_no_difference(case: Case) -> None:
    backwards = normal(case.shape[::-1]).astype(np.float32)
    strided, straight = (Tensor(np.zeros(case.shape), requires_grad=True) for _ in range(2))
    strided.data, straight.data = backwards.T, np.ascontiguousarray(backwards.T)
    output, _ = run(case, Tensor(straight.data, requires_grad=True))
    gradient = normal(output.shape[::-1]).astype(np.float32).T
    ours, by_strided = run(case, strided, gradient)
    reference, by_straight = run(case, straight, np.ascontiguousarray(gradient))
    np.testing.assert_allclose(ours.data, reference.data, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(by_strided, by_straight, rtol=1e-4, atol=1e-5)


@LAYERS
@pytest.mark.parametrize("size", [1000, -1000, 1e4])
def test_huge_numbers_stay_finite_forward_and_back_without_a_warning(case: Case, size: float) -> None:
    signs = np.sign(normal(case.shape))
    for values in (size * signs, np.full(case.shape, float(size))):
        output, gradient = run(case, Tensor(values, requires_grad=True))
        assert np.isfinite(output.data).all()
        assert np.isfinite(gradient).all()
        assert output.dtype == gradient.dtype == np.float32


@LAYERS
def test_a_float64_model_input_stays_float64_and_an_integer_becomes_float32(case: Case) -> None:
    np.random.seed(1)
    assert case.build()(Tensor(normal(case.shape), dtype=np.float64)).dtype == np.float64
    if not isinstance(case.build(), Flatten | Dropout):  # they calculate nothing
        assert case.build()(Tensor(np.ones(case.shape, np.int8))).dtype == np.float32


@LAYERS
def test_a_wrong_shape_is_refused_with_the_one_expected_and_the_one_given(case: Case) -> None:
    if case.wrong is not None:
        with pytest.raises(ValueError, match=case.expected):
            case.build()(Tensor(np.ones(case.wrong)))


@pytest.mark.parametrize("build", [case.build for case in CASES.values() if case.build is not masked_attention])
def test_an_array_is_not_a_tensor(build: Any) -> None:
    with pytest.raises(TypeError, match="ndarray"):
        build()(np.ones((2, 3, 4, 4)))


# Token ids


@pytest.mark.parametrize("shape", [(0,), (2, 0), (0, 3), (1,), (1, 1), ()])
@pytest.mark.parametrize("build", [lambda: Embedding(5, 3), lambda: EmbeddingLayer(5, 3, pos_encoding=None)])
def test_look_ups_take_any_number_of_ids(build: Any, shape: tuple[int, ...]) -> None:
    layer = build()
    output = layer(Tensor(np.ones(shape, np.int64)))
    output.backward(np.ones(output.shape))
    assert output.shape == (*shape, 3)
    (table,) = layer.parameters()
    expected = np.zeros((5, 3))
    expected[1] = int(np.prod(shape))
    np.testing.assert_array_equal(table.grad, expected)


def test_ids_that_are_not_contiguous_find_the_same_rows_and_gradients() -> None:
    layer, gradient = Embedding(12, 2), normal((2, 3, 4)).T
    ids = Tensor(np.arange(12).reshape(3, 4)).transpose()
    assert not ids.data.flags.c_contiguous
    output = layer(ids)
    output.backward(gradient)
    np.testing.assert_array_equal(output.data, layer.weight.data[ids.data.astype(int)])
    np.testing.assert_allclose(layer.weight.grad, gradient.transpose(1, 0, 2).reshape(12, 2), rtol=1e-6)


@pytest.mark.parametrize("bad", [-1, 5, 0.5, np.nan, np.inf])
def test_ids_without_a_row_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="Embedding"):
        Embedding(5, 3)(Tensor([0, bad]))
    with pytest.raises(ValueError, match="Embedding"):
        GPT(5, 4, 1, 1, max_seq_len=4)(Tensor([[0, bad]]))


# Losses


def probabilities(shape: tuple[int, ...]) -> Any:
    return np.random.default_rng(0).random(shape)


LOSSES: dict[str, tuple[Any, Any, Any]] = {
    "MSELoss": (MSELoss, normal, normal),
    "BinaryCrossEntropyLoss": (BinaryCrossEntropyLoss, probabilities, probabilities),
    "CrossEntropyLoss": (CrossEntropyLoss, normal, lambda shape: np.zeros(shape[:-1], np.int64)),
}

EVERY_LOSS = pytest.mark.parametrize(("build", "predictions", "targets"), LOSSES.values(), ids=LOSSES.keys())


@EVERY_LOSS
def test_a_loss_of_nothing_has_no_mean(build: Any, predictions: Any, targets: Any) -> None:
    for shape in ((0, 3), (0, 2, 3)):
        with pytest.raises(ValueError, match=r"\(0, "):
            build()(Tensor(predictions(shape)), Tensor(targets(shape)))


@EVERY_LOSS
def test_a_loss_of_one_element_has_a_gradient(build: Any, predictions: Any, targets: Any) -> None:
    x = Tensor(predictions((1, 1)), requires_grad=True)
    loss = build()(x, Tensor(targets((1, 1))))
    loss.backward()
    assert loss.shape == ()
    assert x.grad is not None
    assert x.grad.shape == (1, 1)


@EVERY_LOSS
def test_a_loss_of_arrays_that_are_not_contiguous_is_the_same(build: Any, predictions: Any, targets: Any) -> None:
    strided, straight = (Tensor(np.zeros((4, 6)), requires_grad=True) for _ in range(2))
    wanted = Tensor(targets((4, 6)))
    strided.data = predictions((6, 4)).astype(np.float32).T
    straight.data = np.ascontiguousarray(strided.data)
    ours, reference = build()(strided, wanted), build()(straight, wanted)
    ours.backward()
    reference.backward()
    np.testing.assert_allclose(ours.data, reference.data, rtol=1e-6)
    np.testing.assert_allclose(strided.grad, straight.grad, rtol=1e-6)


@EVERY_LOSS
def test_a_loss_names_both_shapes_that_do_not_go_together(build: Any, predictions: Any, targets: Any) -> None:
    with pytest.raises(ValueError, match=r"\(4, 6\).*\(7,\)"):
        build()(Tensor(predictions((4, 6))), Tensor(np.zeros(7)))


@EVERY_LOSS
@pytest.mark.parametrize("wrapped", [(True, False), (False, True)])
def test_a_loss_takes_tensors_only(build: Any, predictions: Any, targets: Any, wrapped: tuple[bool, bool]) -> None:
    arrays = (predictions((4, 6)), targets((4, 6)))
    with pytest.raises(TypeError, match="ndarray"):
        build()(*(Tensor(array) if wrap else array for array, wrap in zip(arrays, wrapped, strict=True)))


@pytest.mark.parametrize("size", [1000, -1000, 1e4])
def test_losses_of_huge_scores_are_finite_and_exact(size: float) -> None:
    scores = Tensor([[size, 0], [0, size]], requires_grad=True)
    loss = CrossEntropyLoss()(scores, Tensor([0, 0]))
    loss.backward()
    assert float(loss.data) == pytest.approx(abs(size) / 2)
    assert scores.grad is not None
    wrong = [[0, 0], [-0.5, 0.5]] if size > 0 else [[-0.5, 0.5], [0, 0]]
    np.testing.assert_allclose(scores.grad, wrong, atol=1e-7)


@pytest.mark.parametrize("size", [1000, -1000])
@pytest.mark.parametrize("target", [0, 1])
def test_binary_cross_entropy_of_a_sigmoid_of_a_huge_score_is_finite(size: float, target: int) -> None:
    x = Tensor([size], requires_grad=True)
    loss = BinaryCrossEntropyLoss()(Sigmoid()(x), Tensor([target]))
    loss.backward()
    assert float(loss.data) == (0 if (size > 0) == bool(target) else 100)
    assert np.isfinite(x.grad).all()


@pytest.mark.parametrize("bad", [np.nan, 0.5, -1, 6])
def test_a_class_that_is_none_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="whole numbers from 0 to 5"):
        CrossEntropyLoss()(Tensor(np.zeros((2, 6))), Tensor([0, bad]))
