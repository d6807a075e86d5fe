# module: 09_spatial
"""Layers for images: Conv2d, MaxPool2d, AvgPool2d, BatchNorm2d, Flatten, and SimpleCNN made of them.

Images are (N, C, H, W): batch, channels, rows, columns. How windows slide is in `windows`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .activations import ReLU
from .autograd import Function, Gradients, gradient_rule
from .layers import Layer, Linear, Sequential
from .tensor import Array, Tensor
from .windows import SlidingWindow


class Conv2d(Layer):
    """A small pattern slid over the image: y[n, o] = b[o] + Σ_c w[o, c] ⋆ x[n, c], ⋆ the cross-correlation.

    Args:
        in_channels, out_channels: C before and after.
        kernel_size, stride, padding: height and width of the pattern, of its step, and of the border of zeros; one
            number for both, or a pair.
        bias: whether to add b.

    Attributes:
        weight: (out_channels, in_channels, k_h, k_w), float32, drawn from N(0, 2 / (in_channels · k_h · k_w)), which
            keeps the variance through ReLUs (He et al., arXiv:1502.01852, equation 10).
        bias: (out_channels,), float32, zeros; or None.
        kernel_size: a pair always. stride, padding: as given.

    Raises:
        ValueError: a size is not a positive integer (the padding may be 0).

    >>> Conv2d(3, 8, kernel_size=3, stride=2, padding=1)(Tensor(np.ones((4, 3, 32, 32)))).shape
    (4, 8, 16, 16)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        bias: bool = True,
    ):
        for name, value in (("in_channels", in_channels), ("out_channels", out_channels)):
            if not isinstance(value, int | np.integer) or value < 1:
                raise ValueError(f"Conv2d: {name} must be a positive integer, got {value!r}")
        self.in_channels = int(in_channels)
        self.out_channels = int(out_channels)
        self.kernel_size = SlidingWindow.of("Conv2d", kernel_size, stride, padding).kernel
        self.stride = stride
        self.padding = padding
        shape = (self.out_channels, self.in_channels, *self.kernel_size)
        fan_in = self.in_channels * self.kernel_size[0] * self.kernel_size[1]
        self.weight = Tensor(np.random.standard_normal(shape) * np.sqrt(2 / fan_in), requires_grad=True)
        self.bias = Tensor(np.zeros(self.out_channels), requires_grad=True) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) → (N, out_channels, H_out, W_out), H_out = ⌊(H + 2 padding - k_h) / stride⌋ + 1.

        Raises:
            TypeError: x is not a Tensor.
            ValueError: x has another number of axes or channels, or is too small for one window.
        """
        channels = self.weight.shape[1]
        images = _images("Conv2d", x, channels)
        sliding = SlidingWindow.of("Conv2d", self.kernel_size, self.stride, self.padding)
        n, _, height, width = sliding.output_shape(x.shape)
        kernels = self.weight.data.reshape(self.weight.shape[0], -1)
        output = np.matmul(kernels, sliding.unfold(images))
        if self.bias is not None:
            output += self.bias.data[:, None]
        return Tensor._result(
            output.reshape(n, len(kernels), height, width),
            "conv2d",
            (x, *self.parameters()),
            sliding=sliding,
        )

    def parameters(self) -> list[Tensor]:
        """[weight, bias], or [weight]."""
        return [self.weight] if self.bias is None else [self.weight, self.bias]

    def __repr__(self) -> str:
        return (
            f"Conv2d({self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, padding={self.padding}, bias={self.bias is not None})"
        )


@gradient_rule("conv2d")
class Conv2dBackward(Function):
    """Convolution as the matrix product Y = W U of the kernels with the unfolded image, plus the bias.

    >>> conv, x = Conv2d(1, 1, kernel_size=2), Tensor(np.ones((1, 1, 3, 3)), requires_grad=True)
    >>> conv(x).sum().backward()
    >>> conv.weight.grad, conv.bias.grad
    (array([[[[4., 4.],
             [4., 4.]]]], dtype=float32), array([4.], dtype=float32))
    """

    def apply(self, grad_output: Array) -> Gradients:
        """∂W: Σ_n G Uᵀ; ∂image: Wᵀ G, folded back; ∂bias: Σ g over batch and pixels."""
        images, weight = self.inputs[:2]
        sliding: SlidingWindow = self.context["sliding"]
        n, channels, height, width = grad_output.shape
        g = grad_output.reshape(n, channels, height * width)
        grad_images = grad_weight = None
        if self.needs_input_grad[1]:
            grad_kernels = np.matmul(g, sliding.unfold(images).swapaxes(1, 2)).sum(axis=0)
            grad_weight = grad_kernels.reshape(weight.shape)
        if self.needs_input_grad[0]:
            columns = np.matmul(weight.reshape(len(weight), -1).T, g)
            grad_images = sliding.fold(columns, images.shape)
        grad_bias = [g.sum(axis=(0, 2))] if len(self.inputs) == 3 else []
        return grad_images, grad_weight, *grad_bias


class _Pool(Layer):
    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] | None = None,
        padding: int | tuple[int, int] = 0,
    ):
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        sliding = self._sliding()
        if any(2 * border > size for border, size in zip(sliding.padding, sliding.kernel, strict=True)):
            raise ValueError(
                f"{type(self).__name__}: a padding of {padding} is more than half of the window {kernel_size}, "
                "so that a window could lie outside of the image"
            )

    def _sliding(self) -> SlidingWindow:
        return SlidingWindow.of(type(self).__name__, self.kernel_size, self.stride, self.padding)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.kernel_size}, stride={self.stride}, padding={self.padding})"


class MaxPool2d(_Pool):
    """The largest pixel of each window.

    The border does not take part: it counts as -∞.

    Args:
        kernel_size: height and width of the window, one number for both or a pair.
        stride: its step; windows side by side where None.
        padding: the border, at most half of the window.

    Raises:
        ValueError: a size is not a positive integer, or the padding too large.

    >>> MaxPool2d(2)(Tensor([[[[1, 2, 5, 6], [3, 4, 7, 8]]]]))
    Tensor([[[[4, 8]]]], dtype=float32)
    """

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) → (N, C, H_out, W_out), H_out = ⌊(H + 2 padding - k_h) / stride⌋ + 1.

        Raises:
            TypeError: x is not a Tensor.
            ValueError: x is not (N, C, H, W), or too small for one window.
        """
        images = _images("MaxPool2d", x)
        sliding = self._sliding()
        output = np.full(sliding.output_shape(x.shape), -np.inf, dtype=images.dtype)
        windows = sliding.windows(sliding.padded(images, -np.inf))
        for i, j in sliding.offsets():
            np.maximum(output, windows[:, :, i, j], out=output)
        return Tensor._result(output, "max_pool2d", (x,), sliding=sliding, output=output)


@gradient_rule("max_pool2d")
class MaxPool2dBackward(Function):
    """The largest pixel of each window.

    >>> x = Tensor([[[[1, 2, 5, 5], [3, 4, 5, 5]]]], requires_grad=True)
    >>> MaxPool2d(2)(x).sum().backward()
    >>> x.grad
    array([[[[0., 0., 1., 0.],
             [0., 1., 0., 0.]]]], dtype=float32)
    """

    def apply(self, grad_output: Array) -> Gradients:
        """To the pixel that was the largest; to the first of several, row by row, as in PyTorch."""
        (images,) = self.inputs
        sliding: SlidingWindow = self.context["sliding"]
        padded = sliding.padded(images, -np.inf)
        grad_padded = np.zeros(padded.shape, dtype=grad_output.dtype)
        pixels, gradients = sliding.windows(padded), sliding.windows(grad_padded)
        waiting = grad_output
        for i, j in sliding.offsets():
            taken = waiting * (pixels[:, :, i, j] == self.context["output"])
            gradients[:, :, i, j] += taken
            waiting = waiting - taken
        return (sliding.unpadded(grad_padded),)


class AvgPool2d(_Pool):
    """The mean of each window.

    The border of zeros takes part: each mean is over all k_h · k_w pixels, PyTorch's `count_include_pad=True`.

    Args:
        kernel_size: height and width of the window, one number for both or a pair.
        stride: its step; windows side by side where None.
        padding: the border, at most half of the window.

    Raises:
        ValueError: a size is not a positive integer, or the padding too large.

    >>> AvgPool2d(2)(Tensor([[[[1, 2, 5, 6], [3, 4, 7, 8]]]]))
    Tensor([[[[2.5, 6.5]]]], dtype=float32)
    """

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) → (N, C, H_out, W_out), H_out = ⌊(H + 2 padding - k_h) / stride⌋ + 1.

        Raises:
            TypeError: x is not a Tensor.
            ValueError: x is not (N, C, H, W), or too small for one window.
        """
        images = _images("AvgPool2d", x)
        sliding = self._sliding()
        output = np.zeros(sliding.output_shape(x.shape), dtype=images.dtype)
        windows = sliding.windows(sliding.padded(images))
        for i, j in sliding.offsets():
            output += windows[:, :, i, j]
        output /= sliding.kernel[0] * sliding.kernel[1]
        return Tensor._result(output, "avg_pool2d", (x,), sliding=sliding)


@gradient_rule("avg_pool2d")
class AvgPool2dBackward(Function):
    """The mean of each window.

    >>> x = Tensor([[[[1, 2], [3, 4]]]], requires_grad=True)
    >>> AvgPool2d(2)(x).sum().backward()
    >>> x.grad
    array([[[[0.25, 0.25],
             [0.25, 0.25]]]], dtype=float32)
    """

    def apply(self, grad_output: Array) -> Gradients:
        """g / (k_h k_w) to every pixel of the window."""
        sliding: SlidingWindow = self.context["sliding"]
        grad_padded = np.zeros_like(sliding.padded(self.inputs[0]), dtype=grad_output.dtype)
        gradients = sliding.windows(grad_padded)
        share = grad_output / (sliding.kernel[0] * sliding.kernel[1])
        for i, j in sliding.offsets():
            gradients[:, :, i, j] += share
        return (sliding.unpadded(grad_padded),)


class BatchNorm2d(Layer):
    """γ (x - mean) / √(variance + eps) + β for each channel (Ioffe and Szegedy, arXiv:1502.03167, algorithm 1).

    While training, mean and variance are those of the batch, over N, H and W, and running averages of them are
    kept: running ← (1 - momentum) · running + momentum · batch, the variance with n - 1. Otherwise the running
    averages are used, and an image is treated alike whatever else is in its batch.

    Args:
        num_features: channels.
        eps: keeps the division finite.
        momentum: how quickly the running averages follow.

    Attributes:
        gamma, beta: (num_features,), float32, ones and zeros; learned.
        running_mean, running_var: (num_features,), float32, zeros and ones; kept, not learned (see `buffers`).

    >>> norm = BatchNorm2d(1)
    >>> norm(Tensor([[[[1, 3]]]])).data.round(3)
    array([[[[-1.,  1.]]]], dtype=float32)
    >>> norm.running_mean, norm.running_var
    (Tensor([0.2], dtype=float32), Tensor([1.1], dtype=float32))
    """

    has_training_mode = True

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1):
        if not isinstance(num_features, int | np.integer) or num_features < 1:
            raise ValueError(f"BatchNorm2d: num_features must be a positive integer, got {num_features!r}")
        self.num_features = int(num_features)
        self.eps = eps
        self.momentum = momentum
        self.gamma = Tensor(np.ones(self.num_features), requires_grad=True)
        self.beta = Tensor(np.zeros(self.num_features), requires_grad=True)
        self.running_mean = Tensor(np.zeros(self.num_features))
        self.running_var = Tensor(np.ones(self.num_features))

    def forward(self, x: Tensor, training: bool = True) -> Tensor:
        """(N, num_features, H, W) → the same shape.

        Raises:
            TypeError: x is not a Tensor.
            ValueError: x has other axes, or trains on a single pixel per channel, which has no variance.
        """
        images = _images("BatchNorm2d", x, self.num_features)
        count = images.size // self.num_features
        if training and count < 2:
            raise ValueError(f"BatchNorm2d: training needs more than one pixel per channel, got {x.shape}")
        mean, variance = self.running_mean.data, self.running_var.data
        if training:
            mean = images.mean(axis=(0, 2, 3))
            variance = images.var(axis=(0, 2, 3))
            self._follow(mean, variance * (count / (count - 1)))
        slope = 1 / np.sqrt(variance + self.eps)
        normal = (images - _by_channel(mean)) * _by_channel(slope)
        output = normal * _by_channel(self.gamma.data) + _by_channel(self.beta.data)
        parents = (x, self.gamma, self.beta)
        return Tensor._result(output, "batch_norm2d", parents, normal=normal, slope=slope, training=training)

    def parameters(self) -> list[Tensor]:
        """[gamma, beta]."""
        return [self.gamma, self.beta]

    def buffers(self) -> list[Tensor]:
        """[running_mean, running_var]."""
        return [self.running_mean, self.running_var]

    def _follow(self, mean: Array, variance: Array) -> None:
        for running, batch in ((self.running_mean, mean), (self.running_var, variance)):
            running.data = (1 - self.momentum) * running.data + (self.momentum * batch).astype(running.dtype)

    def __repr__(self) -> str:
        return f"BatchNorm2d({self.num_features}, eps={self.eps}, momentum={self.momentum})"


@gradient_rule("batch_norm2d")
class BatchNorm2dBackward(Function):
    """Batch normalisation. With z the normalised pixels and h = g γ = ∂L/∂z:

    ∂L/∂x = (h - mean h - z mean(h z)) / √(variance + eps), the means over the batch; without them where mean and
    variance did not come from the batch. ∂L/∂γ = Σ g z, ∂L/∂β = Σ g.

    >>> norm, x = BatchNorm2d(1), Tensor([[[[1, 3]]]], requires_grad=True)
    >>> norm(x).sum().backward()
    >>> norm.gamma.grad, norm.beta.grad, abs(x.grad).max() < 1e-6
    (array([0.], dtype=float32), array([2.], dtype=float32), np.True_)
    """

    def apply(self, grad_output: Array) -> Gradients:
        """Gradients with respect to x, gamma and beta."""
        gamma = self.inputs[1]
        normal, slope = self.context["normal"], self.context["slope"]
        grad_gamma = np.asarray((grad_output * normal).sum(axis=(0, 2, 3)))
        grad_beta = np.asarray(grad_output.sum(axis=(0, 2, 3)))
        centred = grad_output
        if self.context["training"]:
            count = normal.size // normal.shape[1]
            centred = grad_output - _by_channel(grad_beta / count) - normal * _by_channel(grad_gamma / count)
        return centred * _by_channel(gamma * slope), grad_gamma, grad_beta


class Flatten(Layer):
    """Everything after the batch in one axis.

    >>> Flatten()(Tensor(np.ones((2, 3, 4, 4)))).shape
    (2, 48)
    """

    def forward(self, x: Tensor) -> Tensor:
        """(N, ...) → (N, product of the rest).

        Raises:
            TypeError: x is not a Tensor.
            ValueError: x is a scalar and has no batch.
        """
        if not isinstance(x, Tensor):
            raise TypeError(f"Flatten takes a Tensor, not {type(x).__name__}")
        if not x.shape:
            raise ValueError("Flatten: expected an input of shape (N, ...), got ()")
        return x.reshape(x.shape[0], int(np.prod(x.shape[1:])))

    def __repr__(self) -> str:
        return "Flatten()"


class SimpleCNN(Sequential):
    """Two convolutions, each with ReLU and a pool that halves the image, and a Linear that decides.

    Args:
        num_classes: scores per image.
        in_channels: 3 for colour.
        image_size: height and width of the images, a multiple of 4; 32 as in CIFAR-10.

    Attributes:
        layers: Conv2d to 16, ReLU, MaxPool2d, Conv2d to 32, ReLU, MaxPool2d, Flatten, Linear.

    Raises:
        ValueError: image_size is not a positive multiple of 4.

    >>> SimpleCNN(num_classes=10, in_channels=1, image_size=8)(Tensor(np.zeros((5, 1, 8, 8)))).shape
    (5, 10)
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 3, image_size: int = 32):
        if image_size < 4 or image_size % 4:
            raise ValueError(f"SimpleCNN: image_size must be a positive multiple of 4, got {image_size}")
        super().__init__(
            Conv2d(in_channels, 16, kernel_size=3, padding=1),
            ReLU(),
            MaxPool2d(2),
            Conv2d(16, 32, kernel_size=3, padding=1),
            ReLU(),
            MaxPool2d(2),
            Flatten(),
            Linear(32 * (image_size // 4) ** 2, num_classes),
        )


def _images(name: str, x: Any, channels: int | None = None) -> Array:
    """The tensor's array, checked, in float32 if it holds integers."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{name} takes a Tensor, not {type(x).__name__}")
    if len(x.shape) != 4 or channels not in (None, x.shape[1]):
        expected = "C" if channels is None else channels
        raise ValueError(f"{name}: expected an input of shape (N, {expected}, H, W), got {x.shape}")
    return x.data if x.dtype.kind == "f" else x.data.astype(np.float32)


def _by_channel(values: Array) -> Array:
    """(C,) → (C, 1, 1), to broadcast against images."""
    return values[:, None, None]
