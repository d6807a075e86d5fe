# %% [markdown] attachment="dot.png"
# # Pictures
# A picture is a table of grey values. This dot, for example: ![a dot](attachment:dot.png)

# %% locked="imports"
import numpy as np

# %% [markdown]
# ## Read a picture
# `moon.pgm` is a picture as text: a line `P2`, perhaps comments with `#`, the width and the height, the largest value, and
# then the values. Return an array of floats between 0 and 1.

# %% solution="read_pgm"
def read_pgm(path):
    ### BEGIN SOLUTION
    with open(path) as file:
        lines = [line.partition("#")[0] for line in file]
    words = " ".join(lines).split()
    width, height, largest = map(int, words[1:4])
    return np.array(words[4:], dtype=float).reshape(height, width) / largest
    ### END SOLUTION

# %% test="test_read_pgm" points=2
moon = read_pgm("moon.pgm")
assert moon.shape == (4, 6), "height first"
assert moon.max() == 1.0 and moon.min() == 0.0
### BEGIN HIDDEN TESTS
assert np.isclose(moon[1, 1], 5 / 9)
with open("tiny.pgm", "w") as tiny:
    tiny.write("P2 2 1 # a comment at the end\n4\n1 3\n")
assert np.allclose(read_pgm("tiny.pgm"), [[0.25, 0.75]])
### END HIDDEN TESTS

# %% locked="moon"
MOON = np.array([[0, 0, 1, 1, 0, 0], [0, 5, 9, 9, 5, 0], [0, 5, 9, 9, 5, 0], [0, 0, 1, 1, 0, 0]]) / 9

# %% solution="simple"
def negative(picture):
    ### BEGIN SOLUTION
    return 1 - picture
    ### END SOLUTION

def mirrored(picture):
    """Left becomes right."""
    ### BEGIN SOLUTION
    return picture[:, ::-1]
    ### END SOLUTION

def brighter(picture, factor):
    """Values times a factor, nowhere above 1."""
    ### BEGIN SOLUTION
    return np.minimum(picture * factor, 1)
    ### END SOLUTION

# %% test="test_simple" points=3
assert np.allclose(negative(MOON)[0], [1, 1, 8 / 9, 8 / 9, 1, 1])
assert np.allclose(mirrored(MOON), MOON), "this picture is its own mirror image"
assert brighter(MOON, 3).max() <= 1
### BEGIN HIDDEN TESTS
ramp = np.arange(6.0).reshape(2, 3) / 5
assert np.allclose(mirrored(ramp), [[0.4, 0.2, 0], [1, 0.8, 0.6]])
assert np.allclose(negative(negative(ramp)), ramp)
assert np.allclose(brighter(ramp, 2), [[0, 0.4, 0.8], [1, 1, 1]])
assert ramp[0, 1] == 0.2, "do not change the picture"
### END HIDDEN TESTS

# %% [markdown]
# ## Blur
# Every value becomes the mean of itself and its neighbours (up to eight of them; at the border there are fewer).

# %% solution="blur"
def blur(picture):
    ### BEGIN SOLUTION
    height, width = picture.shape
    result = np.empty_like(picture, dtype=float)
    for i in range(height):
        for j in range(width):
            result[i, j] = picture[max(i - 1, 0):i + 2, max(j - 1, 0):j + 2].mean()
    return result
    ### END SOLUTION

# %% test="test_blur" points=3
assert blur(np.ones((3, 3))).tolist() == np.ones((3, 3)).tolist()
dot = np.zeros((3, 3)); dot[1, 1] = 9
assert blur(dot)[1, 1] == 1
### BEGIN HIDDEN TESTS
assert np.allclose(blur(dot)[0], [9 / 4, 9 / 6, 9 / 4])
assert blur(MOON).shape == MOON.shape
assert np.isclose(blur(MOON)[0, 0], (0 + 0 + 0 + 5) / 9 / 4)
### END HIDDEN TESTS

# %% [markdown]
# ## Histogram
# How many values lie in each of `bins` equal parts of 0 to 1? The value 1 belongs to the last part.

# %% solution="histogram"
def histogram(picture, bins=4):
    ### BEGIN SOLUTION
    counts = [0] * bins
    for value in picture.ravel():
        counts[min(int(value * bins), bins - 1)] += 1
    return counts
    ### END SOLUTION

# %% test="test_histogram" points=2
assert sum(histogram(MOON)) == 24
assert list(histogram(np.array([[0.0, 0.3], [0.8, 1.0]]))) == [1, 1, 0, 2]
### BEGIN HIDDEN TESTS
assert len(histogram(MOON, 7)) == 7
assert list(histogram(MOON, 2)) == [16, 8]
### END HIDDEN TESTS

# %% [markdown] task="describe" points=2
# Take a picture of something round, attach it below, and say in two sentences what `blur` would make of it.
