"""Module 18: quick layers answer and learn as the slow ones do, and gradients in 16 bits need the scaling."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch_ref.core.activations import GELU
from tinytorch_ref.core.layers import Layer, Linear, Sequential
from tinytorch_ref.core.losses import CrossEntropyLoss
from tinytorch_ref.core.optimizers import SGD
from tinytorch_ref.core.spatial import Conv2d, Flatten, MaxPool2d
from tinytorch_ref.core.tensor import Array, Tensor
from tinytorch_ref.data.digits import load_digits
from tinytorch_ref.optimization.acceleration import (
    HalfLinear,
    LossScaler,
    accelerate_model,
    fused_gelu,
    mixed_precision_step,
    tiled_matmul,
    vectorized_matmul,
)

SMALL_LOSS = 2.0**-20


def answers_and_gradients(model: Layer, images: Array) -> tuple[Array, list[Array]]:
    x = Tensor(images, requires_grad=True)
    output = model(x)
    (output * output).sum().backward()
    gradients = [tensor.grad for tensor in (x, *model.parameters())]
    assert all(gradient is not None for gradient in gradients)
    return output.data, [gradient for gradient in gradients if gradient is not None]


def test_an_accelerated_model_answers_and_learns_as_it_did() -> None:
    np.random.seed(3)
    first, second = Conv2d(2, 3, (3, 2), stride=(2, 1), padding=(0, 2)), Conv2d(3, 2, 2, bias=False)
    model = Sequential(first, GELU(), MaxPool2d(2), second, GELU(), Flatten())
    images = np.random.default_rng(3).normal(size=(4, 2, 9, 8)).astype(np.float32)
    slow, slow_gradients = answers_and_gradients(model, images)
    for parameter in model.parameters():
        parameter.grad = None
    assert accelerate_model(model) == 4
    quick, quick_gradients = answers_and_gradients(model, images)
    assert np.allclose(quick, slow, atol=1e-5)
    for quick_gradient, slow_gradient in zip(quick_gradients, slow_gradients, strict=True):
        assert np.allclose(quick_gradient, slow_gradient, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_fused_gelu_is_the_one_of_module_02(dtype: type) -> None:
    x = Tensor(np.linspace(-9, 9, 70_001).astype(dtype).reshape(-1, 1), dtype=dtype)
    fused = fused_gelu(x).data
    assert fused.dtype == dtype
    rtol, atol = (2e-3, 1e-3) if dtype == np.float16 else (1e-5, 1e-6)
    assert np.allclose(fused, GELU()(x).data, rtol=rtol, atol=atol)


def test_tiles_refuse_what_does_not_fit_and_agree_with_one_call() -> None:
    a, b = (Tensor(array) for array in np.random.default_rng(4).normal(size=(2, 20, 20)))
    assert np.allclose(tiled_matmul(a, b, 7).data, vectorized_matmul(a, b).data, atol=1e-5)
    for wrong in (Tensor(np.ones((3, 20))), Tensor(np.ones(20))):
        with pytest.raises(ValueError, match="matrices"):
            tiled_matmul(a, wrong)


class NoScaler(LossScaler):
    def __init__(self) -> None:
        super().__init__(scale=1.0, largest=1.0)


def share_read(kind: type[Linear], scaler: LossScaler) -> float:
    """Of the digits that a small reader has learned from, by a loss far below what 16 bits hold."""
    images, labels = load_digits("train")
    np.random.seed(5)
    model, cross_entropy = Sequential(kind(64, 32), GELU(), kind(32, 10)), CrossEntropyLoss()
    optimizer = SGD(model.parameters(), lr=0.1 / SMALL_LOSS, momentum=0.9)
    pixels = images.data.reshape(-1, 64)
    for _ in range(8):
        for start in range(0, len(pixels), 48):
            x, y = Tensor(pixels[start : start + 48]), Tensor(labels.data[start : start + 48])
            mixed_precision_step(
                model, lambda scores, own: cross_entropy(scores, own) * SMALL_LOSS, optimizer, scaler, x, y
            )
    return float(np.mean(model(Tensor(pixels)).data.argmax(axis=1) == labels.data))


def test_mixed_precision_learns_like_float32_if_the_loss_is_scaled_and_nothing_if_not() -> None:
    whole = share_read(Linear, NoScaler())
    assert whole > 0.9
    assert share_read(HalfLinear, LossScaler()) == pytest.approx(whole, abs=0.03)
    assert share_read(HalfLinear, NoScaler()) < 0.3
