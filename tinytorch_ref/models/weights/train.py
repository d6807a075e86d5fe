# module: 13_transformers
"""How `dialogue_gpt.npz` was made: a small GPT that learns the dialogues by heart.

Nothing here is needed to use the model, which `..trained` loads. To train it again, on one core in some minutes:

    python -m tinytorch_ref.models.weights.train FILE

Each example is a run of dialogues in random order from position 0 on, cut to max_seq_len characters, so that every
position is learned and each answer depends on the question before it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from ...core.losses import CrossEntropyLoss
from ...core.optimizers import AdamW
from ...core.tensor import Array, Tensor
from ...core.training import CosineSchedule, clip_grad_norm
from ...text.corpus import load_dialogues
from ...text.tokenization import CharTokenizer
from ..transformer import GPT

SIZES = {"embed_dim": 64, "num_layers": 3, "num_heads": 4, "max_seq_len": 128}
STEPS, BATCH = 2400, 16


def examples(count: int, length: int, rng: np.random.Generator) -> tuple[CharTokenizer, Array]:
    """A tokenizer for the dialogues, and `count` rows of `length` ids, each dialogues in an order of its own.

    >>> tokenizer, rows = examples(2, 9, np.random.default_rng(0))
    >>> rows.shape, tokenizer.decode(rows[0].tolist())[:3]
    ((2, 9), 'Q: ')
    """
    texts = load_dialogues()
    tokenizer = CharTokenizer()
    tokenizer.build_vocab(texts)
    encoded = [tokenizer.encode(text + "\n") for text in texts]
    rows = np.empty((count, length), dtype=np.int64)
    for row in rows:
        ids: list[int] = []
        while len(ids) < length:
            ids += encoded[rng.integers(len(encoded))]
        row[:] = ids[:length]
    return tokenizer, rows


def train(steps: int = STEPS, seed: int = 15) -> GPT:
    """Train a model from scratch; prints the loss now and then.

    >>> train(steps=0).max_seq_len
    128
    """
    np.random.seed(seed)
    rng = np.random.default_rng(seed)
    length = SIZES["max_seq_len"]
    tokenizer, _ = examples(0, length + 1, rng)
    model = GPT(tokenizer.vocab_size, **SIZES, dropout_prob=0.0)
    optimizer = AdamW(model.parameters(), lr=0.0, weight_decay=0.01)
    schedule = CosineSchedule(max_lr=4e-3, min_lr=1e-4, total_epochs=max(steps, 1))
    loss_function = CrossEntropyLoss()
    for step in range(steps):
        optimizer.lr = schedule.get_lr(step) * min(1.0, (step + 1) / 100)
        _, rows = examples(BATCH, length + 1, rng)
        logits = model.forward(Tensor(rows[:, :-1]))
        loss = loss_function.forward(logits.reshape((-1, tokenizer.vocab_size)), Tensor(rows[:, 1:].reshape(-1)))
        optimizer.zero_grad()
        loss.backward()
        clip_grad_norm(model.parameters(), 1.0)
        optimizer.step()
        if step % 50 == 49:
            print(f"step {step + 1}: loss {float(loss.data):.3f}", flush=True)  # noqa: T201 (training is watched)
    return model


def _save(model: GPT, path: Path) -> None:
    """Write the parameters in their order, as float16: half the bytes, and the model reads no worse."""
    arrays = {f"{index:02d}": tensor.data.astype(np.float16) for index, tensor in enumerate(model.parameters())}
    np.savez_compressed(path, allow_pickle=False, **arrays)


if __name__ == "__main__":
    _save(train(), Path(sys.argv[1]))
