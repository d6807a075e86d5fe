# module: 13_transformers
"""Another name for `models.transformer`, where newer states of the public course keep it.

>>> create_causal_mask(3).shape
(1, 3, 3)
"""

from ..models.transformer import (
    GPT,
    MLP,
    LayerNorm,
    TransformerBlock,
    create_causal_mask,
)

__all__ = [
    "GPT",
    "MLP",
    "LayerNorm",
    "TransformerBlock",
    "create_causal_mask",
]
