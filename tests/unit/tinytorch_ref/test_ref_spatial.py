"""Images: every layer against a plain loop, gradients against differences, shapes, and a CNN that reads digits."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from gradients import check_gradients
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch_ref.core.activations import ReLU
from tinytorch_ref.core.autograd import no_grad
from tinytorch_ref.core.layers import Dropout, Linear, Sequential
from tinytorch_ref.core.losses import CrossEntropyLoss
from tinytorch_ref.core.optimizers import AdamW
from tinytorch_ref.core.spatial import AvgPool2d, BatchNorm2d, Conv2d, Flatten, MaxPool2d, SimpleCNN
from tinytorch_ref.core.tensor import Tensor
from tinytorch_ref.core.training import CosineSchedule, Trainer
from tinytorch_ref.core.windows import SlidingWindow
from tinytorch_ref.data.digits import load_digits
from tinytorch_ref.data.loader import DataLoader, TensorDataset
from tinytorch_ref.profiling.profiler import Profiler

# input shape, kernel, stride, padding: odd and even, oblong, steps that leave pixels over, borders
GEOMETRIES: list[tuple[Any, Any, Any, Any]] = [
    ((2, 3, 5, 5), 3, 1, 0),
    ((2, 3, 5, 5), 3, 1, 1),
    ((1, 2, 6, 7), 2, 2, 0),
    ((1, 2, 6, 7), (2, 3), (2, 1), (1, 1)),
    ((2, 1, 7, 5), 3, 2, 1),
    ((1, 1, 1, 1), 1, 1, 0),
    ((1, 2, 4, 4), 4, 1, 2),
    ((1, 2, 5, 5), 2, 3, 0),
    ((2, 2, 8, 3), (1, 3), (3, 2), (0, 1)),
]


def pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value


def windows_by_loop(x: Any, kernel: Any, stride: Any, padding: Any, border: float = 0) -> Any:
    """Output positions and the part of the padded images under the window there."""
    (k_h, k_w), (s_h, s_w), (p_h, p_w) = pair(kernel), pair(stride), pair(padding)
    padded = np.pad(x, ((0, 0), (0, 0), (p_h, p_h), (p_w, p_w)), constant_values=border)
    rows = range(0, padded.shape[2] - k_h + 1, s_h)
    columns = range(0, padded.shape[3] - k_w + 1, s_w)
    for (r, top), (c, left) in product(enumerate(rows), enumerate(columns)):
        yield r, c, padded[:, :, top : top + k_h, left : left + k_w]


def by_loop(x: Any, kernel: Any, stride: Any, padding: Any, function: Any, border: float = 0) -> Any:
    values = {(r, c): function(part) for r, c, part in windows_by_loop(x, kernel, stride, padding, border)}
    rows, columns = (max(place[i] for place in values) + 1 for i in (0, 1))
    return np.stack([np.stack([values[r, c] for c in range(columns)], -1) for r in range(rows)], -2)


@pytest.mark.parametrize(("shape", "kernel", "stride", "padding"), GEOMETRIES)
@pytest.mark.parametrize("bias", [True, False])
def test_convolution_is_the_loop_that_it_replaces(
    shape: Any, kernel: Any, stride: Any, padding: Any, bias: bool
) -> None:
    np.random.seed(0)
    conv = Conv2d(shape[1], 4, kernel, stride=stride, padding=padding, bias=bias)
    if conv.bias is not None:
        conv.bias.data[:] = [1, 2, 3, 4]
    x = np.random.normal(size=shape)
    shift = 0 if conv.bias is None else conv.bias.data
    expected = by_loop(
        x, kernel, stride, padding, lambda part: np.einsum("nchw,ochw->no", part, conv.weight.data) + shift
    )
    output = conv(Tensor(x))
    assert output.dtype == np.float32
    assert output.shape == expected.shape
    np.testing.assert_allclose(output.data, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("shape", "kernel", "stride", "padding"), GEOMETRIES)
def test_pools_are_the_loops_that_they_replace(shape: Any, kernel: Any, stride: Any, padding: Any) -> None:
    x = np.random.default_rng(0).normal(size=shape) - 5  # all negative: a border of zeros would win
    largest = by_loop(x, kernel, stride, padding, lambda part: part.max((2, 3)), border=-np.inf)
    mean = by_loop(x, kernel, stride, padding, lambda part: part.mean((2, 3)))
    np.testing.assert_allclose(MaxPool2d(kernel, stride, padding)(Tensor(x)).data, largest, rtol=1e-6)
    np.testing.assert_allclose(AvgPool2d(kernel, stride, padding)(Tensor(x)).data, mean, rtol=1e-5)


@pytest.mark.parametrize(("shape", "kernel", "stride", "padding"), GEOMETRIES)
def test_gradients_of_convolution_and_pools(shape: Any, kernel: Any, stride: Any, padding: Any) -> None:
    np.random.seed(0)
    conv = Conv2d(shape[1], 3, kernel, stride=stride, padding=padding)
    check_gradients(conv, shape, parameters=conv.parameters())
    bare = Conv2d(shape[1], 3, kernel, stride=stride, padding=padding, bias=False)
    check_gradients(bare, shape, parameters=bare.parameters())
    # Pixels far apart: a step of the central difference must not change which one is the largest.
    pixels = np.random.permutation(np.prod(shape)).reshape(shape).astype(float)
    check_gradients(MaxPool2d(kernel, stride, padding), pixels)
    check_gradients(AvgPool2d(kernel, stride, padding), shape)


def test_a_window_of_equals_sends_its_gradient_to_the_first() -> None:
    x = Tensor(np.ones((1, 1, 2, 4)), requires_grad=True)
    MaxPool2d(2)(x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[[[1, 0, 1, 0], [0, 0, 0, 0]]]]


def test_pixels_in_overlapping_windows_add_up() -> None:
    x = Tensor([[[[0, 9, 0]]]], requires_grad=True)
    MaxPool2d((1, 2), stride=1)(x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[[[0, 2, 0]]]]


def test_gradients_pass_through_images_that_are_not_contiguous() -> None:
    np.random.seed(0)
    conv, pool = Conv2d(3, 2, 3, padding=1), MaxPool2d(2)
    check_gradients(lambda x: conv(x.permute(0, 3, 1, 2)[:, :, ::2]), (2, 8, 4, 3), parameters=conv.parameters())
    check_gradients(lambda x: pool(x.transpose(2, 3)), np.random.permutation(48).reshape(1, 2, 6, 4).astype(float))
    check_gradients(lambda x: conv(x).transpose(1, 3), (1, 3, 4, 4))


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.tuples(st.integers(0, 2), st.integers(0, 2)),
)
def test_fold_is_the_transpose_of_unfold(size: Any, kernel: Any, stride: Any, padding: Any) -> None:
    sliding, shape = SlidingWindow(kernel, stride, padding), (2, 2, *size)
    rng = np.random.default_rng(0)
    images = rng.normal(size=shape)
    try:
        columns = sliding.unfold(images)
    except ValueError:
        assert any(size[i] + 2 * padding[i] < kernel[i] for i in (0, 1))
        return
    other = rng.normal(size=columns.shape)
    assert (columns * other).sum() == pytest.approx((images * sliding.fold(other, shape)).sum())


@pytest.mark.parametrize("layer", [Conv2d(3, 4, 3, padding=1), MaxPool2d(2), AvgPool2d(2), Flatten()])
def test_an_empty_batch_passes_forward_and_back(layer: Any) -> None:
    x = Tensor(np.ones((0, 3, 4, 4)), requires_grad=True)
    output = layer(x)
    output.sum().backward()
    assert output.shape[0] == 0
    assert x.grad is not None
    assert x.grad.shape == x.shape
    assert all(p.grad is not None and not p.grad.any() for p in layer.parameters())


def test_the_input_of_the_first_layer_gets_no_gradient_that_nobody_wants() -> None:
    conv = Conv2d(1, 2, 3)
    output = conv(Tensor(np.ones((1, 1, 4, 4))))
    by_images, by_weight, by_bias = output._function.apply(np.ones_like(output.data))
    assert by_images is None
    assert by_weight.shape == (2, 1, 3, 3)
    assert by_bias.shape == (2,)


def test_convolution_starts_with_hes_variance_and_zero_bias() -> None:
    np.random.seed(0)
    conv = Conv2d(64, 128, 3)
    assert conv.weight.shape == (128, 64, 3, 3)
    assert conv.weight.data.var() == pytest.approx(2 / (64 * 9), rel=0.03)
    assert conv.bias is not None
    assert not conv.bias.data.any()
    assert all(p.requires_grad for p in conv.parameters())
    assert len(Conv2d(1, 1, 1, bias=False).parameters()) == 1


def test_integer_images_are_calculated_in_float32() -> None:
    x = Tensor(np.ones((1, 1, 4, 4), dtype=np.uint8))
    for layer in (Conv2d(1, 1, 3), MaxPool2d(2), AvgPool2d(2), BatchNorm2d(1)):
        assert layer(x).dtype == np.float32


@pytest.mark.parametrize("layer", [Conv2d(3, 4, 3), MaxPool2d(3), AvgPool2d(3), BatchNorm2d(3)])
def test_what_is_no_batch_of_images_is_refused(layer: Any) -> None:
    with pytest.raises(ValueError, match=r"\(N, [C3], H, W\).*\(3, 4, 4\)"):
        layer(Tensor(np.zeros((3, 4, 4))))
    with pytest.raises(TypeError, match="ndarray"):
        layer(np.zeros((1, 3, 4, 4)))


def test_messages_name_layer_and_shapes() -> None:
    with pytest.raises(ValueError, match=r"Conv2d.*\(N, 3, H, W\).*\(1, 4, 8, 8\)"):
        Conv2d(3, 4, 3)(Tensor(np.zeros((1, 4, 8, 8))))
    with pytest.raises(ValueError, match=r"Conv2d: a window of \(3, 3\).*\(1, 3, 2, 8\)"):
        Conv2d(3, 4, 3)(Tensor(np.zeros((1, 3, 2, 8))))
    with pytest.raises(ValueError, match="MaxPool2d: a window"):
        MaxPool2d(3)(Tensor(np.zeros((1, 3, 2, 8))))
    with pytest.raises(ValueError, match="more than half"):
        MaxPool2d(3, padding=2)


@pytest.mark.parametrize(
    "options", [{"kernel_size": 0}, {"kernel_size": 2.5}, {"stride": 0}, {"padding": -1}, {"stride": (1, 2, 3)}]
)
def test_sizes_out_of_range_are_refused(options: dict[str, Any]) -> None:
    [name] = options
    for kind in (lambda **o: Conv2d(1, 1, **o), MaxPool2d, AvgPool2d):
        with pytest.raises(ValueError, match=name):
            kind(**{"kernel_size": 3, **options})
    with pytest.raises(ValueError, match="out_channels"):
        Conv2d(1, 0, 3)
    with pytest.raises(ValueError, match="num_features"):
        BatchNorm2d(0)
    with pytest.raises(ValueError, match="multiple of 4"):
        SimpleCNN(image_size=10)


def test_settings_are_kept_as_the_public_course_keeps_them() -> None:
    conv = Conv2d(3, 8, 3, stride=2, padding=1)
    assert (conv.kernel_size, conv.stride, conv.padding) == ((3, 3), 2, 1)
    assert (MaxPool2d(2).stride, MaxPool2d(3, stride=1).stride) == (2, 1)
    assert repr(conv) == "Conv2d(3, 8, kernel_size=(3, 3), stride=2, padding=1, bias=True)"
    assert repr(Sequential(AvgPool2d(2), Flatten())) == "Sequential(AvgPool2d(2, stride=2, padding=0), Flatten())"


# Batch normalisation


def test_a_training_batch_leaves_with_mean_0_and_variance_1_per_channel() -> None:
    x = np.random.default_rng(0).normal(3, 5, size=(8, 2, 4, 4))
    output = BatchNorm2d(2)(Tensor(x)).data
    np.testing.assert_allclose(output.mean((0, 2, 3)), 0, atol=1e-6)
    np.testing.assert_allclose(output.var((0, 2, 3)), 1, rtol=1e-4)


def test_running_averages_follow_the_batches_and_serve_afterwards() -> None:
    norm = BatchNorm2d(1, momentum=0.5, eps=0)
    x = np.array([1.0, 3.0]).reshape(2, 1, 1, 1)
    norm(Tensor(x))
    assert norm.running_mean.data.tolist() == [1]  # half of 0, half of 2
    assert norm.running_var.data.tolist() == [1.5]  # half of 1, half of 2, the variance with n - 1
    before = [tensor.data.copy() for tensor in norm.buffers()]
    alone = norm(Tensor(x[:1]), training=False).data
    np.testing.assert_allclose(alone, norm(Tensor(x), training=False).data[:1])
    np.testing.assert_allclose(alone, 0, atol=1e-6)
    for now, then in zip(norm.buffers(), before, strict=True):
        np.testing.assert_array_equal(now.data, then)


def test_running_averages_of_many_batches_come_to_those_of_the_data() -> None:
    rng, norm = np.random.default_rng(0), BatchNorm2d(1)
    for _ in range(100):
        norm(Tensor(rng.normal(2, 3, size=(64, 1, 4, 4))))
    assert norm.running_mean.data == pytest.approx(2, abs=0.2)
    assert norm.running_var.data == pytest.approx(9, rel=0.1)


@pytest.mark.parametrize("training", [True, False])
def test_gradients_of_batch_normalisation(training: bool) -> None:
    norm = BatchNorm2d(3)
    norm.gamma.data[:] = [1, 2, -1]
    norm.running_mean.data = np.array([0.1, -0.2, 0.3])
    norm.running_var.data = np.array([0.5, 1.5, 2.5])
    check_gradients(lambda x: norm.forward(x, training=training), (4, 3, 2, 2), parameters=norm.parameters())


def test_one_pixel_has_no_variance_to_train_on() -> None:
    with pytest.raises(ValueError, match="more than one pixel"):
        BatchNorm2d(3)(Tensor(np.zeros((1, 3, 1, 1))))
    assert BatchNorm2d(3)(Tensor(np.zeros((1, 3, 1, 1))), training=False).shape == (1, 3, 1, 1)


def test_a_model_hands_the_mode_on_and_lists_buffers() -> None:
    model = Sequential(Conv2d(1, 2, 3), BatchNorm2d(2), Sequential(ReLU(), BatchNorm2d(2)), Dropout(0.5))
    assert len(model.buffers()) == 4
    assert len(model.parameters()) == 6
    x = Tensor(np.random.default_rng(0).normal(size=(2, 1, 4, 4)))
    before = [tensor.data.copy() for tensor in model.buffers()]
    model(x, training=False)
    assert all((now.data == then).all() for now, then in zip(model.buffers(), before, strict=True))
    model(x)
    assert not any((now.data == then).all() for now, then in zip(model.buffers(), before, strict=True))


# Whole networks


def test_the_simple_cnn_has_the_cost_of_its_layers() -> None:
    model, profiler = SimpleCNN(), Profiler()
    parameters = 16 * (3 * 9 + 1) + 32 * (16 * 9 + 1) + (32 * 64 + 1) * 10
    assert profiler.count_parameters(model) == parameters
    by_hand = sum(
        [
            2 * 16 * 32 * 32 * 27,
            16 * 32 * 32,  # ReLU
            16 * 16 * 16 * 4,  # pool
            2 * 32 * 16 * 16 * 144,
            32 * 16 * 16,
            32 * 8 * 8 * 4,
            2 * 2048 * 10,
        ]
    )
    assert profiler.count_flops(model, (2, 3, 32, 32)) == 2 * by_hand
    with no_grad():
        assert model(Tensor(np.zeros((2, 3, 32, 32)))).shape == (2, 10)


def test_profiling_does_not_move_running_averages() -> None:
    model = Sequential(Conv2d(1, 2, 3), BatchNorm2d(2), Dropout(0.5))
    profile = Profiler().profile_layer(model, (2, 1, 6, 6))
    assert profile["flops"] == 2 * 2 * 2 * 16 * 9 + 2 * 2 * 2 * 16
    assert not model.layers[1].running_mean.data.any()


def test_gradients_of_a_whole_cnn() -> None:
    np.random.seed(3)
    model = Sequential(
        Conv2d(1, 2, 3, padding=1), BatchNorm2d(2), ReLU(), AvgPool2d(2), Conv2d(2, 3, 2), Flatten(), Linear(12, 3)
    )
    check_gradients(model, (3, 1, 6, 6), parameters=model.parameters(), rtol=1e-4)


@pytest.mark.slow
def test_a_cnn_reads_held_out_digits() -> None:
    np.random.seed(0)
    model = SimpleCNN(num_classes=10, in_channels=1, image_size=8)
    train = DataLoader(TensorDataset(*load_digits("train")), batch_size=32, shuffle=True, seed=0)
    test = DataLoader(TensorDataset(*load_digits("test")), batch_size=128)
    epochs = 12
    trainer = Trainer(
        model,
        AdamW(model.parameters()),
        CrossEntropyLoss(),
        scheduler=CosineSchedule(max_lr=0.005, min_lr=0.0001, total_epochs=epochs),
        grad_clip_norm=1.0,
    )
    for _ in range(epochs):
        trainer.train_epoch(train)
    _, accuracy = trainer.evaluate(test)
    assert accuracy >= 0.95
