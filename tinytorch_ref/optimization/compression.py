# module: 17_compression
"""Compression: Find out which weights a model needs, leave out the others, and measure what that saves and costs.

Exported from source/17_compression.py; change that, then run `tito export 17`.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..core.activations import GELU, ReLU, Sigmoid, Tanh
from ..core.autograd import no_grad
from ..core.layers import Dropout, Linear, Sequential
from ..core.losses import CrossEntropyLoss, log_softmax
from ..core.optimizers import Optimizer
from ..core.tensor import Array, Tensor
from ..optimization.quantization import flat_layers
from ..profiling.profiler import model_parameters


def weights_of(model: Any) -> list[Tensor]:
    """The weights of a model: its parameters that have two axes or more.

    Returns:
        list of the Tensors themselves, each once, in the order of `model_parameters(model)` (module 14).

    >>> [weight.shape for weight in weights_of(Sequential(Linear(3, 2), ReLU(), Linear(2, 4)))]
    [(3, 2), (2, 4)]

    Hint: what tells the shape of a weight from that of a bias?
    """
    return [tensor for tensor in model_parameters(model) if len(tensor.shape) >= 2]


def measure_sparsity(model: Any) -> float:
    """The fraction of a model's weights that are zero, from 0 to 1. Biases are not counted.

    Raises:
        ValueError: the model has no weights.

    >>> measure_sparsity(Sequential(Linear(3, 2)))
    0.0

    Hints:
        1. What has to be added up over the layers before anything is divided?
        2. Which count would have to stand below the line for a model without weights?
    """
    weights = weights_of(model)
    total = sum(weight.size for weight in weights)
    if total == 0:
        raise ValueError("measure_sparsity: this model has no weights")
    zeros = sum(weight.size - int(np.count_nonzero(weight.data)) for weight in weights)
    return zeros / total


def magnitude_masks(weights: Sequence[Array], sparsity: float) -> list[Array]:
    """Which weights stay when the smallest of all go.

    Args:
        weights: arrays of any shapes. They are not changed.
        sparsity: the fraction of all weights that goes, from 0 to 1.

    Returns:
        for each array a mask of its shape, of dtype bool: True where the weight stays. Exactly round(sparsity * n) of
        the n weights go, those of the smallest magnitude; among equals the earlier go.

    Raises:
        ValueError: sparsity is not from 0 to 1.

    >>> [mask.tolist() for mask in magnitude_masks([np.array([[3.0, -1.0]]), np.array([[2.0], [1.0]])], 0.25)]
    [[[True, False]], [[True], [True]]]

    Hints:
        1. Do the example on paper: which two have the same magnitude, and which of them goes?
        2. numpy can give you the *places* in the order of the values. What must it do with equals?
        3. Cut the long row where each array ends.
    """
    if not 0 <= sparsity <= 1:
        raise ValueError(f"sparsity is a fraction from 0 to 1, got {sparsity}")
    magnitudes = np.abs(np.concatenate([array.ravel() for array in weights]))
    stays = np.ones(magnitudes.size, dtype=bool)
    stays[np.argsort(magnitudes, kind="stable")[: round(sparsity * magnitudes.size)]] = False
    pieces = np.split(stays, np.cumsum([array.size for array in weights])[:-1])
    return [piece.reshape(array.shape) for piece, array in zip(pieces, weights, strict=True)]


def magnitude_prune(model: Any, sparsity: float = 0.9) -> Any:
    """Set the smallest weights of a model to zero, in place; return the model.

    Which ones: `magnitude_masks` of all its weights together.

    Hints:
        1. `weights_of` and `magnitude_masks` give two lists of the same length.
        2. What is a weight times a mask?
    """
    weights = weights_of(model)
    for weight, mask in zip(weights, magnitude_masks([weight.data for weight in weights], sparsity), strict=True):
        weight.data = np.where(mask, weight.data, 0)
    return model


def stored_bytes(model: Any) -> int:
    """Bytes that a model's parameters take when each weight is stored in the cheaper of two ways.

    A weight: as it is (`.nbytes`), or as a bitmap of one bit for each number, in whole bytes, followed by the numbers
    that are not zero (`.dtype.itemsize` bytes each). Other parameters, biases for example: as they are.

    Hints:
        1. Count the model of the test on paper first: two weights, one bias.
        2. `model_parameters` lists everything; which of it is a weight?
        3. How many bytes do 1, 8 and 9 bits take? Find an expression that gives all three.
    """
    total = 0
    for tensor in model_parameters(model):
        size = tensor.nbytes
        if len(tensor.shape) >= 2:
            bitmap = (tensor.size + 7) // 8 + int(np.count_nonzero(tensor.data)) * tensor.dtype.itemsize
            size = min(size, bitmap)
        total += size
    return total


def masked_step(optimizer: Optimizer, weights: Sequence[Tensor], masks: Sequence[Array]) -> None:
    """One step of an optimizer, after which all weights are zero where their masks are False.

    Args:
        optimizer: holds the weights, and other parameters perhaps; gradients are there already.
        weights, masks: a mask for each weight, as `magnitude_masks` gives them. Masks are not changed.

    Hint: momentum moves a weight whose gradient is zero. What does that say about the order of the two things to do?
    """
    optimizer.step()
    for weight, mask in zip(weights, masks, strict=True):
        weight.data = np.where(mask, weight.data, 0)


def fine_tune(
    model: Any, masks: Sequence[Array], optimizer: Optimizer, batches: Iterable[tuple[Tensor, Tensor]], epochs: int = 1
) -> None:
    """Train a pruned model on, in place; its weights stay zero where their masks are False.

    Args:
        masks: one for each of `weights_of(model)`.
        optimizer: holds the parameters of the model.
        batches: pairs of inputs and class numbers, to be passed over so many times.
    """
    weights, loss_of = weights_of(model), CrossEntropyLoss()
    for _ in range(epochs):
        for inputs, labels in batches:
            optimizer.zero_grad()
            loss_of(model(inputs), labels).backward()
            masked_step(optimizer, weights, masks)


def sensitivity_scan(model: Any, evaluate: Callable[[Any], float], sparsities: Sequence[float]) -> list[list[float]]:
    """What a model is worth when one of its weights is pruned, for each weight and each sparsity.

    Args:
        model: is changed while it is tried, and is as before afterwards.
        evaluate: takes the model and gives a number, such as its accuracy. Called once for each weight and sparsity.
        sparsities: fractions from 0 to 1, in any order.

    Returns:
        a row for each of `weights_of(model)`, with what evaluate gave for each sparsity. Pruned are the smallest of
        this one weight (`magnitude_masks` of its array alone), all other weights being whole.

    Hints:
        1. Two loops. What has to be remembered before the inner one, and what has to be put back after it?
        2. Does what you remember change when the weight's array is written into?
    """
    scores = []
    for weight in weights_of(model):
        whole = weight.data
        row = []
        for sparsity in sparsities:
            [mask] = magnitude_masks([whole], sparsity)
            weight.data = np.where(mask, whole, 0)
            row.append(evaluate(model))
        weight.data = whole
        scores.append(row)
    return scores


def choose_sparsities(
    scores: Sequence[Sequence[float]], sizes: Sequence[int], sparsities: Sequence[float], most_left: int
) -> list[float]:
    """A sparsity for each weight, so that few enough numbers are left and no layer costs more than it has to.

    Args:
        scores: as `sensitivity_scan` gives them: a row for each weight, a column for each sparsity.
        sizes: how many numbers each weight has.
        sparsities: those of the columns, in any order.
        most_left: how many numbers may be left in all. A weight of n numbers at sparsity s has n - round(s * n) left.

    Returns:
        for each weight the largest sparsity whose score is at least the floor (0.0 where none is); the floor being
        the highest score of the table with which at most most_left numbers are left.

    Raises:
        ValueError: with no score as the floor few enough are left.

    Hints:
        1. Write the choice for *one* floor first. Then try floors. In which order?
        2. Scores need not fall from column to column: chance is in them.
        3. `max` takes a `default` for when there is nothing to compare.
    """
    for floor in sorted({score for row in scores for score in row}, reverse=True):
        chosen = [
            max((sparsity for sparsity, score in zip(sparsities, row, strict=True) if score >= floor), default=0.0)
            for row in scores
        ]
        left = sum(size - round(sparsity * size) for sparsity, size in zip(chosen, sizes, strict=True))
        if left <= most_left:
            return chosen
    raise ValueError(f"with these sparsities more than {most_left} weights are left")


def prune_each(model: Any, sparsities: Sequence[float]) -> list[Array]:
    """Prune each weight of a model to a sparsity of its own, in place; return the masks."""
    masks = []
    for weight, sparsity in zip(weights_of(model), sparsities, strict=True):
        masks += magnitude_masks([weight.data], sparsity)
        weight.data = weight.data * masks[-1]
    return masks


def units_to_keep(weight: Array, prune_ratio: float) -> Array:
    """Which columns of a weight (in, out) stay when the shortest go.

    Exactly round(prune_ratio * out) columns go, those with the smallest L2 norm, among equals the earlier; but at
    least one stays.

    Returns:
        the numbers of the columns that stay, in rising order, as an integer array.

    Raises:
        ValueError: prune_ratio is not from 0 to 1.

    >>> units_to_keep(np.array([[3.0, 0.0, 1.0], [4.0, 1.0, 1.0]]), 0.34).tolist()
    [0, 2]

    Hints:
        1. Compute the three norms of the example. Along which axis?
        2. Ranks again, as in exercise 3. In which order come the numbers out, and in which order are they wanted?
    """
    if not 0 <= prune_ratio <= 1:
        raise ValueError(f"prune_ratio is a fraction from 0 to 1, got {prune_ratio}")
    norms = np.linalg.norm(weight, axis=0)
    ranks = np.argsort(np.argsort(norms, kind="stable"))
    return np.flatnonzero(ranks >= min(round(prune_ratio * norms.size), norms.size - 1))


def remove_units(first: Linear, second: Linear, keep: Array) -> None:
    """Take all units but some out of the place between two layers, in place.

    Args:
        first: the layer that computes the units; it may have no bias.
        second: the layer that reads them.
        keep: the numbers of the units that stay, in rising order.

    Afterwards the arrays of both layers are smaller, `out_features` of the first and `in_features` of the second say
    so, and the Tensors are the same objects as before.

    Hints:
        1. Which axis of each array belongs to the units?
        2. Put a vector through both layers by hand, before and after. What may change in the second layer's output?
    """
    first.weight.data = first.weight.data[:, keep]
    if first.bias is not None:
        first.bias.data = first.bias.data[keep]
    second.weight.data = second.weight.data[keep]
    first.out_features = second.in_features = len(keep)


ELEMENTWISE = (ReLU, GELU, Tanh, Sigmoid, Dropout)


def structured_prune(model: Any, prune_ratio: float = 0.5) -> Any:
    """Take the share prune_ratio of the units out of each hidden layer of a model, in place; return the model.

    Inputs and outputs of the model stay. A hidden layer is one between two Linear layers with nothing but elementwise
    layers between them.

    >>> model = structured_prune(Sequential(Linear(8, 6), ReLU(), Linear(6, 2)), 0.5)
    >>> [weight.shape for weight in weights_of(model)]
    [(8, 3), (3, 2)]
    """
    layers = flat_layers(model)
    places = [place for place, layer in enumerate(layers) if isinstance(layer, Linear)]
    for here, there in pairwise(places):
        if all(isinstance(layer, ELEMENTWISE) for layer in layers[here + 1 : there]):
            first, second = layers[here], layers[there]
            remove_units(first, second, units_to_keep(first.weight.data, prune_ratio))
    return model


def low_rank_approximate(weight_matrix: Array, rank_ratio: float = 0.5) -> tuple[Array, Array, Array]:
    """The closest matrix of a lower rank, in three parts.

    Args:
        weight_matrix: (m, n). It is not changed.
        rank_ratio: the rank k is round(rank_ratio * min(m, n)), but at least 1.

    Returns:
        U (m, k), S (k,), V (k, n): U with columns and V with rows of length 1 at right angles, S positive and
        falling. (U * S) @ V is the approximation.

    Raises:
        ValueError: k * (m + n) is more than m * n: the two factors would take more numbers than the matrix.

    Hints:
        1. `np.linalg.svd` does the mathematics. Print the shapes of what it returns for a (6, 4) matrix, with and
           without `full_matrices=False`.
        2. Which part of each of the three belongs to the first k terms of the sum?
    """
    rows, columns = weight_matrix.shape
    rank = max(1, round(rank_ratio * min(rows, columns)))
    if rank * (rows + columns) > rows * columns:
        raise ValueError(f"rank {rank} takes {rank * (rows + columns)} numbers, the matrix itself {rows * columns}")
    u, s, v = np.linalg.svd(weight_matrix, full_matrices=False)
    return u[:, :rank], s[:rank], v[:rank]


def factorized(layer: Linear, rank_ratio: float = 0.5) -> Sequential:
    """Two Linear layers in the place of one, by `low_rank_approximate`.

    Returns:
        Sequential of a layer (in, k) without a bias, whose weight is U with its columns times the roots of S, and a
        layer (k, out), whose weight is V with its rows times the same roots, with a copy of the old bias, or without
        if there was none. The old layer stays as it is.

    Raises:
        ValueError: see `low_rank_approximate`.

    Hints:
        1. x @ W = (x @ U√S) @ √S V. What does that say about the bias: before the second product, or after it?
        2. numpy multiplies a matrix by a vector column by column. How does a vector come to stand upright?
    """
    u, s, v = low_rank_approximate(layer.weight.data, rank_ratio)
    roots = np.sqrt(s)
    first, second = Linear(u.shape[0], u.shape[1], bias=False), Linear(v.shape[0], v.shape[1], bias=False)
    first.weight.data, second.weight.data = u * roots, roots[:, None] * v
    if layer.bias is not None:
        second.bias = Tensor(layer.bias.data, requires_grad=True)
    return Sequential(first, second)


def low_rank_model(model: Any, rank_ratio: float = 0.5) -> Any:
    """Replace each Linear layer of a model by two thin ones where that takes fewer numbers, in place; return the model.

    >>> model = low_rank_model(Sequential(Linear(30, 30), ReLU(), Linear(30, 2)), rank_ratio=0.2)
    >>> [weight.shape for weight in weights_of(model)]
    [(30, 6), (6, 30), (30, 1), (1, 2)]
    """
    for place, layer in enumerate(model.layers):
        if hasattr(layer, "layers"):
            low_rank_model(layer, rank_ratio)
        elif isinstance(layer, Linear):
            try:
                pair = factorized(layer, rank_ratio)
            except ValueError:  # nothing to gain here
                continue
            model.layers[place] = pair
    return model


def soft_target_loss(student_logits: Tensor, teacher_logits: Tensor, temperature: float) -> Tensor:
    """T² times KL(teacher ‖ student) of the softened probabilities, averaged over the batch.

    Args:
        student_logits: (N, classes). The loss has a gradient with respect to them.
        teacher_logits: (N, classes). They are taken as numbers: no gradient reaches the teacher.
        temperature: T, by which both logits are divided before the softmax.

    Returns:
        a scalar Tensor.

    Hints:
        1. Write the loss with ln p and ln q. Which of the two needs a gradient?
        2. `log_softmax` takes logits. What would it make of probabilities?
        3. Check by hand: equal logits give 0; logits (0, 0) of the student and (ln 3, 0) of the teacher at T = 1 give
           0.75 ln 1.5 + 0.25 ln 0.5.
    """
    teacher = log_softmax(Tensor(teacher_logits.data / temperature))
    student = log_softmax(student_logits / temperature)
    divergence = (Tensor(np.exp(teacher.data)) * (teacher - student)).sum()
    return divergence * (temperature**2 / student_logits.shape[0])


class KnowledgeDistillation:
    """A student that learns from a teacher and from labels.

    Attributes:
        teacher_model, student_model, temperature, alpha: as they were given.
    """

    def __init__(self, teacher_model: Any, student_model: Any, temperature: float = 3.0, alpha: float = 0.7) -> None:
        self.teacher_model, self.student_model = teacher_model, student_model
        self.temperature, self.alpha = temperature, alpha

    def distillation_loss(self, student_logits: Tensor, teacher_logits: Tensor, true_labels: Tensor) -> Tensor:
        """alpha of `soft_target_loss` and 1 - alpha of the cross-entropy with the labels, a scalar Tensor."""
        soft = soft_target_loss(student_logits, teacher_logits, self.temperature)
        return soft * self.alpha + CrossEntropyLoss()(student_logits, true_labels) * (1 - self.alpha)

    def train_epoch(self, optimizer: Optimizer, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """One pass: the parameters that the optimizer holds follow the gradient; the teacher only speaks."""
        for inputs, labels in batches:
            with no_grad():
                teacher_logits = self.teacher_model(inputs)
            optimizer.zero_grad()
            self.distillation_loss(self.student_model(inputs), teacher_logits, labels).backward()
            optimizer.step()


def compress_model(model: Any, compression_config: dict[str, float]) -> dict[str, Any]:
    """Compress a model in place, technique by technique; return what that did.

    Args:
        compression_config: how much of each technique, in the order in which they are to be carried out. Their
            names are magnitude_prune, structured_prune and low_rank.

    Returns a dict with
        original_sparsity, final_sparsity: as `measure_sparsity` gives them, before and after
        sparsity_increase: the second less the first
        original_bytes, final_bytes: as `stored_bytes` gives them, before and after
        compression_ratio: the first by the second
        applied_techniques: a list such as ["structured_prune_0.5", "magnitude_prune_0.8"]

    Raises:
        ValueError: the configuration names another technique. The model is as it was then.

    Hints:
        1. What has to be asked of the model before anything is done to it?
        2. A dict remembers the order in which its keys were put in.
    """
    techniques = {"magnitude_prune": magnitude_prune, "structured_prune": structured_prune, "low_rank": low_rank_model}
    for name in compression_config:
        if name not in techniques:
            raise ValueError(f"there is no technique {name!r}; there are {', '.join(techniques)}")
    original_sparsity, original_bytes = measure_sparsity(model), stored_bytes(model)
    for name, amount in compression_config.items():
        techniques[name](model, amount)
    final_sparsity, final_bytes = measure_sparsity(model), stored_bytes(model)
    return {
        "original_sparsity": original_sparsity,
        "final_sparsity": final_sparsity,
        "sparsity_increase": final_sparsity - original_sparsity,
        "original_bytes": original_bytes,
        "final_bytes": final_bytes,
        "compression_ratio": original_bytes / final_bytes,
        "applied_techniques": [f"{name}_{amount}" for name, amount in compression_config.items()],
    }


class CompressionComplete:
    """The functions of this module under one name."""

    @staticmethod
    def measure_sparsity(model: Any) -> float:
        """`measure_sparsity`: a fraction."""
        return measure_sparsity(model)

    @staticmethod
    def magnitude_prune(model: Any, sparsity: float = 0.5) -> Any:
        """`magnitude_prune`, with another default."""
        return magnitude_prune(model, sparsity)

    @staticmethod
    def structured_prune(model: Any, prune_ratio: float = 0.5) -> Any:
        """`structured_prune`: smaller matrices."""
        return structured_prune(model, prune_ratio)

    @staticmethod
    def compress_model(model: Any, compression_config: dict[str, float]) -> dict[str, Any]:
        """`compress_model`: in place, and what it did."""
        return compress_model(model, compression_config)


Compressor = CompressionComplete
