"""Tokenizers: round trips, vocabularies, training against a slow and obvious one, and the corpus."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch_ref.core import tokenization as alias
from tinytorch_ref.text import dialogues as data
from tinytorch_ref.text.corpus import load_dialogues
from tinytorch_ref.text.dialogues.grammar import dialogues
from tinytorch_ref.text.tokenization import (
    BPETokenizer,
    CharTokenizer,
    Tokenizer,
    create_tokenizer,
    tokenize_dataset,
)

# Texts in which much repeats, with every kind of white space, and with letters that spell the special tokens.
ALPHABETS = ("ab ", "abc \n\t", "</w> \n", "<UNK></w> ", "aé\u00a0\u3000\x1f😀 ")


def texts(*alphabets: str) -> st.SearchStrategy[list[str]]:
    return st.sampled_from(alphabets).flatmap(lambda alphabet: st.lists(st.text(alphabet, max_size=40), max_size=4))


TEXTS = texts(*ALPHABETS)
SPACED = texts("ab ", "abc ", "aab ", "</w> ", "<UNK>/w ")  # without other white space


def characters(corpus: list[str]) -> str:
    """What a text over the training alphabet may hold: a space always has a token of its own."""
    return "".join(sorted(set("".join(corpus)) | {" "}))


# Characters


def test_characters_are_sorted_behind_the_unknown_one() -> None:
    tokenizer = CharTokenizer()
    tokenizer.build_vocab(["hello", "world"])
    assert tokenizer.vocab == ["<UNK>", "d", "e", "h", "l", "o", "r", "w"]
    assert tokenizer.vocab_size == 8
    assert tokenizer.char_to_id["<UNK>"] == tokenizer.unk_id == 0
    assert tokenizer.id_to_char[3] == "h"


def test_an_unknown_character_is_id_0_and_comes_back_as_unk() -> None:
    tokenizer = CharTokenizer(["a", "b"])
    assert tokenizer.encode("a?b") == [1, 0, 2]
    assert tokenizer.decode([1, 0, 2]) == "a<UNK>b"


@settings(deadline=None)
@given(st.text(), st.data())
def test_characters_round_trip(corpus: str, drawn: st.DataObject) -> None:
    tokenizer = CharTokenizer()
    tokenizer.build_vocab([corpus])
    text = drawn.draw(st.text(corpus)) if corpus else ""
    ids = tokenizer.encode(text)
    assert len(ids) == len(text)
    assert 0 not in ids
    assert tokenizer.decode(ids) == text


def test_building_again_forgets_what_was_before() -> None:
    tokenizer = CharTokenizer(["x"])
    tokenizer.build_vocab(["ab"])
    assert tokenizer.vocab == ["<UNK>", "a", "b"]
    assert tokenizer.encode("x") == [0]


def test_a_vocabulary_can_be_given_with_or_without_the_unknown_token() -> None:
    first = CharTokenizer(["b", "a"])
    assert first.vocab == ["<UNK>", "b", "a"]
    assert CharTokenizer(first.vocab).vocab == first.vocab
    assert CharTokenizer().vocab == ["<UNK>"]


@pytest.mark.parametrize("vocab", [["a", "a"], ["ab"], [""], ["a", "<UNK>"]])
def test_a_character_vocabulary_of_anything_else_is_refused(vocab: list[str]) -> None:
    with pytest.raises(ValueError, match="single, different"):
        CharTokenizer(vocab)


# Byte pairs


def test_the_most_frequent_pair_is_merged_and_of_equals_the_first_in_the_alphabet() -> None:
    tokenizer = BPETokenizer(vocab_size=10)
    tokenizer.train(["ba ba ab ca ca"])
    # a</w> is in four words; then ba and ca are, with </w>, in two each
    assert tokenizer.vocab == ["<UNK>", "</w>", "a", "b", "c", "a</w>", "ba</w>", "ca</w>", "ab", "ab</w>"]
    assert tokenizer.merges == [("a", "</w>"), ("b", "a</w>"), ("c", "a</w>"), ("a", "b"), ("ab", "</w>")]
    assert [tokenizer.token_to_id[token] for token in tokenizer.vocab] == list(range(10))
    assert tokenizer.id_to_token[5] == "a</w>"


def slowly_trained(corpus: list[str], wanted: int) -> tuple[list[str], list[tuple[str, str]]]:
    """Count everything anew for each merge."""
    tokenizer = BPETokenizer(wanted)
    tokenizer.train(corpus, vocab_size=2 + len(set("".join(corpus)) - {" "}))
    vocab, merges = list(tokenizer.vocab), []
    words = [[tokenizer.vocab[i] for i in tokenizer.encode(piece)] for piece in pieces(corpus)]
    while len(vocab) < wanted:
        counts = Counter(pair for word in words for pair in pairwise(word))
        allowed = {pair: count for pair, count in counts.items() if not spells_a_special_token(pair)}
        if not allowed:
            break
        best = min(allowed, key=lambda pair: (-allowed[pair], pair))
        words = [joined(word, best) for word in words]
        merges.append(best)
        vocab.append("".join(best))
    return vocab, merges


def pieces(corpus: list[str]) -> list[str]:
    """What stands between spaces."""
    return [piece for text in corpus for piece in text.split(" ") if piece]


def spells_a_special_token(pair: tuple[str, str]) -> bool:
    token = "".join(pair)
    return token == "<UNK>" or "</w>" in (token.removesuffix("</w>") if pair[1].endswith("</w>") else token)


def joined(word: list[str], pair: tuple[str, str]) -> list[str]:
    result: list[str] = []
    for symbol in word:
        if result and (result[-1], symbol) == pair:
            result[-1] += symbol
            result.append("")  # what was joined is not joined again in this round
        else:
            result.append(symbol)
    return [symbol for symbol in result if symbol]


@settings(deadline=None, max_examples=200)
@given(SPACED, st.integers(9, 50))
def test_training_with_running_counts_gives_what_counting_anew_gives(corpus: list[str], wanted: int) -> None:
    tokenizer = BPETokenizer(wanted)
    tokenizer.train(corpus)
    assert (tokenizer.vocab, tokenizer.merges) == slowly_trained(corpus, wanted)


@settings(deadline=None, max_examples=300)
@given(TEXTS, st.integers(10, 60), st.data())
def test_byte_pairs_round_trip_for_any_text_of_the_alphabet(
    corpus: list[str], wanted: int, drawn: st.DataObject
) -> None:
    tokenizer = BPETokenizer(wanted)
    tokenizer.train(corpus)
    text = drawn.draw(st.text(characters(corpus), max_size=60))
    ids = tokenizer.encode(text)
    assert tokenizer.unk_id not in ids
    assert tokenizer.decode(ids) == text


@settings(deadline=None, max_examples=100)
@given(TEXTS, st.text(max_size=20))
def test_what_is_unknown_is_unk_and_the_rest_stays(corpus: list[str], text: str) -> None:
    tokenizer = BPETokenizer(30)
    tokenizer.train(corpus)
    known = characters(corpus)
    expected = "".join(c if c in known else "<UNK>" for c in text)
    assert tokenizer.decode(tokenizer.encode(text)) == expected


@settings(deadline=None, max_examples=100)
@given(TEXTS, st.integers(10, 60))
def test_a_vocabulary_is_as_large_as_asked_or_leaves_nothing_to_merge(corpus: list[str], wanted: int) -> None:
    tokenizer = BPETokenizer(wanted)
    tokenizer.train(corpus)
    assert tokenizer.vocab_size == len(tokenizer.vocab) == len(set(tokenizer.vocab)) <= wanted
    if tokenizer.vocab_size < wanted:
        for word in pieces([text for text in corpus if "<" not in text]):
            if word and word == word.strip() and len(word.split()) == 1:
                assert len(tokenizer.encode(word)) == 1


@pytest.mark.parametrize(
    "text", ["", " ", "  ", "a", " a", "a ", "a  b", "\n", "a\n", "\na", "a \n b", "a\t\tb", "\r\n"]
)
def test_white_space_is_kept(text: str) -> None:
    tokenizer = BPETokenizer(20)
    tokenizer.train(["a b\n\t\r a b"])
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_a_word_is_one_token_wherever_it_stands() -> None:
    tokenizer = BPETokenizer(100)
    tokenizer.train(["the cat the dog"])
    the = tokenizer.token_to_id["the</w>"]
    assert tokenizer.encode("the") == [the]
    assert tokenizer.encode("the the") == [the, the]


def test_no_token_runs_over_the_end_of_a_line() -> None:
    tokenizer = BPETokenizer(1000)
    tokenizer.train(["ab\nab\nab"])
    assert all(token == "\n" or "\n" not in token for token in tokenizer.vocab)


def test_text_that_spells_the_special_tokens_is_not_taken_for_them() -> None:
    tokenizer = BPETokenizer(1000)
    tokenizer.train(["</w> <UNK> </w></w> <UNK><UNK>"] * 9)
    for text in ("</w>", "<UNK>", "<</w>", "</w> </w>"):
        assert tokenizer.decode(tokenizer.encode(text)) == text
        assert 0 not in tokenizer.encode(text)


def test_training_again_forgets_what_was_before_and_aims_where_it_is_told() -> None:
    tokenizer = BPETokenizer(vocab_size=50)
    tokenizer.train(["aaaa bbbb"], vocab_size=6)
    assert tokenizer.vocab_size == 6
    tokenizer.encode("cd")
    tokenizer.train(["cd cd"])
    assert tokenizer.decode(tokenizer.encode("cd")) == "cd"
    assert len(tokenizer.encode("cd")) == 1
    assert tokenizer.encode("a")[0] == 0


def test_a_corpus_is_learned_the_same_in_any_order_of_its_texts() -> None:
    corpus = load_dialogues()[:100]
    first, second = BPETokenizer(200), BPETokenizer(200)
    first.train(corpus)
    second.train(corpus[::-1])
    assert first.merges == second.merges


def test_an_untrained_one_knows_spaces_only() -> None:
    tokenizer = BPETokenizer()
    assert tokenizer.vocab == ["<UNK>", "</w>"]
    assert tokenizer.decode(tokenizer.encode("a b")) == "<UNK> <UNK>"
    tokenizer.train([])
    assert tokenizer.vocab == ["<UNK>", "</w>"]


def test_more_characters_than_tokens_is_an_error_that_counts_them() -> None:
    with pytest.raises(ValueError, match=r"vocab_size 5 .* 4 different characters .* 6 tokens"):
        BPETokenizer(5).train(["abcd"])


@pytest.mark.parametrize("size", [1, 0, -3, 2.5, "9"])
def test_a_vocabulary_size_that_is_none_is_refused(size: Any) -> None:
    with pytest.raises(ValueError, match="vocab_size"):
        BPETokenizer(size)
    with pytest.raises(ValueError, match="vocab_size"):
        BPETokenizer().train(["a"], vocab_size=size)


# Both


@pytest.mark.parametrize("strategy", ["char", "bpe"])
def test_an_id_without_a_token_is_named(strategy: str) -> None:
    tokenizer = create_tokenizer(strategy, corpus=["ab"])
    for wrong in (-1, tokenizer.vocab_size, 0.5):
        with pytest.raises(ValueError, match=f"id {wrong}"):
            tokenizer.decode([wrong])  # type: ignore[list-item]


@pytest.mark.parametrize("strategy", ["char", "bpe"])
def test_one_string_is_no_corpus_and_bytes_are_no_text(strategy: str) -> None:
    with pytest.raises(TypeError, match="list of texts"):
        create_tokenizer(strategy, corpus="hello")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="bytes"):
        create_tokenizer(strategy, corpus=["a"]).encode(b"a")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="list of texts"):
        tokenize_dataset("hello", CharTokenizer())  # type: ignore[arg-type]


def test_tokenizers_are_made_by_name() -> None:
    assert isinstance(create_tokenizer(), CharTokenizer)
    assert isinstance(create_tokenizer("bpe", 30, ["some text"]), BPETokenizer)
    assert create_tokenizer("bpe", 30).vocab_size == 30
    with pytest.raises(ValueError, match=r"'word'.*'char' or 'bpe'"):
        create_tokenizer("word")


def test_a_dataset_is_cut_and_not_padded() -> None:
    tokenizer = CharTokenizer(["a", "b"])
    assert tokenize_dataset(["abab", "", "b"], tokenizer, max_length=2) == [[1, 2], [], [2]]
    assert tokenize_dataset(["abab"], tokenizer) == [[1, 2, 1, 2]]
    with pytest.raises(ValueError, match="max_length"):
        tokenize_dataset(["a"], tokenizer, max_length=0)


def test_the_base_class_says_what_is_missing() -> None:
    class Mute(Tokenizer):
        pass

    with pytest.raises(NotImplementedError, match="Mute does not define encode"):
        Mute().encode("a")
    with pytest.raises(NotImplementedError, match="Mute does not define decode"):
        Mute().decode([1])


def test_the_alias_is_the_same() -> None:
    assert alias.BPETokenizer is BPETokenizer


# The corpus


def test_the_corpus_is_what_its_grammar_gives() -> None:
    shipped = (Path(data.__file__).parent / "dialogues.txt").read_text(encoding="utf-8")
    assert shipped == "\n".join(dialogues()) + "\n"
    assert load_dialogues() == dialogues()


def test_the_corpus_is_small_plain_and_has_one_answer_to_each_question() -> None:
    corpus = load_dialogues()
    whole = "\n".join(corpus)
    assert 20_000 < len(whole) < 40_000
    assert whole.isascii()
    questions = [text.splitlines()[0] for text in corpus]
    assert len(set(questions)) == len(corpus) == 580
    assert all(text.startswith("Q: ") and "\nA: " in text and text[-1] in ".!?" for text in corpus)


def test_byte_pairs_shorten_the_corpus_and_give_it_back() -> None:
    corpus = load_dialogues()
    tokenizer = create_tokenizer("bpe", 512, corpus)
    whole = "\n".join(corpus)
    ids = tokenizer.encode(whole)
    assert tokenizer.vocab_size == 512
    assert len(ids) < len(whole) / 2.5
    assert tokenizer.decode(ids) == whole
