# module: 15_memoization
"""Another name for `optimization.memoization`, where the public course keeps it.

>>> KVCache(batch_size=1, max_seq_len=8, num_layers=2, num_heads=2, head_dim=4).get_memory_usage()["cache_tensors"]
4
"""

from ..optimization.memoization import (
    CachedAttention,
    KVCache,
    cached_attention,
    cached_forward,
    disable_kv_cache,
    enable_kv_cache,
)

__all__ = [
    "CachedAttention",
    "KVCache",
    "cached_attention",
    "cached_forward",
    "disable_kv_cache",
    "enable_kv_cache",
]
