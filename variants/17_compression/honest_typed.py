# ---
# title: Annotations everywhere, and keywords
# kind: correct
# base: reference
# lost: []
# ---

# %% weights_of
from typing import Final

AXES_OF_A_WEIGHT: Final[int] = 2


def weights_of(model: Any) -> list[Tensor]:
    parameters: list[Tensor] = model_parameters(model=model)
    return [parameter for parameter in parameters if len(parameter.shape) >= AXES_OF_A_WEIGHT]

# %% magnitude_prune
def magnitude_prune(model: Any, sparsity: float = 0.9) -> Any:
    weights: list[Tensor] = weights_of(model)
    masks: list[Array] = magnitude_masks([weight.data for weight in weights], sparsity)
    weight: Tensor
    mask: Array
    for weight, mask in zip(weights, masks):
        weight.data = weight.data * mask
    return model

# %% units_to_keep
def units_to_keep(weight: Array, prune_ratio: float) -> Array:
    if not (0.0 <= prune_ratio <= 1.0):
        raise ValueError(f"{prune_ratio=}")
    squares: Array = np.einsum("ij,ij->j", weight, weight)
    count: int = squares.size - round(prune_ratio * squares.size) or 1
    ranked: Array = np.lexsort((np.arange(squares.size), squares))
    return np.sort(ranked[-count:])
