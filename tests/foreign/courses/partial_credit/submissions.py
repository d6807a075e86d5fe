# ==== honest: a regular expression, Counter, and reversed
# %% clean
import re
def clean(text):
    return [w.lower() for w in (re.sub(r"^[.,;:!?]+|[.,;:!?]+$", "", part) for part in text.split()) if w]
# %% frequencies
from collections import Counter

def frequencies(words):
    return Counter(words)

def most_frequent(words, n):
    pairs = sorted(frequencies(words).items(), key=lambda pair: (-pair[1], pair[0]))
    return [word for word, _ in pairs[:n]]
# %% palindrome
def is_palindrome(word):
    return list(word) == list(reversed(word))
# ==== honest: loops and flags, trying things in between
# %% clean
MARKS = ".,;:!?"

def clean(text):
    result = []
    for word in text.lower().split():
        while word and word[0] in MARKS:
            word = word[1:]
        while word and word[-1] in MARKS:
            word = word[:-1]
        if word != "":
            result.append(word)
    return result
# %% + after:clean
clean("So, does it work?")
# %% longest
def longest(words):
    best = ""
    for word in words:
        if len(word) > len(best):
            best = word
    return best
# %% + after:longest
longest(clean("the quick brown fox")) == "quick"
# ==== honest: functions as lambdas, and prints
# %% palindrome
is_palindrome = lambda w: all(a == b for a, b in zip(w, w[::-1]))
# %% longest
longest = lambda words: sorted(words, key=len, reverse=True)[0] if words else ""
# %% frequencies
def frequencies(words):
    print("counting", len(words), "words")
    return {word: words.count(word) for word in set(words)}

def most_frequent(words, n):
    counts = frequencies(words)
    words = sorted(sorted(counts), key=counts.get, reverse=True)
    return words[0:n]
# ==== mistake: marks are not taken off, and equally frequent words come as they stand
# %% clean
def clean(text):
    return text.lower().split()
# %% frequencies
def frequencies(words):
    counts = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts

def most_frequent(words, n):
    counts = frequencies(words)
    return sorted(counts, key=lambda word: -counts[word])[:n]
# ==== mistake: no words at all are an error, and the last of several
# %% longest
def longest(words):
    words = sorted(words, key=len)
    return words[-1]
# %% palindrome
def is_palindrome(word):
    return word[0] == word[-1]
# ==== mistake: nothing earned in one cell: a number is returned and a zero comes out
# %% clean
def clean(text):
    return len(text.split())
# %% frequencies
def frequencies(words):
    return len(set(words))

def most_frequent(words, n):
    return words[:n]
