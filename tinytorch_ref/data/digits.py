# module: 08_dataloader
"""The handwritten digits that ship with the package; DIGITS.md beside this file says where they come from."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..core.tensor import Tensor

_FILE = Path(__file__).with_name("digits.npz")


def load_digits(split: str = "train") -> tuple[Tensor, Tensor]:
    """Images and labels of 1,797 digits, 8×8 pixels, from UCI's Optical Recognition of Handwritten Digits.

    Args:
        split: "train", 1,438 images; "test", the other 359, a fifth of each class. The same ones always.

    Returns:
        images: (n, 1, 8, 8), float32, from 0 for paper to 1 for ink in steps of 1/16.
        labels: (n,), int64, 0 to 9.

    Raises:
        ValueError: another split was asked for.

    >>> images, labels = load_digits("test")
    >>> images.shape, labels.shape, labels.dtype
    ((359, 1, 8, 8), (359,), dtype('int64'))
    """
    if split not in ("train", "test"):
        raise ValueError(f'split is "train" or "test", got {split!r}')
    with np.load(_FILE) as stored:
        chosen = stored["test"] == (split == "test")
        images, labels = stored["images"][chosen], stored["labels"][chosen]
    return Tensor(images[:, None].astype(np.float32) / 16), Tensor(labels.astype(np.int64))
