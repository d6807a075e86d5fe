# ==== honest: helpers with accumulators, conditional expressions
# %% factorial
def factorial(n, result=1):
    if n < 0:
        raise ValueError("no factorial of a negative number")
    return result if n == 0 else factorial(n - 1, result * n)
# %% flatten
def flatten(nested):
    return sum(map(lambda item: flatten(item) if type(item) is list else [item], nested), [])
# %% permutations
def insertions(letter, word):
    if word == "":
        return [letter]
    return [letter + word] + [word[0] + rest for rest in insertions(letter, word[1:])]

def orders(word):
    if not word:
        return [""]
    results = set()
    for shorter in orders(word[1:]):
        results.update(insertions(word[0], shorter))
    return sorted(results)
# ==== honest: generators, and calls in cells of its own
# %% + after:factorial
print([factorial(k) for k in range(8)])
# %% flatten
def leaves(nested):
    for item in nested:
        if isinstance(item, list):
            yield from leaves(item)
        else:
            yield item

def flatten(nested):
    return list(leaves(nested))
# %% + after:flatten
flatten([[1], [2, [3]]])
# %% depth
def depth(nested):
    if not isinstance(nested, list):
        return 0
    if not nested:
        return 1
    return 1 + max(map(depth, nested))
# ==== honest: the helper stands in a cell of its own, and gives a set
# %% permutations
def insertions(letter, word):
    """Words with the letter put in somewhere."""
    return {word[:k] + letter + word[k:] for k in range(len(word) + 1)}
# %% + after:permutations
def orders(word):
    if len(word) <= 1:
        return [word]
    found = set()
    for rest in orders(word[1:]):
        found |= insertions(word[0], rest)
    return sorted(found)
# %% factorial
def factorial(n):
    """n! by recursion"""
    if n in (0, 1):
        return 1
    return factorial(n - 1) * n
# ==== mistake: loops, and itertools
# %% factorial
def factorial(n):
    result = 1
    for k in range(2, n + 1):
        result *= k
    return result
# %% permutations
import itertools

def insertions(letter, word):
    return [word[:at] + letter + word[at:] for at in range(len(word) + 1)]

def orders(word):
    return sorted({"".join(p) for p in itertools.permutations(word)})
# ==== mistake: one level only, and no base case
# %% flatten
def flatten(nested):
    result = []
    for item in nested:
        if isinstance(item, list):
            result += item
        else:
            result.append(item)
    return result
# %% depth
def depth(nested):
    return 1 + max(depth(item) for item in nested if isinstance(item, list))
# ==== mistake: empties the list, no helper, and repeats words
# %% flatten
def flatten(nested):
    result = []
    while nested:
        item = nested.pop(0)
        result += flatten(item) if isinstance(item, list) else [item]
    return result
# %% permutations
def orders(word):
    if len(word) < 2:
        return [word]
    return sorted(word[k] + rest for k in range(len(word)) for rest in orders(word[:k] + word[k + 1:]))
