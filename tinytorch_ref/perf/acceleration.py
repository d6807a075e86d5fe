# module: 18_acceleration
"""Another name for `optimization.acceleration`, where newer states of the public course keep it.

>>> from ..core.tensor import Tensor
>>> tiled_matmul(Tensor([[1, 2]]), Tensor([[3], [4]]), tile_size=1).data
array([[11.]], dtype=float32)
"""

from ..optimization.acceleration import (
    AcceleratedConv2d,
    FusedGELU,
    LossScaler,
    accelerate_model,
    conv2d_im2col,
    fused_gelu,
    im2col,
    mixed_matmul,
    mixed_precision_step,
    tiled_matmul,
    vectorized_matmul,
)

__all__ = [
    "AcceleratedConv2d",
    "FusedGELU",
    "LossScaler",
    "accelerate_model",
    "conv2d_im2col",
    "fused_gelu",
    "im2col",
    "mixed_matmul",
    "mixed_precision_step",
    "tiled_matmul",
    "vectorized_matmul",
]
