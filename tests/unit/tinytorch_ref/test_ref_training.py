"""Training: schedule and clipping by formula, the Trainer's accounts, accumulation, modes, checkpoints."""

from __future__ import annotations

import json
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinytorch_ref.core.activations import ReLU, Sigmoid
from tinytorch_ref.core.layers import Dropout, Layer, Linear, Sequential
from tinytorch_ref.core.losses import BinaryCrossEntropyLoss, CrossEntropyLoss, MSELoss
from tinytorch_ref.core.optimizers import SGD, Adam, AdamW
from tinytorch_ref.core.spatial import BatchNorm2d, Conv2d, Flatten
from tinytorch_ref.core.tensor import Tensor
from tinytorch_ref.core.training import CosineSchedule, Trainer, clip_grad_norm


def batches(sizes: tuple[int, ...] = (4, 4, 3), seed: int = 0) -> list[tuple[Tensor, Tensor]]:
    rng = np.random.default_rng(seed)
    return [(Tensor(rng.normal(size=(n, 3))), Tensor(rng.integers(0, 2, size=n))) for n in sizes]


def classifier(seed: int = 0) -> Sequential:
    np.random.seed(seed)
    return Sequential(Linear(3, 8), ReLU(), Linear(8, 2))


def adam_trainer(model: Any, **options: Any) -> Trainer:
    return Trainer(model, Adam(model.parameters(), lr=0.05), CrossEntropyLoss(), **options)


def values(model: Any) -> list[Any]:
    return [parameter.data.copy() for parameter in model.parameters()]


# Schedule and clipping


def test_the_cosine_schedule_by_formula() -> None:
    schedule = CosineSchedule(max_lr=1, min_lr=0.2, total_epochs=8)
    for epoch in range(9):
        expected = 0.2 + 0.8 * (1 + math.cos(math.pi * epoch / 8)) / 2
        assert schedule.get_lr(epoch) == pytest.approx(expected)
    assert schedule.get_lr(1000) == pytest.approx(0.2)
    rates = [schedule.get_lr(epoch) for epoch in range(9)]
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize("options", [{"max_lr": 0.1, "min_lr": 0.2}, {"min_lr": -1}, {"total_epochs": 0}])
def test_a_schedule_that_rises_or_has_no_epochs_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="CosineSchedule needs"):
        CosineSchedule(**options)


def with_gradients(*gradients: Any) -> list[Tensor]:
    tensors = [Tensor(np.zeros(np.shape(g)), requires_grad=True) for g in gradients]
    for tensor, gradient in zip(tensors, gradients, strict=True):
        tensor.grad = np.array(gradient, np.float32)
    return tensors


def test_clipping_keeps_the_direction_of_all_gradients_together() -> None:
    a, b = with_gradients([3.0, 0.0], [[4.0]])
    assert clip_grad_norm([a, b, Tensor([1], requires_grad=True)], max_norm=1) == 5
    np.testing.assert_allclose(a.grad, [0.6, 0], rtol=1e-5)
    np.testing.assert_allclose(b.grad, [[0.8]], rtol=1e-5)


def test_clipping_leaves_small_gradients_alone() -> None:
    [a] = with_gradients([3.0, 4.0])
    assert clip_grad_norm([a], max_norm=5.1) == 5
    assert a.grad is not None
    assert a.grad.tolist() == [3, 4]
    assert clip_grad_norm([], max_norm=1) == 0


def test_the_norm_of_large_gradients_does_not_overflow() -> None:
    [a] = with_gradients([3e30, 4e30])
    assert clip_grad_norm([a], max_norm=1) == pytest.approx(5e30)
    np.testing.assert_allclose(a.grad, [0.6, 0.8], rtol=1e-5)


def test_a_negative_norm_is_refused() -> None:
    with pytest.raises(ValueError, match="max_norm"):
        clip_grad_norm([], max_norm=-1)


# The Trainer


def test_training_lowers_the_loss_and_keeps_accounts() -> None:
    trainer = adam_trainer(classifier())
    losses = [trainer.train_epoch(batches()) for _ in range(30)]
    assert losses[-1] < 0.5 * losses[0]
    assert trainer.history == {"train_loss": losses, "eval_loss": [], "learning_rates": [0.05] * 30}
    assert (trainer.epoch, trainer.step) == (30, 90)


def test_the_loss_is_the_mean_over_examples_not_over_batches() -> None:
    model = classifier()
    data = batches((5, 1))
    inputs = Tensor(np.concatenate([x.data for x, _ in data]))
    targets = Tensor(np.concatenate([t.data for _, t in data]))
    expected = float(CrossEntropyLoss()(model(inputs), targets).data)
    trainer = Trainer(model, SGD(model.parameters(), lr=0), CrossEntropyLoss())
    assert trainer.train_epoch(data) == pytest.approx(expected, rel=1e-6)
    assert trainer.evaluate(data)[0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("accumulation_steps", [2, 3, 10])
def test_accumulated_batches_make_the_step_of_one_large_batch(accumulation_steps: int) -> None:
    data = batches((4, 4, 3, 1, 2))
    small, large = classifier(), classifier()
    parted = Trainer(small, SGD(small.parameters(), lr=0.1), CrossEntropyLoss())
    parted.train_epoch(data, accumulation_steps=accumulation_steps)
    groups = [data[i : i + accumulation_steps] for i in range(0, len(data), accumulation_steps)]
    joined = [tuple(Tensor(np.concatenate([pair[k].data for pair in group])) for k in (0, 1)) for group in groups]
    whole = Trainer(large, SGD(large.parameters(), lr=0.1), CrossEntropyLoss())
    whole.train_epoch(joined)
    assert parted.step == whole.step == len(groups)
    for ours, expected in zip(values(small), values(large), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-6)


def test_the_scheduler_sets_the_rate_of_each_epoch_from_the_first_on() -> None:
    trainer = adam_trainer(classifier(), scheduler=CosineSchedule(0.1, 0.0, total_epochs=2))
    for _ in range(3):
        trainer.train_epoch(batches())
    assert trainer.history["learning_rates"] == pytest.approx([0.1, 0.05, 0])


def test_gradients_are_clipped_before_the_step() -> None:
    model = classifier()
    before = values(model)
    trainer = Trainer(model, SGD(model.parameters(), lr=1), CrossEntropyLoss(), grad_clip_norm=0.01)
    trainer.train_epoch(batches((8,)))
    moved = math.sqrt(sum(float(((a - b) ** 2).sum()) for a, b in zip(values(model), before, strict=True)))
    assert moved == pytest.approx(0.01, rel=1e-3)


def test_evaluation_trains_nothing_records_nothing_and_counts_hits() -> None:
    model = classifier()
    trainer = adam_trainer(model)
    before = values(model)
    inputs = Tensor(np.random.default_rng(1).normal(size=(10, 3)))
    right = model(inputs).data.argmax(-1)
    wrong = right.copy()
    wrong[:3] = 1 - wrong[:3]
    loss, accuracy = trainer.evaluate([(inputs, Tensor(wrong))])
    assert accuracy == pytest.approx(0.7)
    assert trainer.history["eval_loss"] == [loss]
    assert all(parameter.grad is None for parameter in model.parameters())
    for now, then in zip(values(model), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_accuracy_of_yes_and_no_is_judged_at_one_half() -> None:
    model = Sequential(Linear(1, 1, bias=False), Sigmoid())
    model.layers[0].weight.data[:] = 1
    trainer = Trainer(model, SGD(model.parameters()), BinaryCrossEntropyLoss())
    data = [(Tensor([[-1], [2], [3], [4]]), Tensor([[0], [1], [1], [0]]))]
    assert trainer.evaluate(data)[1] == 0.75


def test_accuracy_of_a_regression_is_nan_rather_than_a_number() -> None:
    model = Linear(1, 1)
    trainer = Trainer(model, SGD(model.parameters()), MSELoss())
    assert math.isnan(trainer.evaluate([(Tensor([[1]]), Tensor([[1]]))])[1])


def test_accuracy_of_sequences_counts_every_position() -> None:
    model = Linear(2, 2, bias=False)
    model.weight.data[:] = np.eye(2)
    trainer = Trainer(model, SGD(model.parameters()), CrossEntropyLoss())
    inputs = Tensor([[[1, 0], [0, 1]], [[1, 0], [1, 0]]])
    assert trainer.evaluate([(inputs, Tensor([[0, 1], [0, 1]]))])[1] == 0.75


def test_the_model_is_told_whether_it_trains() -> None:
    class RecordsMode(Layer):
        training = None

        def __init__(self) -> None:
            self.weight = Tensor([[1.0]], requires_grad=True)

        def forward(self, x: Tensor) -> Tensor:
            modes.append(self.training)
            return x * self.weight

        def parameters(self) -> list[Tensor]:
            return [self.weight]

    modes: list[bool | None] = []
    model = RecordsMode()
    trainer = Trainer(model, SGD(model.parameters()), MSELoss())
    data = [(Tensor([[1]]), Tensor([[1]]))]
    trainer.train_epoch(data)
    assert trainer.training_mode
    trainer.evaluate(data)
    assert modes == [True, False]
    dropping = Sequential(Linear(1, 1), Dropout(1))
    other = Trainer(dropping, SGD(dropping.parameters(), lr=0), MSELoss())
    assert other.train_epoch([(Tensor([[1]]), Tensor([[0]]))]) == 0
    assert other.evaluate([(Tensor([[1]]), Tensor([[0]]))])[0] > 0


def test_nothing_to_learn_from_is_an_error() -> None:
    trainer = adam_trainer(classifier())
    with pytest.raises(ValueError, match="no examples"):
        trainer.train_epoch([])
    with pytest.raises(ValueError, match="no examples"):
        trainer.evaluate([])
    with pytest.raises(ValueError, match="accumulation_steps"):
        trainer.train_epoch(batches(), accumulation_steps=0)
    assert trainer.epoch == 0


# Checkpoints


def small_cnn(seed: int) -> Sequential:
    np.random.seed(seed)
    return Sequential(Conv2d(1, 2, 3), BatchNorm2d(2), ReLU(), Flatten(), Linear(8, 2))


def images(seed: int = 0) -> list[tuple[Tensor, Tensor]]:
    rng = np.random.default_rng(seed)
    return [(Tensor(rng.normal(size=(6, 1, 4, 4))), Tensor(rng.integers(0, 2, size=6))) for _ in range(3)]


@pytest.mark.parametrize("kind", [SGD, Adam, AdamW])
def test_a_restored_run_goes_on_exactly_as_the_first(tmp_path: Path, kind: Any) -> None:
    def start(seed: int) -> Trainer:
        model = small_cnn(seed)
        schedule = CosineSchedule(0.1, 0.01, total_epochs=6)
        return Trainer(model, kind(model.parameters(), lr=0.1), CrossEntropyLoss(), scheduler=schedule)

    first, second = start(0), start(1)
    first.train_epoch(images())
    first.save_checkpoint(tmp_path / "half.ckpt")
    second.load_checkpoint(str(tmp_path / "half.ckpt"))
    assert second.history == first.history
    for trainer in (first, second):
        trainer.train_epoch(images(1))
        trainer.evaluate(images(2))
    assert second.history == first.history
    assert (second.epoch, second.step) == (first.epoch, first.step) == (2, 6)
    for ours, theirs in zip(values(second.model), values(first.model), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_checkpoint_is_arrays_and_json_with_nothing_pickled(tmp_path: Path) -> None:
    trainer = adam_trainer(classifier())
    trainer.train_epoch(batches())
    trainer.save_checkpoint(tmp_path / "a.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]
    with np.load(tmp_path / "a.npz", allow_pickle=False) as saved:
        assert json.loads(str(saved["progress"]))["epoch"] == 1
        assert {"model.0", "optimizer.0.m", "optimizer.step_count"} <= set(saved.files)


@pytest.mark.parametrize("what", ["pickle", "text", "nothing", "half", "array", "other arrays"])
def test_a_file_that_is_no_checkpoint_is_refused_and_nothing_in_it_is_run(tmp_path: Path, what: str) -> None:
    path, trainer = tmp_path / "evil", adam_trainer(classifier())
    trainer.save_checkpoint(path)
    content = {"pickle": pickle.dumps({"epoch": 3}), "text": b"hello", "nothing": b"", "half": path.read_bytes()[:900]}
    with path.open("wb") as file:
        if what == "array":
            np.save(file, np.ones(3))
        elif what == "other arrays":
            np.savez(file, a=np.ones(3))
        else:
            file.write(content[what])
    with pytest.raises(ValueError, match="not a checkpoint"):
        trainer.load_checkpoint(path)


def test_a_checkpoint_of_another_model_or_optimizer_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    adam_trainer(classifier()).save_checkpoint(path)
    other = adam_trainer(Sequential(Linear(3, 5), Linear(5, 2)))
    before = values(other.model)
    with pytest.raises(ValueError, match=r"\(3, 8\).*\(3, 5\)"):
        other.load_checkpoint(path)
    model = classifier()
    with pytest.raises(ValueError, match="Adam, not SGD"):
        Trainer(model, SGD(model.parameters()), CrossEntropyLoss()).load_checkpoint(path)
    with pytest.raises(FileNotFoundError):
        other.load_checkpoint(tmp_path / "nowhere")
    for now, then in zip(values(other.model), before, strict=True):
        np.testing.assert_array_equal(now, then)
