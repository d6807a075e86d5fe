# module: 10_tokenization
"""The text that ships with the package, for training tokenizers and language models without a download."""

from __future__ import annotations

from pathlib import Path


def load_dialogues() -> list[str]:
    """580 short questions with their answers: plain English, 34 kB, 64 different characters.

    Greetings, this course's own words, sums, the calendar, letters, opposites, animals and things, in mixed
    order. Written for this course; see `dialogues/README.md` for licence and provenance.

    Returns:
        Texts of two lines, "Q: ...\\nA: ...". `"\\n".join` of them makes one text to learn from.

    >>> len(load_dialogues())
    580
    >>> print(next(text for text in load_dialogues() if "opposite of hot" in text))
    Q: What is the opposite of hot?
    A: The opposite of hot is cold.
    """
    path = Path(__file__).parent / "dialogues" / "dialogues.txt"
    lines = path.read_text(encoding="utf-8").splitlines()
    return [f"{question}\n{answer}" for question, answer in zip(lines[::2], lines[1::2], strict=True)]
