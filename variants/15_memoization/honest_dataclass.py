# ---
# title: Sizes in a dataclass, amounts as its properties
# kind: correct
# base: reference
# lost: []
# ---

# %% memory_usage
from dataclasses import asdict, dataclass


@dataclass
class Usage:
    total_mb: float
    per_layer_mb: float
    cache_tensors: int
    total_elements: int


def memory_usage(cache):
    flat = sum(map(list, cache.caches), [])
    total = sum(tensor.data.itemsize * tensor.data.size for tensor in flat) / (1 << 20)
    return asdict(Usage(total, total / len(cache.caches), len(flat), sum(tensor.size for tensor in flat)))
