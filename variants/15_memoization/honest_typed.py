# ---
# title: Types for everything, amounts as a TypedDict
# kind: correct
# base: reference
# lost: []
# ---

# %% memory_usage
from typing import TypedDict


class Usage(TypedDict):
    """What memory_usage returns."""

    total_mb: float
    per_layer_mb: float
    cache_tensors: int
    total_elements: int


def memory_usage(cache: "KVCache") -> Usage:
    """Amounts of all buffers, from the two of each layer."""
    layer_bytes: list[int] = [int(keys.nbytes) + int(values.nbytes) for keys, values in cache.caches]
    elements: int = sum(keys.size + values.size for keys, values in cache.caches)
    total: float = sum(layer_bytes) / BYTES_PER_MB
    return Usage(
        total_mb=total,
        per_layer_mb=total / len(layer_bytes),
        cache_tensors=2 * len(layer_bytes),
        total_elements=elements,
    )
