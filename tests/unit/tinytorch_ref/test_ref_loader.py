"""Datasets, batches, random changes to images, and the digits that ship."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch_ref.core.tensor import Tensor
from tinytorch_ref.data import digits
from tinytorch_ref.data.digits import load_digits
from tinytorch_ref.data.loader import (
    Compose,
    DataLoader,
    Dataset,
    RandomCrop,
    RandomHorizontalFlip,
    TensorDataset,
)


def numbered(n: int) -> TensorDataset:
    return TensorDataset(Tensor(np.arange(n)), Tensor(np.arange(2 * n).reshape(n, 2)))


def order(loader: DataLoader) -> list[int]:
    return [int(value) for batch in loader for value in batch[0].data]


def test_a_dataset_gives_examples_as_tuples_of_tensors_of_the_same_dtype() -> None:
    dataset = TensorDataset(Tensor(np.array([[1, 2], [3, 4]], np.int8)), Tensor([0.5, 1.5], dtype=np.float64))
    assert len(dataset) == 2
    first, second = dataset[1]
    assert first.data.tolist() == [3, 4]
    assert second.data == 1.5
    assert (first.dtype, second.dtype) == (np.int8, np.float64)
    assert [part.dtype for part in dataset.batch([0, 1])] == [np.int8, np.float64]


@pytest.mark.parametrize("index", [2, 100, -1])
def test_a_number_out_of_range_is_an_error(index: int) -> None:
    with pytest.raises(IndexError, match="0 to 1"):
        numbered(2)[index]


def test_an_example_is_a_copy() -> None:
    dataset = numbered(3)
    dataset[0][1].data[:] = 99
    dataset.batch([0])[1].data[:] = 99
    assert dataset[0][1].data.tolist() == [0, 1]


def test_tensors_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(2,\).*\(3,\)"):
        TensorDataset(Tensor([1, 2]), Tensor([1, 2, 3]))
    with pytest.raises(ValueError, match=r"\(\)"):
        TensorDataset(Tensor(1))
    with pytest.raises(ValueError, match=r"\[\]"):
        TensorDataset()
    with pytest.raises(TypeError, match="list"):
        TensorDataset([1, 2])  # type: ignore[arg-type]


def test_a_dataset_must_say_how_long_it_is_and_what_it_holds() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Dataset()  # type: ignore[abstract]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 40), st.integers(1, 50), st.booleans())
def test_a_pass_gives_every_example_once(n: int, batch_size: int, shuffle: bool) -> None:
    loader = DataLoader(numbered(n), batch_size, shuffle=shuffle)
    sizes = [batch[0].shape[0] for batch in loader]
    assert len(sizes) == len(loader) == -(-n // batch_size)
    assert sorted(order(loader)) == list(range(n))
    assert all(size == batch_size for size in sizes[:-1])


def test_parts_of_an_example_stay_together() -> None:
    for number, pair in DataLoader(numbered(10), 3, shuffle=True, seed=0):
        np.testing.assert_array_equal(pair.data, np.stack([2 * number.data, 2 * number.data + 1], axis=1))


def test_the_order_is_kept_drawn_anew_or_repeated() -> None:
    assert order(DataLoader(numbered(20), 6)) == list(range(20))
    loader, again = (DataLoader(numbered(20), 6, shuffle=True, seed=3) for _ in range(2))
    first, second = order(loader), order(loader)
    assert first != second != list(range(20))
    assert [order(again), order(again)] == [first, second]


def test_without_a_seed_the_order_follows_numpys() -> None:
    loader = DataLoader(numbered(20), 6, shuffle=True)
    np.random.seed(1)
    first = order(loader)
    np.random.seed(1)
    assert order(loader) == first
    state = np.random.get_state()[1].tolist()  # type: ignore[index, union-attr]
    order(DataLoader(numbered(20), 6, shuffle=True, seed=1))
    assert np.random.get_state()[1].tolist() == state  # type: ignore[index, union-attr]


class Growing(Dataset):
    """Examples of different shapes, one by one."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        return (Tensor(np.zeros(index + 1)),)


class Listed:
    """Not a Dataset, only like one; it gives numbers."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> Any:
        return index, [index, index]


def test_any_sequence_of_examples_can_be_loaded() -> None:
    loader = DataLoader(Listed(), 2)  # type: ignore[arg-type]
    assert [tuple(part.data.tolist() for part in batch) for batch in loader] == [
        ([0, 1], [[0, 0], [1, 1]]),
        ([2], [[2, 2]]),
    ]


def test_examples_that_differ_in_shape_do_not_make_a_batch() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        list(DataLoader(Growing(), 2))
    assert [batch[0].shape for batch in DataLoader(Growing(), 1)] == [(1, 1), (1, 2), (1, 3)]


@pytest.mark.parametrize("size", [0, -1, 2.5, "4"])
def test_a_batch_size_is_a_positive_integer(size: Any) -> None:
    with pytest.raises(ValueError, match="batch_size"):
        DataLoader(numbered(3), size)


# Random changes


def test_a_flip_mirrors_with_its_probability() -> None:
    image = np.arange(6.0).reshape(1, 2, 3)
    np.random.seed(0)
    flipped = [bool(RandomHorizontalFlip(0.3)(image)[0, 0, 0]) for _ in range(2000)]
    assert np.mean(flipped) == pytest.approx(0.3, abs=0.05)
    np.testing.assert_array_equal(RandomHorizontalFlip(1)(image), image[..., ::-1])
    assert RandomHorizontalFlip(0)(image) is image
    with pytest.raises(ValueError, match="between 0 and 1"):
        RandomHorizontalFlip(1.5)


def test_a_crop_is_a_window_of_the_padded_image_and_all_windows_occur() -> None:
    image = np.arange(1, 10.0).reshape(1, 3, 3)
    padded = np.pad(image[0], 1)
    windows = {tuple(padded[i : i + 3, j : j + 3].ravel()) for i in range(3) for j in range(3)}
    np.random.seed(0)
    crop = RandomCrop(3, padding=1)
    assert {tuple(crop(image)[0].ravel()) for _ in range(300)} == windows


def test_a_crop_may_be_of_any_size_that_fits() -> None:
    assert RandomCrop((2, 5), padding=1)(np.zeros((3, 4, 4))).shape == (3, 2, 5)
    with pytest.raises(ValueError, match=r"\(7, 7\).*\(6, 6\)"):
        RandomCrop(7, padding=1)(np.zeros((3, 4, 4)))
    with pytest.raises(ValueError, match="at least 1"):
        RandomCrop(0)


def test_changes_keep_the_type_and_dtype_and_follow_one_another() -> None:
    change = Compose([RandomCrop(4, padding=0), RandomHorizontalFlip(1)])
    image = np.arange(16, dtype=np.uint8).reshape(1, 4, 4)
    as_array, as_tensor = change(image), change(Tensor(image))
    assert isinstance(as_tensor, Tensor)
    assert as_tensor.dtype == as_array.dtype == np.uint8
    np.testing.assert_array_equal(as_array, image[..., ::-1])
    np.testing.assert_array_equal(as_tensor.data, as_array)


# Digits


def test_the_digits_are_split_by_class_without_overlap() -> None:
    (train, train_labels), (test, test_labels) = load_digits("train"), load_digits("test")
    assert train.shape == (1438, 1, 8, 8)
    assert test.shape == (359, 1, 8, 8)
    assert (train.dtype, train_labels.dtype) == (np.float32, np.int64)
    both = np.concatenate([train_labels.data, test_labels.data])
    assert np.bincount(both).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert set(np.bincount(test_labels.data)) == {35, 36, 37}
    seen = {image.tobytes() for image in train.data}
    assert not [image for image in test.data if image.tobytes() in seen]


def test_pixels_are_sixteenths_from_paper_to_ink() -> None:
    images, _ = load_digits()
    assert np.unique(images.data * 16).tolist() == list(range(17))


def test_every_load_is_a_copy_of_the_same() -> None:
    images, labels = load_digits("test")
    images.data[:] = 0
    labels.data[:] = 0
    again, _ = load_digits("test")
    assert again.data.any()
    # Whoever changes the split changes everybody's held-out figures: this must not happen by accident.
    assert float(again.data.sum()) == pytest.approx(6993.125)


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(ValueError, match="'valid'"):
        load_digits("valid")


def test_the_data_are_small_and_say_where_they_come_from() -> None:
    folder = Path(digits.__file__).parent
    assert (folder / "digits.npz").stat().st_size < 150_000
    notes = (folder / "DIGITS.md").read_text()
    assert "sklearn/datasets/descr/digits.rst" in notes
    assert "Copyright (c) 2007-2026 The scikit-learn developers" in notes  # its licence asks for that
    labels = np.concatenate([load_digits(split)[1].data for split in ("train", "test")])
    assert len(labels) == 1797
    assert ", ".join(map(str, np.bincount(labels)[:9])) in notes
