# module: 08_dataloader
"""From examples to batches: Dataset, TensorDataset, DataLoader; and small random changes to images.

Whatever is drawn here comes from numpy's global generator, so that `np.random.seed` repeats it; a DataLoader can
have a seed of its own instead.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from ..core.tensor import Array, Tensor

Example = tuple[Tensor, ...]
Image = TypeVar("Image", Tensor, Array)


class Dataset(ABC):
    """Examples by number: define `__len__`, and `__getitem__` to give a tuple of tensors.

    >>> class Squares(Dataset):
    ...     def __len__(self):
    ...         return 4
    ...     def __getitem__(self, index):
    ...         return Tensor(index), Tensor(index**2)
    >>> [batch[1].data.tolist() for batch in DataLoader(Squares(), batch_size=3)]
    [[0.0, 1.0, 4.0], [9.0]]
    """

    @abstractmethod
    def __len__(self) -> int:
        """Number of examples."""

    @abstractmethod
    def __getitem__(self, index: int) -> Example:
        """One example."""

    def batch(self, indices: Sequence[int] | Array) -> Example:
        """Examples stacked along a new first axis; override it where there is a quicker way.

        Raises:
            ValueError: the examples differ in shape.
        """
        examples = [self[int(index)] for index in indices]
        return tuple(_stacked(parts) for parts in zip(*examples, strict=True))


class TensorDataset(Dataset):
    """Tensors whose first axes go together: example i is the tuple of their i-th entries.

    Raises:
        TypeError: something given is no Tensor.
        ValueError: none is given, one is a scalar, or they differ in length.

    >>> dataset = TensorDataset(Tensor([[1, 2], [3, 4]]), Tensor([0, 1]))
    >>> len(dataset), dataset[1]
    (2, (Tensor([3, 4], dtype=float32), Tensor(1, dtype=float32)))
    """

    def __init__(self, *tensors: Tensor):
        for tensor in tensors:
            if not isinstance(tensor, Tensor):
                raise TypeError(f"TensorDataset is made of Tensors, not {type(tensor).__name__}")
        shapes = [tensor.shape for tensor in tensors]
        if not shapes or () in shapes or len({shape[0] for shape in shapes}) > 1:
            raise ValueError(f"TensorDataset needs tensors with the same number of examples, got shapes {shapes}")
        self.tensors = tensors

    def __len__(self) -> int:
        """Number of examples."""
        return self.tensors[0].shape[0]

    def __getitem__(self, index: int) -> Example:
        """Example `index`, from 0; copies.

        Raises:
            IndexError: there is no such example. Numbers do not count from the end: -1 is refused too.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"example {index} of {len(self)}: numbers go from 0 to {len(self) - 1}")
        return tuple(_adopted(np.asarray(tensor.data[index])) for tensor in self.tensors)

    def batch(self, indices: Sequence[int] | Array) -> Example:
        """Several examples in one selection."""
        chosen = np.asarray(indices, dtype=np.intp)
        return tuple(_adopted(tensor.data[chosen]) for tensor in self.tensors)


class DataLoader:
    """Batches of a dataset: iterate over it as often as you like, each time one pass.

    Args:
        dataset: a Dataset, or anything with `len` and `[]`.
        batch_size: examples in a batch; the last one may be smaller.
        shuffle: draw a new order for each pass, from numpy's global generator.
        seed: draw from a generator of its own instead: the same orders in each run of the program, whatever else
            is drawn.

    Raises:
        ValueError: `batch_size` is not a positive integer.

    >>> loader = DataLoader(TensorDataset(Tensor([1, 2, 3])), batch_size=2)
    >>> len(loader), [batch for (batch,) in loader]
    (2, [Tensor([1, 2], dtype=float32), Tensor([3], dtype=float32)])
    """

    def __init__(self, dataset: Dataset, batch_size: int, shuffle: bool = False, seed: int | None = None):
        if not isinstance(batch_size, int | np.integer) or batch_size < 1:
            raise ValueError(f"DataLoader: batch_size must be a positive integer, got {batch_size!r}")
        self.dataset = dataset
        self.batch_size = int(batch_size)
        self.shuffle = shuffle
        self._generator = None if seed is None else np.random.default_rng(seed)

    def __len__(self) -> int:
        """Batches in a pass: examples / batch_size, rounded up."""
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self) -> Iterator[Example]:
        """One pass."""
        order = self._order()
        for start in range(0, len(order), self.batch_size):
            chosen = order[start : start + self.batch_size]
            whole = getattr(self.dataset, "batch", None)
            yield whole(chosen) if whole else Dataset.batch(self.dataset, chosen)

    def _order(self) -> Array:
        n = len(self.dataset)
        if not self.shuffle:
            return np.arange(n)
        return np.random.permutation(n) if self._generator is None else self._generator.permutation(n)


class RandomHorizontalFlip:
    """Mirror an image (..., H, W) left to right with probability `p`.

    >>> RandomHorizontalFlip(p=1)(Tensor([[1, 2, 3]]))
    Tensor([[3, 2, 1]], dtype=float32)
    """

    def __init__(self, p: float = 0.5):
        if not 0 <= p <= 1:
            raise ValueError(f"RandomHorizontalFlip: p is a probability between 0 and 1, got {p}")
        self.p = p

    def __call__(self, image: Image) -> Image:
        """The image or its mirror image, of the type given."""
        return _like(image, _array(image)[..., ::-1]) if np.random.random() < self.p else image


class RandomCrop:
    """Cut a random window out of an image (..., H, W) that was first padded with zeros all round.

    Args:
        size: height and width of the window, one number for both or a pair.
        padding: zeros on each side; 4 is the usual choice for 32×32 (He et al., arXiv:1512.03385, section 4.2).

    >>> RandomCrop(8, padding=1)(Tensor(np.ones((1, 8, 8)))).shape
    (1, 8, 8)
    """

    def __init__(self, size: int | tuple[int, int], padding: int = 4):
        self.size = (size, size) if isinstance(size, int) else size
        self.padding = padding
        if min(self.size) < 1 or padding < 0:
            raise ValueError(f"RandomCrop needs a size of at least 1 and no negative padding, got {size}, {padding}")

    def __call__(self, image: Image) -> Image:
        """A window of the image, of the type given.

        Raises:
            ValueError: the window is larger than the padded image.
        """
        values = _array(image)
        around = [(0, 0)] * (values.ndim - 2) + [(self.padding, self.padding)] * 2
        padded = np.pad(values, around)
        spare = [have - want for have, want in zip(padded.shape[-2:], self.size, strict=True)]
        if min(spare) < 0:
            raise ValueError(f"RandomCrop: a window of {self.size} does not fit into {padded.shape[-2:]}")
        top, left = (np.random.randint(0, n + 1) for n in spare)
        return _like(image, padded[..., top : top + self.size[0], left : left + self.size[1]])


class Compose:
    """Changes one after the other.

    >>> Compose([RandomHorizontalFlip(p=1), RandomHorizontalFlip(p=1)])(Tensor([[1, 2]]))
    Tensor([[1, 2]], dtype=float32)
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]):
        self.transforms = list(transforms)

    def __call__(self, image: Any) -> Any:
        """Each change on the result of the one before."""
        for transform in self.transforms:
            image = transform(image)
        return image


def _stacked(parts: Sequence[Tensor]) -> Tensor:
    arrays = [part.data if isinstance(part, Tensor) else Tensor(part).data for part in parts]
    if len({array.shape for array in arrays}) > 1:
        raise ValueError(f"examples of one batch differ in shape: {sorted({array.shape for array in arrays})}")
    return _adopted(np.stack(arrays))


def _adopted(data: Array) -> Tensor:
    return Tensor(data, dtype=data.dtype)


def _array(image: Tensor | Array) -> Array:
    return image.data if isinstance(image, Tensor) else np.asarray(image)


def _like(image: Image, values: Array) -> Image:
    """As a Tensor if a Tensor was given."""
    return _adopted(values) if isinstance(image, Tensor) else np.ascontiguousarray(values)
