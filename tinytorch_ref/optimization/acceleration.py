# module: 18_acceleration
"""Acceleration: Do the same arithmetic with fewer trips to memory and fewer calls, and count what that saves.

Exported from source/18_acceleration.py; change that, then run `tito export 18`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.activations import GELU
from ..core.autograd import Function, Gradients, gradient_rule
from ..core.layers import Linear
from ..core.optimizers import Optimizer
from ..core.spatial import Conv2d
from ..core.tensor import Array, Tensor
from ..core.windows import SlidingWindow
from ..profiling.profiler import window_places

GELU_CUBIC = 0.044715
GELU_SCALE = float(np.sqrt(2 / np.pi))


def vectorized_matmul(a: Tensor, b: Tensor) -> Tensor:
    """Matrix products of (..., n, k) and (..., k, m), in one call: (..., n, m).

    The axes in front are broadcast. float32 times float32 gives float32.

    Raises:
        ValueError: one of them has fewer than two axes, or the inner lengths differ. The message names both shapes.

    >>> vectorized_matmul(Tensor([[1, 2]]), Tensor([[3], [4]])).data
    array([[11.]], dtype=float32)

    Hints:
        1. numpy multiplies a row of numbers with a matrix without complaint. Which check has to come first?
        2. Which axis of `a` has to be as long as which axis of `b`?
    """
    if len(a.shape) < 2 or len(b.shape) < 2:
        raise ValueError(f"two matrices are multiplied, got shapes {a.shape} and {b.shape}")
    if a.shape[-1] != b.shape[-2]:
        raise ValueError(f"the inner lengths differ: shapes {a.shape} and {b.shape}")
    return Tensor(np.matmul(a.data, b.data))


def blocks(length: int, size: int) -> list[slice]:
    """Slices that cut `length` places into blocks of `size`, in order; the last block holds what is left.

    Each slice ends where its block ends: none reaches beyond `length`, none is empty.

    Raises:
        ValueError: size is less than 1.

    >>> blocks(5, 2)
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    if size < 1:
        raise ValueError(f"a block holds at least one place, got size {size}")
    return [slice(start, min(start + size, length)) for start in range(0, length, size)]


def multiply_tiles(a: Any, b: Any, out: Any, tile_size: int) -> None:
    """Write the matrix product of a and b into out, one tile after the other.

    Args:
        a, b: (n, k) and (k, m), float32. `a[rows, columns]` with two slices reads a block, a numpy array.
        out: (n, m). `out[rows, columns] = block` writes one. Its content before does not matter.
        tile_size: the most rows, and the most columns, that a block has.

    Raises:
        ValueError: tile_size is less than 1.

    >>> product = np.empty((2, 1), dtype=np.float32)
    >>> multiply_tiles(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[10.0], [1.0]]), product, tile_size=1)
    >>> product.tolist()
    [[12.0], [34.0]]

    Hints:
        1. Three loops over `blocks`: which two are outside, so that a tile of `out` is finished before the next begins?
        2. What shape has the sum of a tile at the edge?
        3. What dtype does `np.zeros` have if you do not say so?
    """
    (n, inner), m = a.shape, b.shape[1]
    for rows in blocks(n, tile_size):
        for columns in blocks(m, tile_size):
            total = np.zeros((rows.stop - rows.start, columns.stop - columns.start), dtype=np.float32)
            for middle in blocks(inner, tile_size):
                total += np.matmul(a[rows, middle], b[middle, columns])
            out[rows, columns] = total


def tiled_matmul(a: Tensor, b: Tensor, tile_size: int = 64) -> Tensor:
    """The matrix product of (n, k) and (k, m), by tiles of at most tile_size rows and columns.

    Raises:
        ValueError: they are no two matrices that fit, or tile_size is less than 1.

    >>> tiled_matmul(Tensor([[1, 2]]), Tensor([[3], [4]]), tile_size=1).data
    array([[11.]], dtype=float32)
    """
    if len(a.shape) != 2 or len(b.shape) != 2 or a.shape[1] != b.shape[0]:
        raise ValueError(f"two matrices that fit are multiplied, got shapes {a.shape} and {b.shape}")
    product = np.empty((a.shape[0], b.shape[1]), dtype=np.float32)
    multiply_tiles(a.data, b.data, product, tile_size)
    return Tensor(product)


def im2col(
    images: Array, kernel_size: tuple[int, int], stride: tuple[int, int] = (1, 1), padding: tuple[int, int] = (0, 0)
) -> Array:
    """Each window of each image as a column.

    Args:
        images: (N, C, H, W), of any dtype. Not changed.
        kernel_size, stride, padding: of the window, of its step, and of the border of zeros, each (down, across).

    Returns:
        (N, C · k_h · k_w, H_out · W_out), of the dtype of the images, in memory of its own. Rows: channel, then row,
        then column within the window. Columns: places, row by row.

    Raises:
        ValueError: the window does not fit into the padded image.

    >>> im2col(np.arange(9.0).reshape(1, 1, 3, 3), (2, 2))[0, :, 0].tolist()
    [0.0, 1.0, 3.0, 4.0]

    Hints:
        1. `window_places` of module 14 says how many places there are, and refuses windows that do not fit.
        2. Row 1 of the picture above is one pixel of every window. Where do these pixels lie in the image? How far
           apart, with a stride of 2?
        3. So one step of numpy fills a row for all places and images; a loop over the pixels of a *window* is enough.
    """
    n, channels, height, width = images.shape
    (k_h, k_w), (down, across), (vertical, horizontal) = kernel_size, stride, padding
    out_h, out_w = window_places((height, width), kernel_size, stride, padding)
    framed = np.pad(images, ((0, 0), (0, 0), (vertical, vertical), (horizontal, horizontal)))
    columns = np.empty((n, channels, k_h, k_w, out_h, out_w), dtype=images.dtype)
    for i in range(k_h):
        for j in range(k_w):
            columns[:, :, i, j] = framed[:, :, i : i + down * out_h : down, j : j + across * out_w : across]
    return columns.reshape(n, channels * k_h * k_w, out_h * out_w)


def conv2d_im2col(
    images: Array,
    weight: Array,
    bias: Array | None = None,
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int] = (0, 0),
) -> Array:
    """A convolution as one matrix product for each image.

    Args:
        images: (N, C, H, W), float32.
        weight: (O, C, k_h, k_w), float32: O kernels.
        bias: (O,), or None.
        stride, padding: (down, across).

    Returns:
        (N, O, H_out, W_out), float32. Nothing that was handed over is changed.

    >>> conv2d_im2col(np.ones((1, 1, 2, 3), np.float32), np.ones((1, 1, 2, 2), np.float32)).tolist()
    [[[[4.0, 4.0]]]]

    Hints:
        1. Write the shapes of both factors and of the product on paper first.
        2. Which axis of the product is the channel? So how must a bias of (O,) be turned to be added?
    """
    (n, _, *size), (kernels, _, k_h, k_w) = images.shape, weight.shape
    columns = im2col(images, (k_h, k_w), stride, padding)
    output: Array = np.matmul(weight.reshape(kernels, columns.shape[1]), columns)
    if bias is not None:
        output += bias[:, np.newaxis]
    return output.reshape(n, kernels, *window_places((size[0], size[1]), (k_h, k_w), stride, padding))


class AcceleratedConv2d(Conv2d):
    """A convolution with the weight and bias of another one, by `conv2d_im2col`.

    >>> conv = Conv2d(1, 2, kernel_size=3, padding=1)
    >>> AcceleratedConv2d(conv)(Tensor(np.ones((5, 1, 8, 8)))).shape
    (5, 2, 8, 8)
    """

    def __init__(self, conv: Conv2d):
        self.in_channels, self.out_channels = conv.in_channels, conv.out_channels
        self.kernel_size, self.stride, self.padding = conv.kernel_size, conv.stride, conv.padding
        self.weight, self.bias = conv.weight, conv.bias

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) → (N, out_channels, H_out, W_out)."""
        sliding = SlidingWindow.of("AcceleratedConv2d", self.kernel_size, self.stride, self.padding)
        bias = None if self.bias is None else self.bias.data
        output = conv2d_im2col(x.data, self.weight.data, bias, sliding.stride, sliding.padding)
        return Tensor._result(output, "conv2d", (x, *self.parameters()), sliding=sliding)


def gelu_into(x: Any, out: Any, xp: Any = np) -> None:
    """Write GELU(x) into out, without another array.

    Args:
        x: numbers. Not changed.
        out: of the same shape, another array. What it holds before does not matter.
        xp: what computes: `xp.multiply(a, b, out=c)`, `xp.add(a, b, out=c)`, `xp.tanh(a, out=c)`; a and b are arrays or
            plain numbers. Without `out=` they allocate.

    >>> values = np.array([-1.0, 0.0, 1.0])
    >>> answers = np.empty(3)
    >>> gelu_into(values, answers)
    >>> answers.round(4).tolist()
    [-0.1588, 0.0, 0.8412]

    Hints:
        1. `GELU_CUBIC` and `GELU_SCALE` are there already. Begin with the square, in `out`.
        2. Write the formula from the inside out, one step a line. After each: what stands in `out` now?
        3. x itself is needed twice more after the first step. It is still there.
    """
    xp.multiply(x, x, out=out)
    xp.multiply(out, GELU_CUBIC, out=out)
    xp.add(out, 1.0, out=out)
    xp.multiply(out, x, out=out)
    xp.multiply(out, GELU_SCALE, out=out)
    xp.tanh(out, out=out)
    xp.add(out, 1.0, out=out)
    xp.multiply(out, x, out=out)
    xp.multiply(out, 0.5, out=out)


def gelu_blocks(x: Any, size: int, xp: Any = np) -> Any:
    """GELU of x in a new array, one block of at most `size` numbers after the other.

    Args:
        x: (n,). Not changed.
        size: of a block; with a block of x and a block of the result, the cache is to hold twice as many numbers.
        xp: what computes; see `gelu_into`. `xp.empty_like(x)` allocates.

    Returns:
        (n,), of the kind and dtype of x. Nothing else is allocated.

    >>> gelu_blocks(np.array([-1.0, 0.0, 1.0]), size=2).round(4).tolist()
    [-0.1588, 0.0, 0.8412]

    Hint: `blocks` cuts any length, also here.
    """
    out = xp.empty_like(x)
    for part in blocks(len(x), size):
        gelu_into(x[part], out[part], xp)
    return out


GELU_BLOCK = 65536


def fused_gelu(x: Tensor) -> Tensor:
    """GELU of a Tensor of any shape, by blocks: the same as `GELU()(x)`, in one new array.

    >>> fused_gelu(Tensor([-1, 0, 1]))
    Tensor([-0.1588, 0, 0.8412], dtype=float32)
    """
    values = x.data if x.data.dtype.kind == "f" else x.data.astype(np.float32)
    return Tensor._result(gelu_blocks(values.reshape(-1), GELU_BLOCK).reshape(x.shape), "gelu", (x,))


class FusedGELU(GELU):
    """GELU as a layer, by `fused_gelu`.

    >>> FusedGELU()(Tensor([0, 1]))
    Tensor([0, 0.8412], dtype=float32)
    """

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        return fused_gelu(x)


def mixed_matmul(a: Array, b: Array) -> Array:
    """The matrix product of two arrays that are rounded to float16 first; sums and result in float32.

    Args:
        a, b: (..., n, k) and (..., k, m), of any float type. Not changed.

    Returns:
        (..., n, m), float32.

    >>> mixed_matmul(np.ones((1, 4096)), np.ones((4096, 1)))
    array([[4096.]], dtype=float32)

    Hint: in which dtype does numpy add up the product of two float16 arrays? What must they be before it multiplies?
    """
    product: Array = np.matmul(a.astype(np.float16), b.astype(np.float16), dtype=np.float32)
    return product


def as_stored(values: Array) -> Array:
    """Numbers as they are after they have been stored in float16, in float32 again.

    >>> as_stored(np.array([1e-8, 1 / 3, 1e6])).tolist()
    [0.0, 0.333251953125, inf]
    """
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is looked for later
        return values.astype(np.float16).astype(np.float32)


class HalfLinear(Linear):
    """A Linear layer whose numbers are stored in float16; its weight and bias stay float32.

    >>> HalfLinear(3, 2)(Tensor(np.ones((5, 3)))).shape
    (5, 2)
    """

    def forward(self, x: Tensor) -> Tensor:
        """(n, in_features) → (n, out_features)."""
        assert self.bias is not None
        output = as_stored(mixed_matmul(x.data, self.weight.data) + self.bias.data)
        return Tensor._result(output, "half_linear", (x, self.weight, self.bias))


@gradient_rule("half_linear")
class HalfLinearBackward(Function):
    """The three products of a Linear layer's gradients, each stored in float16.

    >>> layer, x = HalfLinear(2, 1), Tensor([[1, 2]])
    >>> (layer(x).sum() * 1e-8).backward()
    >>> layer.weight.grad.ravel()
    array([0., 0.], dtype=float32)
    """

    def apply(self, grad_output: Array) -> Gradients:
        """g Wᵀ, xᵀ g, and the sum of g over the batch."""
        x, weight, _ = self.inputs
        g = as_stored(grad_output)
        with np.errstate(invalid="ignore", over="ignore"):  # ∞ - ∞ and 0 · ∞ after an overflow: neither is a number
            grad_x, grad_weight = mixed_matmul(g, weight.T), mixed_matmul(x.T, g)
            return as_stored(grad_x), as_stored(grad_weight), as_stored(g.sum(axis=0))


class LossScaler:
    """The factor on a loss, and when it changes.

    Args:
        scale: to begin with.
        patience: so many good steps in a row double it.
        largest: it is never above that.

    Attributes:
        scale: the factor now.

    >>> scaler = LossScaler(scale=8.0, patience=2)
    >>> scaler.unscale([np.array([4.0, 16.0], dtype=np.float16)])
    [array([0.5, 2. ], dtype=float32)]
    >>> scaler.update([np.array([1.0, np.inf])]), scaler.scale
    (False, 4.0)
    >>> scaler.update([np.array([1.0])]), scaler.update([np.array([1.0])]), scaler.scale
    (True, True, 8.0)

    Hints:
        1. What has to be remembered from step to step, besides the scale?
        2. Infinite is not the only thing that is not finite: what is ∞ - ∞?
        3. Dividing a float16 array by 1024.0 gives a float16 array. What do small gradients become in it?
    """

    def __init__(self, scale: float = 2.0**16, patience: int = 200, largest: float = 2.0**24):
        self.scale, self.patience, self.largest = scale, patience, largest
        self._good_steps = 0

    def unscale(self, gradients: Sequence[Array]) -> list[Array]:
        """New arrays: the gradients in float32, divided by the scale as it is now. Those handed over do not change."""
        return [gradient.astype(np.float32) / np.float32(self.scale) for gradient in gradients]

    def update(self, gradients: Sequence[Array]) -> bool:
        """Whether all gradients are finite, so that the step is to be made; and the scale of the next step."""
        if not all(np.isfinite(gradient).all() for gradient in gradients):
            self.scale = max(self.scale / 2, 1.0)
            self._good_steps = 0
            return False
        self._good_steps += 1
        if self._good_steps == self.patience:
            self.scale = min(self.scale * 2, self.largest)
            self._good_steps = 0
        return True


def mixed_precision_step(
    model: Any, loss_fn: Any, optimizer: Optimizer, scaler: LossScaler, x: Tensor, y: Tensor
) -> float:
    """One step of training with a scaled loss.

    Every parameter of the optimizer gets a gradient from this loss; older gradients are forgotten.

    Returns:
        the loss itself, not scaled, before the step.

    Hints:
        1. A loss is a Tensor: `(loss * number).backward()` works.
        2. `optimizer.params` are the parameters; `step` takes what stands in their `.grad`.
        3. Which has to come first, `scaler.unscale` or `scaler.update`? By what were these gradients multiplied?
    """
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    (loss * scaler.scale).backward()
    gradients: list[Any] = [parameter.grad for parameter in optimizer.params]
    unscaled = scaler.unscale(gradients)
    if scaler.update(unscaled):
        for place, gradient in enumerate(unscaled):
            optimizer.params[place].grad = gradient
        optimizer.step()
    return float(loss.data)


def accelerate_model(model: Any) -> int:
    """Replace the convolutions and GELUs of a model by quick ones, in place.

    Args:
        model: has a list `layers`; what has a list `layers` in there is gone through as well.

    Returns:
        int: how many layers were replaced.

    Hints:
        1. To replace a layer you need its place in the list, not only the layer.
        2. `LoopConv2d` of part 1 is a `Conv2d` too. Which question tells you so?
    """
    replaced = 0
    for place, layer in enumerate(model.layers):
        if isinstance(layer, Conv2d):
            model.layers[place] = AcceleratedConv2d(layer)
            replaced += 1
        elif isinstance(layer, GELU):
            model.layers[place] = FusedGELU()
            replaced += 1
        elif hasattr(layer, "layers"):
            replaced += accelerate_model(layer)
    return replaced
