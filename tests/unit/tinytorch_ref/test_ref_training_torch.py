"""Modules 01 to 09 against PyTorch: operations, losses, optimizers, images, and a whole training run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinytorch_ref.core.activations import GELU, ReLU, Sigmoid, Softmax, Tanh
from tinytorch_ref.core.layers import Linear, Sequential
from tinytorch_ref.core.losses import BinaryCrossEntropyLoss, CrossEntropyLoss, MSELoss, log_softmax
from tinytorch_ref.core.optimizers import SGD, Adam, AdamW
from tinytorch_ref.core.spatial import AvgPool2d, BatchNorm2d, Conv2d, MaxPool2d, SimpleCNN
from tinytorch_ref.core.tensor import Tensor
from tinytorch_ref.core.training import clip_grad_norm
from tinytorch_ref.data.digits import load_digits

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch==2.13.0 to compare with it")
F = torch.nn.functional


def compare(ours: Callable[..., Tensor], theirs: Callable[..., Any], *inputs: Any, rtol: float = 1e-9) -> None:
    """Output and gradients in float64 by both, from the same numbers and the same gradient of the output."""
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape) if isinstance(shape, tuple) else np.asarray(shape, float) for shape in inputs]
    mine = [Tensor(array, dtype=np.float64, requires_grad=True) for array in arrays]
    other = [torch.tensor(array, requires_grad=True) for array in arrays]
    output, expected = ours(*mine), theirs(*other)
    np.testing.assert_allclose(output.data, expected.detach().numpy(), rtol=rtol, atol=1e-12)
    gradient = rng.normal(size=output.shape)
    output.backward(gradient)
    expected.backward(torch.tensor(gradient))
    for a, b in zip(mine, other, strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=rtol, atol=1e-12)


OPERATIONS: list[tuple[Any, Any, tuple[Any, ...]]] = [
    (lambda a, b: a + b, None, ((3, 4), (4,))),
    (lambda a, b: a - b, None, ((3, 1), (1, 4))),
    (lambda a, b: a * b, None, ((2, 3, 4), (3, 1))),
    (lambda a, b: a / (b * b + 1), None, ((3, 4), ())),
    (lambda a, b: (a * a + 1) ** b, None, ((3, 4), (4,))),
    (lambda a: 2**a, None, ((3, 4),)),
    (lambda a, b: a @ b, None, ((4,), (4,))),
    (lambda a, b: a @ b, None, ((5, 3, 4), (4, 2))),
    (lambda a, b: a @ b, None, ((2, 1, 3, 4), (5, 4, 2))),
    (lambda a, b: a @ b, None, ((5, 3, 4), (4,))),
    (lambda a: a.reshape(2, -1), None, ((3, 4),)),
    (lambda a: a.transpose(0, 2), None, ((2, 3, 4),)),
    (lambda a: a.permute(2, 0, 1), None, ((2, 3, 4),)),
    (lambda a: a[1:, ..., None], None, ((3, 4),)),
    (lambda a: a[[0, 2, 2]], None, ((3, 4),)),
    (lambda a: a.sum(1, keepdims=True), lambda a: a.sum(1, keepdim=True), ((3, 4),)),
    (lambda a: a.mean((0, 2)), None, ((2, 3, 4),)),
    (lambda a: a.max(1), lambda a: a.amax(1), ((3, 4),)),
    (lambda a: a.max(), lambda a: a.amax(), ([[1, 3, 3], [3, 0, 2]],)),
    (Sigmoid(), torch.sigmoid, ((3, 4),)),
    (ReLU(), torch.relu, ((3, 4),)),
    (ReLU(), torch.relu, ([-1, 0, 1],)),
    (Tanh(), torch.tanh, ((3, 4),)),
    (GELU(), lambda a: F.gelu(a, approximate="tanh"), ((3, 4),)),
    (Softmax(), lambda a: a.softmax(-1), ((3, 4),)),
    (Softmax(dim=0), lambda a: a.softmax(0), ((3, 4),)),
    (log_softmax, lambda a: a.log_softmax(-1), ((3, 4),)),
    (log_softmax, lambda a: a.log_softmax(-1), ([1000, 0, -1000],)),
]


@pytest.mark.parametrize(("ours", "theirs", "inputs"), OPERATIONS)
def test_operations(ours: Any, theirs: Any, inputs: Any) -> None:
    compare(ours, theirs or ours, *inputs)


def test_a_linear_layer() -> None:
    layer = Linear(4, 3)
    weight = layer.weight.data.astype(float)
    layer.weight.data = weight
    compare(layer, lambda x: x @ torch.tensor(weight), (2, 5, 4))


# Losses

LOGITS = [[2.0, -1, 0], [1000, -1000, 0], [-1000, 1000, 0], [0, 0, 0]]


@pytest.mark.parametrize("logits", [LOGITS, np.random.default_rng(0).normal(size=(4, 3))])
def test_cross_entropy(logits: Any) -> None:
    classes = np.array([2, 1, 1, 0])
    compare(
        lambda x: CrossEntropyLoss()(x, Tensor(classes)), lambda x: F.cross_entropy(x, torch.tensor(classes)), logits
    )


def test_cross_entropy_of_sequences() -> None:
    classes = np.random.default_rng(1).integers(0, 5, size=(2, 3))
    compare(
        lambda x: CrossEntropyLoss()(x, Tensor(classes)),
        lambda x: F.cross_entropy(x.transpose(1, 2), torch.tensor(classes)),
        (2, 3, 5),
    )


def test_mean_squared_error() -> None:
    compare(MSELoss(), F.mse_loss, (3, 4), (3, 4))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_binary_cross_entropy_at_extremes_too(dtype: Any) -> None:
    p = np.array([0, 1, 0, 1, 1e-30, 1 - 1e-7, 0.3, 0.5], dtype=dtype)
    t = np.array([0, 1, 1, 0, 1, 0, 0.25, 1], dtype=dtype)
    mine, other = Tensor(p, requires_grad=True, dtype=dtype), torch.tensor(p, requires_grad=True)
    loss, expected = (
        BinaryCrossEntropyLoss()(mine, Tensor(t, dtype=dtype)),
        F.binary_cross_entropy(other, torch.tensor(t)),
    )
    loss.backward()
    expected.backward()
    np.testing.assert_allclose(loss.data, expected.detach().numpy(), rtol=1e-6)
    np.testing.assert_allclose(mine.grad, other.grad.numpy(), rtol=1e-6)


@pytest.mark.parametrize("value", [1000, -1000])
def test_sigmoid_into_binary_cross_entropy_at_a_thousand(value: float) -> None:
    for target in (0.0, 1.0):
        mine, other = Tensor([value], requires_grad=True), torch.tensor([float(value)], requires_grad=True)
        loss = BinaryCrossEntropyLoss()(Sigmoid()(mine), Tensor([target]))
        expected = F.binary_cross_entropy(torch.sigmoid(other), torch.tensor([target]))
        loss.backward()
        expected.backward()
        np.testing.assert_allclose(loss.data, expected.detach().numpy())
        np.testing.assert_allclose(mine.grad, other.grad.numpy(), atol=1e-30)


# Optimizers

OPTIMIZERS: list[tuple[Any, Any, dict[str, Any]]] = [
    (SGD, torch.optim.SGD, {"lr": 0.1}),
    (SGD, torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    (SGD, torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.05}),
    (Adam, torch.optim.Adam, {"lr": 0.01}),
    (Adam, torch.optim.Adam, {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-3, "weight_decay": 0.1}),
    (AdamW, torch.optim.AdamW, {"lr": 0.01}),
    (AdamW, torch.optim.AdamW, {"lr": 0.1, "betas": (0.5, 0.9), "weight_decay": 0.3}),
]


@pytest.mark.parametrize(("ours", "theirs", "options"), OPTIMIZERS)
def test_optimizers_over_many_steps_with_gaps(ours: Any, theirs: Any, options: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    starts = [rng.normal(size=(3, 2)), rng.normal(size=4)]
    mine = [Tensor(array, dtype=np.float64, requires_grad=True) for array in starts]
    other = [torch.tensor(array, requires_grad=True) for array in starts]
    optimizer, expected = ours(mine, **options), theirs(other, **options)
    for step in range(30):
        for i, (a, b) in enumerate(zip(mine, other, strict=True)):
            skip = i == 1 and step % 3 == 0
            gradient = rng.normal(size=a.shape) * 10 ** rng.uniform(-3, 3)
            a.grad, b.grad = (None, None) if skip else (gradient, torch.tensor(gradient))
        if step == 20:
            optimizer.lr = expected.param_groups[0]["lr"] = options["lr"] / 3
        optimizer.step()
        expected.step()
        for a, b in zip(mine, other, strict=True):
            np.testing.assert_allclose(a.data, b.detach().numpy(), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("max_norm", [0.1, 1.0, 100.0])
def test_clipping(max_norm: float) -> None:
    gradients = [np.random.default_rng(0).normal(size=(3, 4)), np.array([5.0])]
    mine = [Tensor(g, dtype=np.float64, requires_grad=True) for g in gradients]
    other = [torch.tensor(g, requires_grad=True) for g in gradients]
    for a, b, gradient in zip(mine, other, gradients, strict=True):
        a.grad, b.grad = gradient.copy(), torch.tensor(gradient)
    expected = torch.nn.utils.clip_grad_norm_(other, max_norm)
    assert clip_grad_norm(mine, max_norm) == pytest.approx(float(expected))
    for a, b in zip(mine, other, strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy())


# Images

GEOMETRIES: list[Any] = [
    {"kernel_size": 3},
    {"kernel_size": 3, "padding": 1},
    {"kernel_size": 2, "stride": 2},
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": (2, 3), "stride": (2, 1), "padding": (1, 0)},
    {"kernel_size": 5, "stride": 3, "padding": 2},
    {"kernel_size": 1},
]


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_convolution(geometry: dict[str, Any]) -> None:
    conv = Conv2d(3, 4, **geometry)
    for parameter in conv.parameters():
        parameter.data = np.random.default_rng(1).normal(size=parameter.shape)
    weight, bias = (torch.tensor(p.data, requires_grad=True) for p in conv.parameters())
    others = {name: value for name, value in geometry.items() if name != "kernel_size"}
    compare(conv, lambda x: F.conv2d(x, weight, bias, **others), (2, 3, 7, 8))
    for ours, theirs in zip(conv.parameters(), (weight, bias), strict=True):
        np.testing.assert_allclose(ours.grad, theirs.grad.numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize("pixels", ["different", "equal"])
def test_pools(geometry: dict[str, Any], pixels: str) -> None:
    images = np.random.default_rng(0).normal(size=(2, 3, 7, 8)) if pixels == "different" else -np.ones((2, 3, 7, 8))
    compare(MaxPool2d(**geometry), lambda x: F.max_pool2d(x, **{"stride": None, **geometry}), images)
    compare(AvgPool2d(**geometry), lambda x: F.avg_pool2d(x, **{"stride": None, **geometry}), images)


def test_batch_normalisation_in_both_modes() -> None:
    norm = BatchNorm2d(3)
    other = torch.nn.BatchNorm2d(3, dtype=torch.float64)
    rng = np.random.default_rng(0)
    for tensor in (*norm.parameters(), *norm.buffers()):
        tensor.data = rng.uniform(0.5, 1.5, size=3)
    with torch.no_grad():
        for theirs, ours in zip(
            (other.weight, other.bias, other.running_mean, other.running_var),
            (*norm.parameters(), *norm.buffers()),
            strict=True,
        ):
            theirs.copy_(torch.tensor(ours.data))
    for training in (True, False):
        other.train(training)
        compare(lambda x: norm.forward(x, training=training), other, (4, 3, 5, 5))  # noqa: B023
        np.testing.assert_allclose(norm.running_mean.data, other.running_mean.numpy())
        np.testing.assert_allclose(norm.running_var.data, other.running_var.numpy())
        np.testing.assert_allclose(norm.gamma.grad, other.weight.grad.numpy(), rtol=1e-9)
        np.testing.assert_allclose(norm.beta.grad, other.bias.grad.numpy(), rtol=1e-9)


def twin(model: Sequential) -> Any:
    """The same SimpleCNN in PyTorch, with the same weights."""
    conv1, relu1, pool1, conv2, relu2, pool2, flatten, linear = model.layers
    assert [type(layer).__name__ for layer in (relu1, pool1, relu2, pool2, flatten)] == [
        "ReLU",
        "MaxPool2d",
        "ReLU",
        "MaxPool2d",
        "Flatten",
    ]
    nn = torch.nn
    other = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(*linear.weight.shape),
    )
    with torch.no_grad():
        for place, layer in ((0, conv1), (3, conv2), (7, linear)):
            weight = layer.weight.data.T if layer is linear else layer.weight.data
            other[place].weight.copy_(torch.tensor(weight.copy()))
            other[place].bias.copy_(torch.tensor(layer.bias.data))
    return other


def test_a_cnn_learns_digits_step_by_step_as_in_pytorch() -> None:
    np.random.seed(0)
    images, labels = load_digits("train")
    model = SimpleCNN(10, in_channels=1, image_size=8)
    other = twin(model)
    optimizer = AdamW(model.parameters(), lr=0.005)
    expected = torch.optim.AdamW(other.parameters(), lr=0.005, weight_decay=0.01)
    loss_fn, order = CrossEntropyLoss(), np.random.default_rng(0)
    for _ in range(50):
        chosen = order.choice(len(labels.data), size=32, replace=False)
        optimizer.zero_grad()
        loss = loss_fn(model(images[chosen]), labels[chosen])
        loss.backward()
        optimizer.step()
        expected.zero_grad()
        other_loss = F.cross_entropy(other(torch.tensor(images.data[chosen])), torch.tensor(labels.data[chosen]))
        other_loss.backward()
        expected.step()
        assert float(loss.data) == pytest.approx(float(other_loss.detach()), abs=1e-4)
    assert float(loss.data) < 1
