# module: 09_spatial
"""Windows that slide over images: the arithmetic that convolution and pooling share, on plain arrays.

A loop over pixels in Python is a thousand times too slow. Here all windows of a batch are one view of its memory,
of shape (N, C, k_h, k_w, H_out, W_out): entry [n, c, i, j] is the image of those pixels that lie in row i and
column j of their windows. Loops go over i and j only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .tensor import Array, Shape

Pair: TypeAlias = tuple[int, int]


@dataclass(frozen=True)
class SlidingWindow:
    """How a window slides: its size, its step and the border around the image, each (vertical, horizontal).

    >>> SlidingWindow((3, 3), (2, 2), (1, 1)).output_shape((8, 16, 32, 32))
    (8, 16, 16, 16)
    """

    kernel: Pair
    stride: Pair
    padding: Pair
    owner: str = "SlidingWindow"  # the layer, for messages

    @classmethod
    def of(cls, owner: str, kernel: Any, stride: Any, padding: Any) -> SlidingWindow:
        """From one number for both directions, or a pair.

        Raises:
            ValueError: a size is not whole, or less than 1 (the padding: than 0).

        >>> SlidingWindow.of("Conv2d", kernel=3, stride=(2, 1), padding=1).kernel
        (3, 3)
        """
        return cls(
            _pair(f"{owner}: kernel_size", kernel, least=1),
            _pair(f"{owner}: stride", stride, least=1),
            _pair(f"{owner}: padding", padding, least=0),
            owner,
        )

    def output_shape(self, shape: Shape) -> Shape:
        """(N, C, H, W) → (N, C, H_out, W_out), where H_out = ⌊(H + 2 padding - kernel) / stride⌋ + 1.

        Raises:
            ValueError: there is no room for a single window.
        """
        height, width = (
            (length + 2 * padding - kernel) // stride + 1
            for length, kernel, stride, padding in zip(shape[2:], self.kernel, self.stride, self.padding, strict=True)
        )
        if height < 1 or width < 1:
            raise ValueError(
                f"{self.owner}: a window of {self.kernel} with padding {self.padding} does not fit into {shape}"
            )
        return (*shape[:2], height, width)

    def padded(self, images: Array, value: float = 0) -> Array:
        """The images with a border of `value`; the images themselves where the border is 0 wide."""
        vertical, horizontal = self.padding
        if vertical == horizontal == 0:
            return images
        n, channels, height, width = images.shape
        framed = np.full((n, channels, height + 2 * vertical, width + 2 * horizontal), value, dtype=images.dtype)
        self.unpadded(framed)[...] = images
        return framed

    def unpadded(self, images: Array) -> Array:
        """A view of padded images without the border."""
        vertical, horizontal = self.padding
        _, _, height, width = images.shape
        return images[:, :, vertical : height - vertical, horizontal : width - horizontal]

    def windows(self, padded: Array) -> Array:
        """The view (N, C, k_h, k_w, H_out, W_out) of padded images. They overlap: write into one [i, j] at a time."""
        n, channels, height, width = replace(self, padding=(0, 0)).output_shape(padded.shape)
        image, channel, row, column = padded.strides
        return as_strided(
            padded,
            (n, channels, *self.kernel, height, width),
            (image, channel, row, column, row * self.stride[0], column * self.stride[1]),
        )

    def offsets(self) -> Iterator[Pair]:
        """Row and column of each pixel of a window, row by row."""
        return iter(np.ndindex(self.kernel))

    def unfold(self, images: Array) -> Array:
        """Each window as a column: (N, C, H, W) → (N, C · k_h · k_w, H_out · W_out), also known as im2col.

        A convolution is then a matrix product, and a BLAS does the work (Chellapilla et al., 2006).

        >>> SlidingWindow((2, 2), (1, 1), (0, 0)).unfold(np.arange(9).reshape(1, 1, 3, 3))[0, :, 0]
        array([0, 1, 3, 4])
        """
        view = self.windows(self.padded(images))
        n, channels, k_h, k_w, height, width = view.shape
        return view.reshape(n, channels * k_h * k_w, height * width)

    def fold(self, columns: Array, shape: Shape) -> Array:
        """The transpose of `unfold`: each column's entries added up at the pixels of `shape` that they came from."""
        n, channels, height, width = shape
        vertical, horizontal = self.padding
        padded = np.zeros((n, channels, height + 2 * vertical, width + 2 * horizontal), dtype=columns.dtype)
        view = self.windows(padded)
        parts = columns.reshape(view.shape)
        for i, j in self.offsets():
            view[:, :, i, j] += parts[:, :, i, j]
        return self.unpadded(padded)


def _pair(name: str, value: Any, least: int) -> Pair:
    """`value`, or two of it if it is one number; checked to be whole and at least `least`."""
    both = (value, value) if isinstance(value, int | np.integer) else value
    if (
        not isinstance(both, tuple | list)
        or len(both) != 2
        or not all(isinstance(length, int | np.integer) and length >= least for length in both)
    ):
        raise ValueError(f"{name} is a whole number of at least {least}, or a pair of them; got {value!r}")
    return int(both[0]), int(both[1])
