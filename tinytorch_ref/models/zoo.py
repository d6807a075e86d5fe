# module: 13_transformers
"""Language models that are ready to use: one that has learned the dialogues, and random ones that a seed repeats."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..text.corpus import load_dialogues
from ..text.tokenization import CharTokenizer
from .transformer import GPT


def load_dialogue_gpt() -> tuple[GPT, CharTokenizer]:
    """A GPT of 3 layers that has learned `load_dialogues()` by heart, and the tokenizer that it reads with.

    It continues "Q: ...\\nA:" with an answer, and then with questions and answers of its own. How it was trained stands
    in `weights/train.py`; it sees at most 128 characters.

    >>> from ..core.tensor import Tensor
    >>> model, tokenizer = load_dialogue_gpt()
    >>> prompt = Tensor([tokenizer.encode("Q: What is the opposite of hot?\\nA:")])
    >>> answer = model.generate(prompt, max_new_tokens=29, temperature=0).data[0, prompt.shape[1] :]
    >>> tokenizer.decode(answer.tolist())
    ' The opposite of hot is cold.'
    """
    tokenizer = CharTokenizer()
    tokenizer.build_vocab(load_dialogues())
    model = _untouched_gpt(tokenizer.vocab_size, embed_dim=64, num_layers=3, num_heads=4, max_seq_len=128)
    with np.load(Path(__file__).parent / "weights" / "dialogue_gpt.npz") as stored:
        for name, tensor in zip(sorted(stored.files), model.parameters(), strict=True):
            tensor.data = stored[name].astype(np.float32)
    return model, tokenizer


def random_gpt(seed: int, vocab_size: int, embed_dim: int, num_layers: int, num_heads: int, max_seq_len: int) -> GPT:
    """A GPT all of whose numbers, norms and biases too, are drawn from a generator with this seed.

    Nothing in it is zero, one or the same in two layers, and position counts as much as the token: so whoever mixes
    up layers, heads or positions sees it in the output. What you draw next from numpy stays as it was.

    >>> from ..core.tensor import Tensor
    >>> model, again = (random_gpt(7, 11, 8, num_layers=2, num_heads=2, max_seq_len=16) for _ in range(2))
    >>> tokens = Tensor([[1, 2, 3]])
    >>> bool((model(tokens).data == again(tokens).data).all()), model.blocks[1].ln1.gamma.shape
    (True, (8,))
    """
    model = _untouched_gpt(vocab_size, embed_dim, num_layers, num_heads, max_seq_len)
    rng = np.random.default_rng(seed)
    for tensor in model.parameters():
        spread = 1.5 / np.sqrt(tensor.shape[0]) if len(tensor.shape) == 2 else 0.3
        tensor.data = rng.normal(0, spread, tensor.shape).astype(np.float32)
    for table in (model.token_embedding, model.position_embedding):
        for tensor in table.parameters():
            tensor.data = rng.normal(0, 1, tensor.shape).astype(np.float32)
    for norm in (model.ln_f, *(norm for block in model.blocks for norm in (block.ln1, block.ln2))):
        norm.gamma.data = norm.gamma.data + np.float32(1)
    return model


def _untouched_gpt(vocab_size: int, embed_dim: int, num_layers: int, num_heads: int, max_seq_len: int) -> GPT:
    """A GPT whose numbers are replaced anyway: what its making draws from numpy's global generator is put back."""
    state = np.random.get_state()
    model = GPT(vocab_size, embed_dim, num_layers, num_heads, max_seq_len, dropout_prob=0.0)
    np.random.set_state(state)
    return model
