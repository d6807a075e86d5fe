# %% [markdown]
# # Sorting words, with points for parts
# Each test cell ends in a number: the points that your work has earned there.

# %% solution="clean"
def clean(text):
    """The words of a text, in lower case, without `.,;:!?` around them, none of them empty."""
    ### BEGIN SOLUTION
    words = [word.strip(".,;:!?").lower() for word in text.split()]
    return [word for word in words if word]
    ### END SOLUTION

# %% test="test_clean" points=4
score = 0
if clean("a b") == ["a", "b"]:
    score += 1
if clean("Hello, World!") == ["hello", "world"]:
    score += 1
### BEGIN HIDDEN TESTS
if clean("Wait... what?!") == ["wait", "what"]:
    score += 1
if clean(" - ; one") == ["-", "one"]:
    score += 1
### END HIDDEN TESTS
score

# %% [markdown]
# How often is each word in the text? Then the `n` most frequent, of equally frequent ones the first in the alphabet.

# %% solution="frequencies"
def frequencies(words):
    ### BEGIN SOLUTION
    counts = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts
    ### END SOLUTION

def most_frequent(words, n):
    ### BEGIN SOLUTION
    counts = frequencies(words)
    return sorted(counts, key=lambda word: (-counts[word], word))[:n]
    ### END SOLUTION

# %% test="test_frequencies" points=3
checks = [
    frequencies(["a", "b", "a"]) == {"a": 2, "b": 1},
    frequencies([]) == {},
    sum(frequencies("x y x z x".split()).values()) == 5,
]
sum(checks)

# %% test="test_most_frequent" points=2
### BEGIN HIDDEN TESTS
points = 0.0
words = "b a c a b d".split()
points += 0.5 * (most_frequent(words, 1) == ["a"])
points += 0.5 * (most_frequent(words, 2) == ["a", "b"])
points += 1.0 * (most_frequent(words, 9) == ["a", "b", "c", "d"])
points
### END HIDDEN TESTS

# %% [markdown]
# The longest word; `""` for no words. The first of several.

# %% solution="longest"
def longest(words):
    ### BEGIN SOLUTION
    return max(words, key=len, default="")
    ### END SOLUTION

# %% test="test_longest" points=2
def grade_longest():
    earned = 0
    cases = [(["a", "bcd", "ef"], "bcd"), ([], ""), (["ab", "cd"], "ab"), (["x"], "x")]
    for words, right in cases:
        try:
            earned += 0.5 * (longest(words) == right)
        except Exception as problem:
            print(f"longest({words}) raised {type(problem).__name__}")
    return earned

grade_longest()

# %% [markdown]
# A plain test at the end.

# %% solution="palindrome"
def is_palindrome(word):
    ### BEGIN SOLUTION
    return word == word[::-1]
    ### END SOLUTION

# %% test="test_palindrome" points=1
assert is_palindrome("level")
### BEGIN HIDDEN TESTS
assert not is_palindrome("lever")
assert is_palindrome("")
### END HIDDEN TESTS
