"""Models that are ready to use: the one that is trained answers, random ones are repeated by their seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinytorch_ref.core.tensor import Tensor
from tinytorch_ref.models import weights, zoo
from tinytorch_ref.models.transformer import GPT

MOST_BYTES = 2**20


def random_logits(seed: int) -> np.ndarray:
    model = zoo.random_gpt(seed, 11, 8, num_layers=2, num_heads=2, max_seq_len=16)
    return model(Tensor([[1, 2, 2, 3]])).data


def test_a_seed_repeats_a_random_model_and_another_gives_another() -> None:
    np.testing.assert_array_equal(random_logits(3), random_logits(3))
    assert np.abs(random_logits(3) - random_logits(4)).max() > 0.1


def test_a_random_model_leaves_numpys_global_generator_alone() -> None:
    np.random.seed(5)
    expected = np.random.random()
    np.random.seed(5)
    random_logits(3)
    assert np.random.random() == expected


def test_nothing_in_a_random_model_is_constant_or_the_same_in_two_layers() -> None:
    model = zoo.random_gpt(3, 11, 8, num_layers=2, num_heads=2, max_seq_len=16)
    assert all(np.ptp(tensor.data) > 0.1 for tensor in model.parameters())
    first, second = ([tensor.data for tensor in block.parameters()] for block in model.blocks)
    assert all(np.abs(one_layers - other).max() > 0.1 for one_layers, other in zip(first, second, strict=True))


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Where do bees live?", "Bees live in a hive."),
        ("What is eight plus two?", "Eight plus two is ten."),
        ("Which month comes after May?", "After May comes June."),
    ],
)
def test_the_model_that_learned_the_dialogues_answers(question: str, answer: str) -> None:
    model, tokenizer = zoo.load_dialogue_gpt()
    prompt = tokenizer.encode(f"Q: {question}\nA:")
    written = model.generate(Tensor([prompt]), max_new_tokens=len(answer) + 2, temperature=0).data[0, len(prompt) :]
    assert tokenizer.decode(written.tolist()) == f" {answer}\n"


def test_its_weights_are_small_and_finite() -> None:
    files = list(Path(weights.__path__[0]).glob("*.npz"))
    assert files
    assert all(path.stat().st_size < MOST_BYTES for path in files)
    model, _ = zoo.load_dialogue_gpt()
    assert isinstance(model, GPT)
    assert all(np.isfinite(tensor.data).all() for tensor in model.parameters())
