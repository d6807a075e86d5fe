# module: 07_training
"""The loop: run batches, follow gradients, watch the loss, keep checkpoints."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from .autograd import no_grad
from .layers import run_layer
from .losses import BinaryCrossEntropyLoss
from .optimizers import Optimizer
from .tensor import Array, Tensor

Batch = tuple[Tensor, ...]  # inputs and targets


class CosineSchedule:
    """A learning rate that falls from `max_lr` to `min_lr` along half a cosine, and stays there.

    lr(epoch) = min_lr + (max_lr - min_lr) (1 + cos(π · epoch / total_epochs)) / 2, from Loshchilov and Hutter,
    arXiv:1608.03983, equation 5, without restarts.

    >>> schedule = CosineSchedule(max_lr=0.1, min_lr=0.02, total_epochs=10)
    >>> [round(schedule.get_lr(epoch), 3) for epoch in (0, 5, 10, 99)]
    [0.1, 0.06, 0.02, 0.02]
    """

    def __init__(self, max_lr: float = 0.1, min_lr: float = 0.01, total_epochs: int = 100):
        if not 0 <= min_lr <= max_lr or total_epochs < 1:
            raise ValueError(
                f"CosineSchedule needs 0 <= min_lr <= max_lr and total_epochs >= 1, "
                f"got {min_lr}, {max_lr} and {total_epochs}"
            )
        self.max_lr = max_lr
        self.min_lr = min_lr
        self.total_epochs = total_epochs

    def get_lr(self, epoch: int) -> float:
        """The learning rate of an epoch, counted from 0."""
        done = min(max(epoch, 0), self.total_epochs) / self.total_epochs
        return self.min_lr + (self.max_lr - self.min_lr) * (1 + math.cos(math.pi * done)) / 2


def clip_grad_norm(parameters: Iterable[Tensor], max_norm: float = 1.0) -> float:
    """Scale all gradients by one factor so that their norm together is at most `max_norm`.

    The norm is √Σ g² over every element of every gradient, and the factor max_norm / (norm + 1e-6) where that is
    below 1, as in PyTorch (Pascanu et al., arXiv:1211.5063, algorithm 1). The direction stays. Parameters without
    a gradient are left out.

    Returns:
        the norm before.

    Raises:
        ValueError: `max_norm` is negative.

    >>> w = Tensor([0, 0], requires_grad=True)
    >>> w.grad = np.array([3, 4], np.float32)
    >>> clip_grad_norm([w], max_norm=1), w.grad.round(4)
    (5.0, array([0.6, 0.8], dtype=float32))
    """
    if not max_norm >= 0:
        raise ValueError(f"max_norm is a number of at least 0, got {max_norm}")
    trained = [(parameter, parameter.grad) for parameter in parameters if parameter.grad is not None]
    norm = math.sqrt(sum(_squared_norm(gradient) for _, gradient in trained))
    factor = max_norm / (norm + 1e-6)
    if factor < 1:
        for parameter, gradient in trained:
            parameter.grad = np.asarray(gradient * factor)
    return norm


class Trainer:
    """Trains a model on batches of (inputs, targets).

    Args:
        model: something to call, with `parameters()`. If it says `has_training_mode` it is told whether it trains,
            and so is one that has an attribute `training`.
        optimizer: made with the model's parameters.
        loss_fn: `loss_fn(outputs, targets)` is a scalar Tensor, a mean over the batch.
        scheduler: its `get_lr(epoch)` sets the optimizer's learning rate at the start of each epoch.
        grad_clip_norm: most that the norm of all gradients may be in a step; None lets it be.

    Attributes:
        epoch: epochs done. step: optimizer steps done. training_mode: what the model was last told.
        history: lists `train_loss` and `learning_rates` with an entry per epoch, and `eval_loss` per evaluation.

    >>> from .layers import Linear
    >>> from .losses import MSELoss
    >>> from .optimizers import SGD
    >>> np.random.seed(0)
    >>> model = Linear(1, 1)
    >>> trainer = Trainer(model, SGD(model.parameters(), lr=0.1), MSELoss())
    >>> line = [(Tensor([[0], [1], [2]]), Tensor([[1], [3], [5]]))]
    >>> losses = [trainer.train_epoch(line) for _ in range(200)]
    >>> losses[-1] < 1e-6, trainer.epoch
    (True, 200)
    """

    def __init__(
        self,
        model: Any,
        optimizer: Optimizer,
        loss_fn: Any,
        scheduler: CosineSchedule | Any | None = None,
        grad_clip_norm: float | None = None,
    ):
        self.model = model
        self.optimizer = optimizer
        self.loss_fn = loss_fn
        self.scheduler = scheduler
        self.grad_clip_norm = grad_clip_norm
        self.epoch = 0
        self.step = 0
        self.training_mode = True
        self.history: dict[str, list[float]] = {"train_loss": [], "eval_loss": [], "learning_rates": []}

    def train_epoch(self, dataloader: Iterable[Batch], accumulation_steps: int = 1) -> float:
        """One pass over the batches, with a step of the optimizer for every `accumulation_steps` of them.

        Batches that share a step act as one batch: each counts by its number of examples, the last, smaller group
        too. So 4 batches of 8 make the step that one of 32 would, without its memory (but for layers that look at
        the whole batch, as BatchNorm2d does).

        Returns:
            the mean loss over all examples, each as it was when its batch ran.

        Raises:
            ValueError: there are no batches, or `accumulation_steps` is less than 1.
        """
        if accumulation_steps < 1:
            raise ValueError(f"accumulation_steps must be at least 1, got {accumulation_steps}")
        if self.scheduler is not None:
            self.optimizer.lr = self.scheduler.get_lr(self.epoch)
        self._set_mode(training=True)
        total, examples = 0.0, 0
        for group in _groups(dataloader, accumulation_steps):
            size = sum(map(_size, group))
            total += size * self._train_step(group, size)
            examples += size
        loss = _mean("train_epoch", total, examples)
        self.epoch += 1
        self.history["train_loss"].append(loss)
        self.history["learning_rates"].append(self.optimizer.lr)
        return loss

    def evaluate(self, dataloader: Iterable[Batch]) -> tuple[float, float]:
        """Mean loss and accuracy over all examples, without training anything.

        Accuracy is the share of targets that are met: by the class with the largest output, for class numbers;
        by an output on the same side of 0.5, for BinaryCrossEntropyLoss. Where neither applies there is nothing to
        be right about, and it is nan.

        Raises:
            ValueError: there are no batches.
        """
        self._set_mode(training=False)
        total, examples, right, judged = 0.0, 0, 0, 0
        for inputs, targets in dataloader:
            with no_grad():
                outputs = self._run(inputs)
                loss = self.loss_fn(outputs, targets)
            size = _size((inputs, targets))
            total, examples = total + size * float(loss.data), examples + size
            hits = self._hits(outputs, targets)
            right, judged = right + int(hits.sum()), judged + hits.size
        mean = _mean("evaluate", total, examples)
        self.history["eval_loss"].append(mean)
        return mean, right / judged if judged else math.nan

    def save_checkpoint(self, path: str | Path) -> None:
        """Write parameters, buffers, the optimizer's state, epoch, step and history to one `.npz` file.

        It holds arrays and a JSON text, no pickled objects: loading it runs nobody's code. The name is used as
        given. An interrupted save leaves the older file whole.
        """
        progress = {"epoch": self.epoch, "step": self.step, "history": self.history}
        arrays: dict[str, Any] = {
            "progress": np.array(json.dumps(progress | {"optimizer": type(self.optimizer).__name__})),
            **{f"model.{i}": tensor.data for i, tensor in enumerate(_saved_tensors(self.model))},
            **{f"optimizer.{name}": array for name, array in self.optimizer.state_dict().items()},
        }
        target = Path(path)
        unfinished = target.with_name(target.name + ".unfinished")
        with unfinished.open("wb") as file:
            np.savez(file, **arrays)
        unfinished.replace(target)

    def load_checkpoint(self, path: str | Path) -> None:
        """Continue where `save_checkpoint` was called, with the same kind of model and optimizer.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it is no checkpoint, or belongs to another model or optimizer. Nothing has changed then.
        """
        arrays, progress = _read_checkpoint(Path(path))
        if progress["optimizer"] != type(self.optimizer).__name__:
            raise ValueError(f"{path} was saved with {progress['optimizer']}, not {type(self.optimizer).__name__}")
        tensors = _saved_tensors(self.model)
        values = list(_under(arrays, "model.").values())
        if [array.shape for array in values] != [tensor.shape for tensor in tensors]:
            raise ValueError(
                f"{path} holds tensors of shapes {[array.shape for array in values]}, "
                f"the model has {[tensor.shape for tensor in tensors]}"
            )
        self.optimizer.load_state_dict(_under(arrays, "optimizer."))
        for tensor, array in zip(tensors, values, strict=True):
            tensor.data = array
        self.epoch, self.step, self.history = progress["epoch"], progress["step"], progress["history"]

    def _train_step(self, group: list[Batch], size: int) -> float:
        self.optimizer.zero_grad()
        total = 0.0
        for inputs, targets in group:
            loss = self.loss_fn(self._run(inputs), targets)
            share = _size((inputs, targets)) / size
            loss.backward(np.full_like(loss.data, share))
            total += share * float(loss.data)
        if self.grad_clip_norm is not None:
            clip_grad_norm(self.optimizer.params, self.grad_clip_norm)
        self.optimizer.step()
        self.step += 1
        return total

    def _run(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = run_layer(self.model, inputs, self.training_mode)
        return outputs

    def _set_mode(self, training: bool) -> None:
        self.training_mode = training
        if hasattr(self.model, "training"):
            self.model.training = training

    def _hits(self, outputs: Tensor, targets: Tensor) -> Array:
        """For each target whether the output meets it; empty where that means nothing."""
        if targets.shape == outputs.shape[:-1]:
            return np.asarray(outputs.data.argmax(-1) == targets.data)
        if isinstance(self.loss_fn, BinaryCrossEntropyLoss):
            return np.asarray((outputs.data > 0.5) == (targets.data > 0.5))
        return np.empty(0, dtype=bool)


def _saved_tensors(model: Any) -> list[Tensor]:
    """What makes the model what it is: parameters, then buffers where it has any."""
    return [*model.parameters(), *(model.buffers() if hasattr(model, "buffers") else ())]


def _read_checkpoint(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
            arrays = {name: saved[name] for name in saved.files}
        return arrays, json.loads(str(arrays["progress"]))
    except (ValueError, KeyError, TypeError, AttributeError, EOFError, BadZipFile) as error:
        raise ValueError(f"{path} is not a checkpoint that Trainer.save_checkpoint wrote whole") from error


def _groups(batches: Iterable[Batch], length: int) -> Iterator[list[Batch]]:
    remaining = iter(batches)
    while group := list(islice(remaining, length)):
        yield group


def _size(batch: Batch) -> int:
    """Number of examples."""
    return batch[0].shape[0] if batch[0].shape else 1


def _mean(what: str, total: float, examples: int) -> float:
    if not examples:
        raise ValueError(f"{what}: the dataloader gave no examples")
    return total / examples


def _squared_norm(gradient: Array) -> float:
    flat = gradient.astype(np.float64).reshape(-1)
    return float(flat @ flat)


def _under(arrays: dict[str, Array], prefix: str) -> dict[str, Array]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
