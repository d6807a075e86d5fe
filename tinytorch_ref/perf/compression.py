# module: 17_compression
"""Another name for `optimization.compression`, where newer states of the public course keep it.

>>> from ..core.layers import Linear
>>> Compressor.measure_sparsity(Compressor.magnitude_prune(Linear(4, 5), sparsity=0.25))
0.25
"""

from ..optimization.compression import (
    CompressionComplete,
    Compressor,
    KnowledgeDistillation,
    compress_model,
    low_rank_approximate,
    magnitude_prune,
    measure_sparsity,
    structured_prune,
)

__all__ = [
    "CompressionComplete",
    "Compressor",
    "KnowledgeDistillation",
    "compress_model",
    "low_rank_approximate",
    "magnitude_prune",
    "measure_sparsity",
    "structured_prune",
]
