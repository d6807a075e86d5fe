# %% [markdown]
# # IPython's magics
# Lines with `%`, cells with `%%`, and the shell.

# %% locked="setup"
# %matplotlib inline
# %config InlineBackend.figure_format = "png"
import numpy as np
import matplotlib.pyplot as plt

# %% [markdown]
# Sum of squares, once with a loop and once with numpy.

# %% solution="sums"
def slow_sum(n):
    ### BEGIN SOLUTION
    total = 0
    for k in range(n):
        total += k * k
    return total
    ### END SOLUTION

def fast_sum(n):
    ### BEGIN SOLUTION
    k = np.arange(n, dtype=np.int64)
    return int((k * k).sum())
    ### END SOLUTION

# %%
# %timeit -n 3 -r 1 slow_sum(1000)
# %timeit -n 3 -r 1 fast_sum(1000)

# %% test="test_sums" points=2
assert slow_sum(4) == 14
assert fast_sum(4) == 14
### BEGIN HIDDEN TESTS
for n in (0, 1, 77):
    assert slow_sum(n) == fast_sum(n) == sum(k * k for k in range(n))
### END HIDDEN TESTS

# %% [markdown]
# What the next cell prints is captured in `captured`. Print `drawing 5 bars`, and draw so many bars into `axes`.

# %% locked="bars"
bars = 5

# %% solution="capture"
# %%capture captured
### BEGIN SOLUTION
print("drawing", bars, "bars")
figure, axes = plt.subplots()
axes.bar(range(bars), range(1, bars + 1))
### END SOLUTION

# %% test="test_capture" points=2
assert "bars" in captured.stdout
### BEGIN HIDDEN TESTS
assert len(axes.patches) == bars
assert captured.stdout.strip() == "drawing 5 bars"
### END HIDDEN TESTS

# %% [markdown]
# The next cell is a module `tools.py`. Give it a function `twice`.

# %% solution="module"
# %%writefile tools.py
### BEGIN SOLUTION
def twice(x):
    return 2 * x
### END SOLUTION

# %% test="test_module" points=1
import tools
assert tools.twice(21) == 42
### BEGIN HIDDEN TESTS
assert tools.twice("ab") == "abab"
### END HIDDEN TESTS

# %% [markdown]
# The shell: the names of all files that end in `.py`, in a variable `files`.

# %% solution="shell"
### BEGIN SOLUTION
files = !ls *.py
files = list(files)
### END SOLUTION

# %% test="test_shell" points=1
assert "tools.py" in files
assert all(name.endswith(".py") for name in files)

# %% [markdown]
# Time `slow_sum(2000)` with `%timeit -o`, and keep the best time in `best`.

# %% solution="timed"
### BEGIN SOLUTION
timing = %timeit -o -q -n 2 -r 2 slow_sum(2000)
best = timing.best
### END SOLUTION

# %% test="test_timed" points=1
assert 0 < best < 1
