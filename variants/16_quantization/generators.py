"""Inputs by which a mutant that is marked as equivalent is compared with the solution that it was made of.

Each draws from `rng`, and returns what the notebook's functions make of it; see book/how-to/mutation.md.
"""

import numpy as np


def ranges(rng, notebook):
    ends = np.sort(rng.normal(size=2) * 10.0 ** rng.integers(-9, 9))
    low, high = ends * rng.choice([0.0, 1.0, 1.0, 1.0], size=2)
    return notebook.affine_parameters(*sorted((float(low), float(high))))


def codes(rng, notebook):
    shape = tuple(rng.integers(1, 6, size=rng.integers(1, 4)))
    scale, zero_point = float(10.0 ** rng.uniform(-6, 3)), int(rng.integers(-128, 128))
    values = rng.normal(size=shape) * scale * 10.0 ** rng.uniform(0, 4)
    return notebook.to_codes(values, scale, zero_point)


def tensors(rng, notebook):
    shape = (int(rng.integers(1, 20_000)),) if rng.random() < 0.1 else tuple(rng.integers(1, 6, size=2))
    values = (rng.normal(rng.normal(), 1, size=shape) * 10.0 ** rng.integers(-9, 9)).astype(np.float32)
    return notebook.quantize_int8(notebook.Tensor(values))


def restored(rng, notebook):
    values = rng.integers(-128, 128, size=tuple(rng.integers(1, 6, size=2))).astype(np.int8)
    scale, zero_point = float(10.0 ** rng.uniform(-6, 3)), int(rng.integers(-128, 128))
    return notebook.dequantize_int8(notebook.Tensor(values), scale, zero_point)


def products(rng, notebook):
    inner = int(rng.integers(1, 400))
    x = rng.integers(-128, 128, size=(*rng.integers(1, 4, size=rng.integers(0, 3)), inner)).astype(np.int8)
    w = rng.integers(-128, 128, size=(inner, int(rng.integers(1, 5)))).astype(np.int8)
    x_zero_point, w_zero_point = (int(zero) for zero in rng.choice([-128, 127, *rng.integers(-128, 128, size=4)], 2))
    return notebook.int8_matmul(x, x_zero_point, w, w_zero_point)


def layers(rng, notebook):
    inputs, outputs = (int(size) for size in rng.integers(1, 6, size=2))
    weight = rng.normal(size=(inputs, outputs)).astype(np.float32)
    bias = rng.normal(size=outputs).astype(np.float32) if rng.random() < 0.7 else None
    layer = notebook.QuantizedLinear(notebook.linear_from(weight, bias))
    if bias is not None:
        bias += 100
    x = rng.normal(size=(3, inputs)).astype(np.float32)
    if rng.random() < 0.5:
        layer.calibrate([notebook.Tensor(rng.normal(size=(4, inputs)).astype(np.float32))])
    output = layer.forward(notebook.Tensor(x))
    return output, layer.parameters(), layer.input_scale, layer.input_zero_point, layer.forward(notebook.Tensor(x))


def models(rng, notebook):
    sizes = rng.integers(1, 6, size=3)
    first, last = (rng.normal(size=shape).astype(np.float32) for shape in zip(sizes, sizes[1:]))
    model = notebook.Sequential(notebook.linear_from(first), notebook.ReLU(), notebook.linear_from(last))
    data = [notebook.Tensor(rng.normal(size=(2, sizes[0])).astype(np.float32)) for _ in range(rng.integers(0, 3))]
    report = notebook.quantize_model(model, data if rng.random() < 0.8 else None)
    ranges = [(layer.input_scale, layer.input_zero_point) for layer in (model.layers[0], model.layers[2])]
    return report, ranges, data, [type(layer).__name__ for layer in model.layers]
