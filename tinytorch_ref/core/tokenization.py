# module: 10_tokenization
"""Another name for `text.tokenization`, where newer states of the public course keep it.

>>> CharTokenizer(["a", "b"]).encode("ba")
[2, 1]
"""

from ..text.tokenization import (
    BPETokenizer,
    CharTokenizer,
    Tokenizer,
    create_tokenizer,
    tokenize_dataset,
)

__all__ = [
    "BPETokenizer",
    "CharTokenizer",
    "Tokenizer",
    "create_tokenizer",
    "tokenize_dataset",
]
