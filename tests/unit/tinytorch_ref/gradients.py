"""One check for every operation, layer and loss: is what `backward` finds the derivative of `forward`?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinytorch_ref.core.tensor import Tensor

STEP = 1e-5
MOST_ELEMENTS = 40


def check_gradients(
    function: Callable[..., Tensor],
    *inputs: Any,
    parameters: Sequence[Tensor] = (),
    rtol: float = 1e-5,
    atol: float = 1e-7,
) -> Tensor:
    """Compare the gradients of `function(*inputs)` by its inputs and `parameters` with central differences.

    In float64 throughout: inputs (arrays, or shapes to fill with normal numbers) become float64 tensors, and
    parameters are converted in place. `function` must do the same each time it is called. Up to 40 elements of
    each tensor are moved, drawn at random. Gradients are also checked for shape, dtype and accumulation.

    Returns:
        the output, for further checks.
    """
    rng = np.random.default_rng(7)
    arrays = [rng.normal(size=shape) if isinstance(shape, tuple) else np.asarray(shape) for shape in inputs]
    tensors = [Tensor(array, dtype=np.float64, requires_grad=True) for array in arrays]
    for parameter in parameters:
        parameter.data = parameter.data.astype(np.float64)
        parameter.grad = None
    output = function(*tensors)
    weights = rng.normal(size=output.shape)
    output.backward(weights)

    def value() -> float:
        return float((function(*tensors).data * weights).sum())

    first = []
    for tensor in [*tensors, *parameters]:
        assert tensor.grad is not None, f"no gradient for the tensor of shape {tensor.shape}"
        assert tensor.grad.shape == tensor.shape
        assert tensor.grad.dtype == np.float64
        first.append(tensor.grad.copy())
        chosen = rng.permutation(tensor.size)[:MOST_ELEMENTS]
        gradient = tensor.grad.reshape(-1)[chosen]
        np.testing.assert_allclose(gradient, _central_differences(tensor, chosen, value), rtol=rtol, atol=atol)
    output.backward(weights)
    for tensor, once in zip([*tensors, *parameters], first, strict=True):
        np.testing.assert_allclose(tensor.grad, 2 * once, rtol=1e-12)
    return output


def _central_differences(tensor: Tensor, chosen: Any, value: Callable[[], float]) -> Any:
    original = tensor.data
    slopes = []
    for index in chosen:
        values = []
        for step in (STEP, -STEP):
            tensor.data = original.copy()
            tensor.data.reshape(-1)[index] += step
            values.append(value())
        slopes.append((values[0] - values[1]) / (2 * STEP))
    tensor.data = original
    return np.array(slopes)
