"""Inputs by which a mutant that is marked as equivalent is compared with the solution that it was made of.

Each draws from `rng`, and returns what the notebook's functions make of it; see book/how-to/mutation.md.
"""

import numpy as np


def outcome(call, *arguments):
    """What a call makes of its arguments, or the kind of error; a subclass of ValueError says no more than that."""
    try:
        return call(*arguments)
    except Exception as error:
        return "ValueError" if isinstance(error, ValueError) else type(error).__name__


def numbers(rng, *shape):
    """Floats, or small whole numbers among which there are equals."""
    values = rng.normal(size=shape) if rng.random() < 0.5 else rng.integers(-3, 4, size=shape)
    return values.astype(np.float32)


def chain(rng, notebook):
    """A model of up to three Linear layers that fit each other, with biases or without."""
    sizes = [int(size) for size in rng.integers(1, 7, size=int(rng.integers(2, 5)))]
    layers = []
    for rows, columns in zip(sizes, sizes[1:]):
        bias = numbers(rng, columns) if rng.random() < 0.6 else None
        layers += [notebook.linear_from(numbers(rng, rows, columns), bias), notebook.ReLU()]
    return notebook.Sequential(*layers[:-1])


def contents(model):
    return [tensor.data.copy() for tensor in model.parameters()]


def measured(rng, notebook):
    return float(notebook.measure_sparsity(chain(rng, notebook)))


def masks(rng, notebook):
    arrays = [numbers(rng, *rng.integers(1, 6, size=2)) for _ in range(rng.integers(1, 4))]
    return outcome(notebook.magnitude_masks, arrays, float(rng.choice([0.0, 1.0, -0.1, 1.1, *rng.random(4)])))


def pruned(rng, notebook):
    model = chain(rng, notebook)
    share = [float(rng.choice([0.0, 1.0, *rng.random(4)]))][: rng.integers(2)]  # or as by default
    outcome(notebook.magnitude_prune, model, *share)
    return contents(model)


def stored(rng, notebook):
    model = chain(rng, notebook)
    for tensor in model.parameters():
        tensor.data = (tensor.data * (rng.random(tensor.shape) < rng.random())).astype(rng.choice(["float16", "float32"]))
    return int(notebook.stored_bytes(model))


def steps(rng, notebook):
    weights = [notebook.Tensor(numbers(rng, 3, 4), requires_grad=True) for _ in range(rng.integers(1, 4))]
    stays = [rng.random((3, 4)) < 0.5 for _ in weights]
    optimizer = notebook.SGD(weights, lr=0.1, momentum=float(rng.choice([0.0, 0.9])))
    for _ in range(3):
        for weight in weights:
            weight.grad = numbers(rng, 3, 4)
        notebook.masked_step(optimizer, weights, stays)
    return [weight.data.copy() for weight in weights], stays


def scans(rng, notebook):
    model = chain(rng, notebook)
    scores = notebook.sensitivity_scan(
        model, lambda tried: float(sum(tensor.data.sum() for tensor in tried.parameters())), rng.random(3).tolist()
    )
    return scores, contents(model)


def choices(rng, notebook):
    layers, columns = int(rng.integers(1, 4)), int(rng.integers(1, 5))
    shares = rng.permutation(np.round(np.linspace(0, 0.95, 7), 2))[:columns].tolist()
    scores = np.round(rng.random((layers, columns)), 1).tolist()
    sizes = rng.integers(1, 60, size=layers).tolist()
    return outcome(notebook.choose_sparsities, scores, sizes, shares, int(rng.integers(sum(sizes) + 1)))


def units(rng, notebook):
    weight = numbers(rng, *rng.integers(1, 8, size=2))
    stay = outcome(notebook.units_to_keep, weight, float(rng.choice([0.0, 1.0, -0.1, 1.1, *rng.random(4)])))
    return stay if isinstance(stay, str) else np.asarray(stay).tolist()


def removals(rng, notebook):
    rows, columns, outputs = (int(size) for size in rng.integers(1, 7, size=3))
    first = notebook.linear_from(numbers(rng, rows, columns), numbers(rng, columns) if rng.random() < 0.6 else None)
    second = notebook.linear_from(numbers(rng, columns, outputs), numbers(rng, outputs))
    stay = np.flatnonzero(rng.random(columns) < 0.6)
    notebook.remove_units(first, second, stay if stay.size else np.array([0]))
    return [tensor.data.copy() for layer in (first, second) for tensor in layer.parameters()]


def factors(rng, notebook):
    """Which vectors stand for equal singular values, and with which sign, is open: their product is not."""
    matrix = rng.normal(size=rng.integers(1, 9, size=2)).astype(np.float32)
    parts = outcome(notebook.low_rank_approximate, matrix, float(rng.random()))
    if isinstance(parts, str):
        return parts
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    rank = len(parts[1])
    closest = (left[:, :rank] * values[:rank]) @ right[:rank]
    return [part.shape for part in parts], bool(np.allclose((parts[0] * parts[1]) @ parts[2], closest, atol=1e-3))


def losses(rng, notebook):
    """Values and gradients, as far as float32 has digits."""
    z, t = rng.normal(0, 4, size=(2, int(rng.integers(1, 5)), int(rng.integers(2, 6))))
    temperature = float(rng.choice([1.0, 2.0, 5.0]))
    logits = notebook.Tensor(z, requires_grad=True)
    loss = notebook.soft_target_loss(logits, notebook.Tensor(t), temperature)
    loss.backward()
    p, q = (np.exp(x / temperature) / np.exp(x / temperature).sum(axis=1, keepdims=True) for x in (t, z))
    wanted = temperature**2 * np.mean(np.sum(p * np.log(p / q), axis=1))
    slope = temperature * (q - p) / len(z)
    near = np.isclose(float(loss.data), wanted, rtol=1e-3, atol=1e-3), np.allclose(logits.grad, slope, atol=1e-4)
    return float(wanted), [bool(each) for each in near]
