# module: 10_tokenization
"""Text to token ids and back: character by character, or by byte-pair encoding.

In both, id 0 is "<UNK>", which stands for every character that the tokenizer was not built on, and is what it
decodes to. Text of known characters only comes back from `decode(encode(text))` exactly as it was, white space
included.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush
from itertools import pairwise

UNK = "<UNK>"
END = "</w>"

Pair = tuple[str, str]


class Tokenizer:
    """What all tokenizers can do.

    Attributes:
        vocab: the tokens; a token's id is its place in the list.
        vocab_size: how many there are.

    >>> class Words(Tokenizer):
    ...     vocab = ["<UNK>", "to", "be"]
    ...     def encode(self, text):
    ...         return [self.vocab.index(word) if word in self.vocab else 0 for word in text.split()]
    >>> Words().encode("to be or")
    [1, 2, 0]
    """

    vocab: list[str]
    vocab_size: int

    def encode(self, text: str) -> list[int]:
        """The ids of the tokens that `text` is made of."""
        raise NotImplementedError(f"{type(self).__name__} does not define encode")

    def decode(self, tokens: Sequence[int]) -> str:
        """The text that the ids stand for."""
        raise NotImplementedError(f"{type(self).__name__} does not define decode")

    def _token(self, token_id: int) -> str:
        """The token of an id; a list would take -1 for the last."""
        if not 0 <= token_id < len(self.vocab) or token_id != int(token_id):
            raise ValueError(f"no token has id {token_id}: this vocabulary has ids 0 to {len(self.vocab) - 1}")
        return self.vocab[int(token_id)]


class CharTokenizer(Tokenizer):
    """One token per character (Unicode code point).

    Args:
        vocab: the characters, in the order of their ids, from 1 on; `build_vocab` finds them in a corpus.

    Attributes:
        vocab: "<UNK>" and the characters. Also char_to_id and id_to_char, the two dictionaries; unk_id, 0.

    Raises:
        ValueError: a character is given twice, or an entry is not one character.

    >>> tokenizer = CharTokenizer()
    >>> tokenizer.build_vocab(["hello"])
    >>> tokenizer.vocab
    ['<UNK>', 'e', 'h', 'l', 'o']
    >>> tokenizer.encode("hell!"), tokenizer.decode([2, 1, 3, 3, 0])
    ([2, 1, 3, 3, 0], 'hell<UNK>')
    """

    unk_id = 0

    def __init__(self, vocab: list[str] | None = None):
        characters = list(vocab or [])
        if characters[:1] == [UNK]:  # the vocab of another tokenizer
            del characters[0]
        for character, times in Counter(characters).items():
            if len(character) != 1 or times > 1:
                raise ValueError(f"the vocabulary of a CharTokenizer is single, different characters: {character!r}")
        self._number(characters)

    def _number(self, characters: list[str]) -> None:
        self.vocab = [UNK, *characters]
        self.vocab_size = len(self.vocab)
        self.char_to_id = {character: token_id for token_id, character in enumerate(self.vocab)}
        self.id_to_char = dict(enumerate(self.vocab))

    def build_vocab(self, corpus: list[str]) -> None:
        """Take as vocabulary the characters of the corpus, in the order of their code points.

        Raises:
            TypeError: the corpus is one string: give a list of texts.
        """
        self._number(sorted(set().union(*_checked_corpus(corpus))))

    def encode(self, text: str) -> list[int]:
        """One id per character; 0 for an unknown one."""
        return [self.char_to_id.get(character, self.unk_id) for character in _checked_text(text)]

    def decode(self, tokens: Sequence[int]) -> str:
        """The characters in a row; "<UNK>" for id 0.

        Raises:
            ValueError: no token has this id.
        """
        return "".join(map(self._token, tokens))


class BPETokenizer(Tokenizer):
    """Byte-pair encoding over characters: frequent neighbours are merged into one token, again and again.

    Sennrich, Haddow and Birch, "Neural Machine Translation of Rare Words with Subword Units", arXiv:1508.07909,
    section 3.2. Training counts neighbouring pairs and merges the most frequent one, of equally frequent ones
    the one that comes first in the alphabet (so the same corpus gives the same vocabulary everywhere), until
    there are `vocab_size` tokens or nothing is left to merge. Encoding replays the merges in that order.

    White space. A space is written "</w>" and belongs to the word before it, so "the " can become one token.
    The end of the text counts as a space too, which `decode` takes off again: a word is the same token at the
    end as in the middle. Any other white space (line feed, tab ...) is a token of its own and is never merged,
    so no token runs over the end of a line. Hence `decode(encode(text)) == text` for every text of the training
    alphabet, but a text and its first half do not begin with the same ids where the cut is within a word.

    Args:
        vocab_size: the number of tokens to aim for: "<UNK>", "</w>", the characters, and the merged ones.

    Attributes:
        vocab: "<UNK>", "</w>", the characters sorted, and the merged tokens in the order of their making.
        merges: the pairs merged, in order. Also token_to_id and id_to_token, the two dictionaries.
        vocab_size: once trained, how many tokens there are; never more than asked for.

    >>> tokenizer = BPETokenizer(vocab_size=12)
    >>> tokenizer.train(["low lower lowest"])
    >>> tokenizer.merges[:3]
    [('l', 'o'), ('lo', 'w'), ('low', 'e')]
    >>> [tokenizer.vocab[i] for i in tokenizer.encode("low slow")]
    ['low', '</w>', 's', 'low', '</w>']
    >>> tokenizer.decode(tokenizer.encode("  low\\tslow "))
    '  low<UNK>slow '
    """

    unk_id = 0

    def __init__(self, vocab_size: int = 1000):
        self._wanted = self.vocab_size = _checked_size(vocab_size)
        self._number([UNK, END], [])

    def _number(self, vocab: list[str], merges: list[Pair]) -> None:
        self.vocab = vocab
        self.merges = merges
        self.token_to_id = {token: token_id for token_id, token in enumerate(vocab)}
        self.id_to_token = dict(enumerate(vocab))
        self._rank = {pair: rank for rank, pair in enumerate(merges)}
        self._ids_of_word: dict[tuple[str, ...], list[int]] = {}

    def train(self, corpus: list[str], vocab_size: int | None = None) -> None:
        """Find the merges in the corpus, forgetting earlier training.

        Takes time in proportion to the distinct words, and to the places where a merge changes something: a
        merge touches only the words that contain it.

        Args:
            vocab_size: the number of tokens to aim for; the constructor's where None.

        Raises:
            TypeError: the corpus is one string: give a list of texts.
            ValueError: the characters alone take more than `vocab_size` tokens.
        """
        wanted = self._wanted if vocab_size is None else _checked_size(vocab_size)
        words = Counter(word for text in _checked_corpus(corpus) for word in _words(text))
        vocab = [UNK, END, *sorted({symbol for word in words for symbol in word} - {END})]
        if len(vocab) > wanted:
            raise ValueError(
                f"vocab_size {wanted} is too small: <UNK>, </w> and the {len(vocab) - 2} different characters "
                f"of the corpus make {len(vocab)} tokens"
            )
        self._number(*_learn_merges(words, vocab, wanted))
        self.vocab_size = len(vocab)

    def encode(self, text: str) -> list[int]:
        """The ids of the text's words, each merged as in training; 0 for each unknown character.

        Of the empty text there are none.
        """
        return [token_id for word in _words(_checked_text(text)) for token_id in self._encode_word(word)]

    def _encode_word(self, word: tuple[str, ...]) -> list[int]:
        """Merge the pair learned first, everywhere in the word, until no pair of it was learned."""
        if word not in self._ids_of_word:
            symbols = list(word)
            while pairs := [pair for pair in pairwise(symbols) if pair in self._rank]:
                symbols = _merged(symbols, min(pairs, key=self._rank.__getitem__))
            self._ids_of_word[word] = [self.token_to_id.get(symbol, self.unk_id) for symbol in symbols]
        return self._ids_of_word[word]

    def decode(self, tokens: Sequence[int]) -> str:
        """The tokens in a row, "</w>" as a space, but for the one that ends the text.

        Raises:
            ValueError: no token has this id.
        """
        text = "".join(_plain(self._token(token_id)) for token_id in tokens)
        return text.removesuffix(" ")


def create_tokenizer(strategy: str = "char", vocab_size: int = 1000, corpus: list[str] | None = None) -> Tokenizer:
    """A CharTokenizer ("char") or BPETokenizer ("bpe"), trained if there is a corpus.

    Raises:
        ValueError: there is no such strategy.

    >>> create_tokenizer("char", corpus=["abc"]).encode("cab")
    [3, 1, 2]
    """
    if strategy == "char":
        characters = CharTokenizer()
        characters.build_vocab(corpus or [])
        return characters
    if strategy == "bpe":
        pairs = BPETokenizer(vocab_size)
        if corpus is not None:
            pairs.train(corpus)
        return pairs
    raise ValueError(f"unknown tokenizer strategy {strategy!r}: it is 'char' or 'bpe'")


def tokenize_dataset(texts: list[str], tokenizer: Tokenizer, max_length: int | None = None) -> list[list[int]]:
    """The ids of each text, cut after `max_length`; nothing is padded.

    Raises:
        TypeError: `texts` is one string: give a list of texts.
        ValueError: `max_length` is less than 1.

    >>> tokenize_dataset(["ab", "abba"], CharTokenizer(["a", "b"]), max_length=3)
    [[1, 2], [1, 2, 2]]
    """
    if max_length is not None and max_length < 1:
        raise ValueError(f"tokenize_dataset: max_length must be at least 1, got {max_length}")
    return [tokenizer.encode(text)[:max_length] for text in _checked_corpus(texts)]


# Words

# A run of anything but white space with the space after it, a space alone, or one other white space character.
_WORD = re.compile(r"\S+ ?| |[^\S ]")


def _words(text: str) -> list[tuple[str, ...]]:
    """The text's words as characters, spaces as END: "to be" is t o </w>, b e </w>."""
    if not text:
        return []
    words = _WORD.findall(text + " ")
    return [(*word[:-1], END) if word[-1] == " " else tuple(word) for word in words]


def _plain(token: str) -> str:
    return token.removesuffix(END) + " " if token.endswith(END) else token


# Training


def _learn_merges(words: Counter[tuple[str, ...]], vocab: list[str], wanted: int) -> tuple[list[str], list[Pair]]:
    """Merge the most frequent pair until `vocab` has `wanted` tokens; return it, longer, and the merges."""
    symbols = [list(word) for word in words]
    times = list(words.values())
    counts: Counter[Pair] = Counter()
    places: defaultdict[Pair, set[int]] = defaultdict(set)  # words that have, or once had, the pair
    for index, word in enumerate(symbols):
        for pair in pairwise(word):
            counts[pair] += times[index]
            places[pair].add(index)
    queue = [(-count, pair) for pair, count in counts.items()]
    heapify(queue)
    merges: list[Pair] = []
    while queue and len(vocab) < wanted:
        negative_count, pair = heappop(queue)
        if counts[pair] != -negative_count or not _may_merge(pair):
            continue  # an entry from before its count changed, or a forbidden one
        changed = _merge_everywhere(pair, symbols, times, counts, places)
        for other in changed:
            if counts[other] > 0:
                heappush(queue, (-counts[other], other))
        merges.append(pair)
        vocab.append("".join(pair))  # new: merges of a stretch of text always come in one order, so from one pair
    return vocab, merges


def _merge_everywhere(
    pair: Pair,
    symbols: list[list[str]],
    times: list[int],
    counts: Counter[Pair],
    places: defaultdict[Pair, set[int]],
) -> set[Pair]:
    """Merge `pair` in the words that have it, bring the counts up to date, and name the pairs they changed for."""
    changes: Counter[Pair] = Counter()
    for index in places.pop(pair):
        old, new = symbols[index], _merged(symbols[index], pair)
        for gone in pairwise(old):
            changes[gone] -= times[index]
        for come in pairwise(new):
            changes[come] += times[index]
            places[come].add(index)
        symbols[index] = new
    changed = {other for other, change in changes.items() if change}
    for other in changed:
        counts[other] += changes[other]
    return changed


def _merged(symbols: Sequence[str], pair: Pair) -> list[str]:
    """The symbols with every occurrence of the pair joined, from the left: a a a with (a, a) is aa a."""
    result: list[str] = []
    position = 0
    while position < len(symbols):
        length = 2 if tuple(symbols[position : position + 2]) == pair else 1
        result.append("".join(symbols[position : position + length]))
        position += length
    return result


def _may_merge(pair: Pair) -> bool:
    """Whether the joined token means what it says.

    Text may spell out "</w>" or "<UNK>"; joined from characters these would pass for the real ones.
    """
    token = "".join(pair)
    return token != UNK and token.count(END) == pair[1].count(END)


# Arguments


def _checked_text(text: object) -> str:
    if not isinstance(text, str):
        raise TypeError(f"a tokenizer encodes a str, not {type(text).__name__}")
    return text


def _checked_corpus(corpus: Iterable[str]) -> Iterable[str]:
    if isinstance(corpus, str):
        raise TypeError("a corpus is a list of texts, not one string: give [text]")
    return map(_checked_text, corpus)


def _checked_size(vocab_size: int) -> int:
    if not isinstance(vocab_size, int) or vocab_size < 2:
        raise ValueError(f"vocab_size must be an integer of at least 2, for <UNK> and </w>, got {vocab_size!r}")
    return vocab_size
