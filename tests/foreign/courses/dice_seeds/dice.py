# %% [markdown]
# # Chance, repeatably
# Simulations draw random numbers. With a seed they draw the same ones again.

# %% locked="imports"
import random
import numpy as np

random.seed(2024)
np.random.seed(2024)

# %% [markdown]
# 1. Throw a die `n` times with Python's `random`; return a list.

# %% solution="throws"
def throws(n):
    ### BEGIN SOLUTION
    return [random.randint(1, 6) for _ in range(n)]
    ### END SOLUTION

# %% test="test_throws" points=2
random.seed(1)
result = throws(10)
assert len(result) == 10
assert all(face in range(1, 7) for face in result)
### BEGIN HIDDEN TESTS
random.seed(42)
many = throws(3000)
assert set(many) == {1, 2, 3, 4, 5, 6}
assert abs(sum(many) / 3000 - 3.5) < 0.15
random.seed(7)
first = throws(20)
random.seed(7)
assert throws(20) == first, "draw from the module random, and seed nothing yourself"
### END HIDDEN TESTS

# %% [markdown]
# 2. A random walk of `n` steps of ±1 that starts at 0, with the generator that is passed in (numpy's `Generator`).
# Return all `n + 1` positions.

# %% solution="walk"
def walk(n, rng):
    ### BEGIN SOLUTION
    steps = rng.choice([-1, 1], size=n)
    return np.concatenate([[0], np.cumsum(steps)])
    ### END SOLUTION

# %% test="test_walk" points=2
path = walk(100, np.random.default_rng(5))
assert len(path) == 101 and path[0] == 0
assert np.all(np.abs(np.diff(path)) == 1)
### BEGIN HIDDEN TESTS
assert np.array_equal(walk(50, np.random.default_rng(9)), walk(50, np.random.default_rng(9)))
rng = np.random.default_rng(1)
assert not np.array_equal(walk(50, rng), walk(50, rng)), "the second walk must be another one"
ends = [walk(100, rng)[-1] for _ in range(60)]
assert abs(np.mean(ends)) < 6
### END HIDDEN TESTS

# %% [markdown]
# 3. Estimate π from `n` points in the unit square; the numbers come from numpy's global generator, seeded with `seed`.

# %% solution="pi"
def estimate_pi(n, seed):
    ### BEGIN SOLUTION
    np.random.seed(seed)
    points = np.random.rand(n, 2)
    return 4 * np.mean((points ** 2).sum(axis=1) <= 1)
    ### END SOLUTION

# %% test="test_pi" points=2
assert abs(estimate_pi(20000, 3) - np.pi) < 0.05
### BEGIN HIDDEN TESTS
assert estimate_pi(500, 3) == estimate_pi(500, 3)
assert len({estimate_pi(500, seed) for seed in range(8)}) > 3
### END HIDDEN TESTS

# %% [markdown]
# 4. Shuffle a deck without changing the list that is passed in. Below, `hand` is the first five cards of a deck that is
# shuffled after `random.seed(99)`.

# %% solution="deck"
def shuffled(cards):
    ### BEGIN SOLUTION
    copy = list(cards)
    random.shuffle(copy)
    return copy
    ### END SOLUTION

# %% locked="hand"
random.seed(99)
deck = [rank + suit for suit in "SHDC" for rank in "23456789TJQKA"]
hand = shuffled(deck)[:5]
print(hand)

# %% test="test_shuffled" points=2
assert len(hand) == len(set(hand)) == 5
assert deck[0] == "2S", "the deck itself was shuffled"
mixed = shuffled(deck)
assert sorted(mixed) == sorted(deck)
### BEGIN HIDDEN TESTS
orders = {tuple(shuffled("abc")) for _ in range(80)}
assert len(orders) == 6
### END HIDDEN TESTS

# %% [markdown]
# 5. A noisy measurement: `n` values around `true`, normally distributed with standard deviation `sigma`; a class that keeps
# its own generator, so that two instruments with one seed measure the same.

# %% solution="instrument"
class Instrument:
    def __init__(self, sigma, seed):
        ### BEGIN SOLUTION
        self.sigma = sigma
        self.rng = np.random.RandomState(seed)
        ### END SOLUTION

    def measure(self, true, n):
        ### BEGIN SOLUTION
        return true + self.sigma * self.rng.randn(n)
        ### END SOLUTION

# %% test="test_instrument" points=2
a, b = Instrument(0.5, seed=1), Instrument(0.5, seed=1)
assert np.allclose(a.measure(10, 4), b.measure(10, 4))
assert not np.allclose(a.measure(10, 4), Instrument(0.5, seed=1).measure(10, 4))
### BEGIN HIDDEN TESTS
values = Instrument(2.0, seed=8).measure(100.0, 5000)
assert abs(values.mean() - 100) < 0.2 and abs(values.std() - 2) < 0.1
np.random.seed(0); x = Instrument(1, 3).measure(0, 3)
np.random.seed(5); y = Instrument(1, 3).measure(0, 3)
assert np.array_equal(x, y), "the global generator has nothing to do with it"
### END HIDDEN TESTS
