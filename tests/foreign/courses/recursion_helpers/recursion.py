# %% [markdown]
# # Recursion
# Solve each task with a function that calls itself. No loops.

# %% locked="imports"
import inspect
import sys

# %% solution="factorial"
def factorial(n):
    ### BEGIN SOLUTION
    return 1 if n == 0 else n * factorial(n - 1)
    ### END SOLUTION

# %% test="test_factorial" points=2
assert factorial(0) == 1
assert factorial(5) == 120
### BEGIN HIDDEN TESTS
def raises(error, function, *arguments):
    try:
        function(*arguments)
    except error:
        return True
    return False

import math
assert factorial(30) == math.factorial(30)
### END HIDDEN TESTS

# %% test="test_factorial_style" points=1
source = inspect.getsource(factorial)
assert "for " not in source and "while " not in source, "no loops here"
assert source.count("factorial") >= 2, "the function has to call itself"

# %% solution="flatten"
def flatten(nested):
    """All that is in a list of lists of lists, in one list."""
    ### BEGIN SOLUTION
    def parts(item):
        return flatten(item) if isinstance(item, list) else [item]
    if not nested:
        return []
    return parts(nested[0]) + flatten(nested[1:])
    ### END SOLUTION

# %% test="test_flatten" points=2
assert flatten([1, [2, [3, 4]], 5]) == [1, 2, 3, 4, 5]
assert flatten([]) == []
### BEGIN HIDDEN TESTS
deep = [[[["x"]]], [[]], "yz"]
assert flatten(deep) == ["x", "yz"]
assert deep == [[[["x"]]], [[]], "yz"], "leave the list as it is"
### END HIDDEN TESTS

# %% [markdown]
# All ways to put the letters of a word in order, sorted, each once. There is a helper to write: `insertions(letter, word)`
# gives all words that come of putting the letter somewhere into the word.

# %% solution="permutations"
### BEGIN SOLUTION
def insertions(letter, word):
    return [word[:at] + letter + word[at:] for at in range(len(word) + 1)]
### END SOLUTION

def orders(word):
    ### BEGIN SOLUTION
    if len(word) < 2:
        return [word]
    return sorted({new for rest in orders(word[1:]) for new in insertions(word[0], rest)})
    ### END SOLUTION

# %% test="test_insertions" points=1
assert sorted(insertions("x", "ab")) == ["abx", "axb", "xab"]
### BEGIN HIDDEN TESTS
assert list(insertions("q", "")) == ["q"]
### END HIDDEN TESTS

# %% test="test_orders" points=2
assert orders("ab") == ["ab", "ba"]
### BEGIN HIDDEN TESTS
assert orders("aab") == ["aab", "aba", "baa"]
assert len(orders("abcd")) == 24
assert raises(TypeError, orders), "orders needs a word"
assert raises((RecursionError, ValueError), factorial, -1)
### END HIDDEN TESTS

# %% test="test_uses_helper" points=1
original = insertions
calls = []
def insertions(letter, word):
    calls.append((letter, word))
    return original(letter, word)
orders("abc")
insertions = original
assert calls, "orders does not use insertions"

# %% [markdown]
# The depth of a list of lists; `[]` has depth 1.

# %% solution="depth"
def depth(nested):
    ### BEGIN SOLUTION
    return 1 + max((depth(item) for item in nested if isinstance(item, list)), default=0)
    ### END SOLUTION

# %% test="test_depth" points=1
assert depth([]) == 1
assert depth([1, [2], [[3]]]) == 3
### BEGIN HIDDEN TESTS
assert depth([[], [[[]]], 0]) == 4
assert callable(depth) and depth.__name__ == "depth"
### END HIDDEN TESTS
