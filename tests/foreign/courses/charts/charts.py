# %% [markdown]
# # Charts that can be read
# Every function draws into the axes that it is given and returns them.

# %% locked="imports"
# %matplotlib inline
import matplotlib.pyplot as plt
import numpy as np

# %% [markdown]
# **Exercise 1.** Draw a sine curve from 0 to 2π with `n` points. Label both axes; the line's label is `sin`, with a legend.

# %% solution="sine"
def draw_sine(ax, n=100):
    ### BEGIN SOLUTION
    x = np.linspace(0, 2 * np.pi, n)
    ax.plot(x, np.sin(x), label="sin")
    ax.set_xlabel("x")
    ax.set_ylabel("sin x")
    ax.legend()
    return ax
    ### END SOLUTION

# %% test="test_sine_line" points=2
fig, ax = plt.subplots()
result = draw_sine(ax, 50)
assert result is ax, "return the axes that you were given"
assert len(ax.lines) == 1
### BEGIN HIDDEN TESTS
xs, ys = ax.lines[0].get_data()
assert len(xs) == 50
np.testing.assert_allclose(ys, np.sin(xs), atol=1e-12)
assert np.isclose(xs.max(), 2 * np.pi)
### END HIDDEN TESTS
plt.close(fig)

# %% test="test_sine_labels" points=1
fig, ax = plt.subplots()
draw_sine(ax)
assert ax.get_xlabel() and ax.get_ylabel(), "label both axes"
### BEGIN HIDDEN TESTS
legend = ax.get_legend()
assert legend is not None
assert [text.get_text() for text in legend.get_texts()] == ["sin"]
### END HIDDEN TESTS
plt.close(fig)

# %% [markdown]
# **Exercise 2.** Bars, one for each pair of a name and a number, the highest in red, all others in grey.

# %% solution="bars"
def draw_bars(ax, votes):
    ### BEGIN SOLUTION
    names = list(votes)
    top = max(votes, key=votes.get)
    colours = ["red" if name == top else "grey" for name in names]
    ax.bar(names, [votes[name] for name in names], color=colours)
    ax.set_title("Votes")
    return ax
    ### END SOLUTION

# %% test="test_bars" points=2
import matplotlib.colors as mcolors
votes = {"ann": 12, "bo": 31, "cy": 7}
_, ax = plt.subplots()
draw_bars(ax, votes)
bars = ax.patches
assert len(bars) == 3
assert [bar.get_height() for bar in bars] == [12, 31, 7]
### BEGIN HIDDEN TESTS
assert mcolors.same_color(bars[1].get_facecolor(), "red")
assert all(mcolors.same_color(bars[at].get_facecolor(), "grey") for at in (0, 2))
assert ax.get_title() != ""
### END HIDDEN TESTS
plt.close("all")

# %% [markdown]
# **Exercise 3.** A figure with a histogram on the left (`bins` bins) and a box plot on the right. Return the figure.

# %% solution="two_panels"
def two_panels(values, bins=10):
    ### BEGIN SOLUTION
    fig, (left, right) = plt.subplots(1, 2, figsize=(8, 3))
    left.hist(values, bins=bins)
    left.set_title("Histogram")
    right.boxplot(values)
    right.set_title("Box plot")
    return fig
    ### END SOLUTION

# %% test="test_two_panels" points=2
fig = two_panels(np.random.default_rng(4).normal(size=200), bins=8)
assert isinstance(fig, plt.Figure)
assert len(fig.axes) == 2
### BEGIN HIDDEN TESTS
counts = [patch.get_height() for patch in fig.axes[0].patches]
assert len(counts) == 8 and sum(counts) == 200
assert [axes.get_title() for axes in fig.axes] == ["Histogram", "Box plot"]
### END HIDDEN TESTS
plt.close(fig)

# %% [markdown]
# **Exercise 4.** In the cell below make a scatter plot of `x` and `y` in the current figure, both axes logarithmic.

# %% locked="data"
x = np.array([1.0, 10.0, 100.0, 1000.0])
y = x ** 1.5

# %% solution="scatter"
### BEGIN SOLUTION
plt.figure()
plt.scatter(x, y, marker="x")
plt.xscale("log")
plt.yscale("log")
axes = plt.gca()
### END SOLUTION
# keep your axes under this name: axes = plt.gca()

# %% test="test_scatter" points=2
assert axes.get_xscale() == "log"
assert axes.get_yscale() == "log"
### BEGIN HIDDEN TESTS
points = axes.collections[0].get_offsets()
assert np.allclose(np.asarray(points), np.column_stack([x, y]))
### END HIDDEN TESTS
