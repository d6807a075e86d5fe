# module: 11_embeddings
"""Another name for `text.embeddings`, where newer states of the public course keep it.

>>> Embedding(5, 2)
Embedding(5, 2)
"""

from ..text.embeddings import (
    Embedding,
    EmbeddingLayer,
    PositionalEncoding,
    create_sinusoidal_embeddings,
)

__all__ = [
    "Embedding",
    "EmbeddingLayer",
    "PositionalEncoding",
    "create_sinusoidal_embeddings",
]
