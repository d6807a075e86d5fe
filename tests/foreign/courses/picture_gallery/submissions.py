# ==== honest: numpy does it all
# %% read_pgm
def read_pgm(path):
    text = open(path).read()
    tokens = [t for line in text.splitlines() for t in line.split("#")[0].split()]
    assert tokens[0] == "P2"
    w, h, m = (int(t) for t in tokens[1:4])
    return np.asarray([float(t) for t in tokens[4:]]).reshape((h, w)) / m
# %% simple
negative = lambda picture: 1.0 - picture
mirrored = np.fliplr
def brighter(picture, factor):
    return np.clip(factor * picture, 0, 1)
# %% blur
def blur(picture):
    padded = np.pad(picture.astype(float), 1, constant_values=np.nan)
    h, w = picture.shape
    shifted = [padded[i:i + h, j:j + w] for i in range(3) for j in range(3)]
    return np.nanmean(shifted, axis=0)
# %% histogram
def histogram(picture, bins=4):
    counts, _ = np.histogram(picture, bins=bins, range=(0, 1))
    return counts
# ==== honest: lists of lists, and a picture of the picture
# %% read_pgm
def read_pgm(path):
    numbers = []
    with open(path) as f:
        for line in f:
            if "#" in line:
                line = line[:line.index("#")]
            numbers += [word for word in line.split() if word != "P2"]
    numbers = [int(n) for n in numbers]
    width, height, top = numbers[:3]
    del numbers[:3]
    rows = []
    for r in range(height):
        rows.append([numbers[r * width + c] / top for c in range(width)])
    return np.array(rows)
# %% + after:read_pgm
%matplotlib inline
import matplotlib.pyplot as plt
plt.imshow(read_pgm("moon.pgm"), cmap="gray")
plt.colorbar();
# %% simple
def negative(picture):
    return np.array([[1 - v for v in row] for row in picture])
def mirrored(picture):
    return np.array([list(reversed(row)) for row in picture])
def brighter(picture, factor):
    new = picture.copy()
    new *= factor
    new[new > 1] = 1
    return new
# ==== honest: scipy for the blur
# %% blur
from scipy.ndimage import convolve

def neighbours(shape):
    return convolve(np.ones(shape), np.ones((3, 3)), mode="constant")

def blur(picture):
    return convolve(np.asarray(picture, float), np.ones((3, 3)), mode="constant") / neighbours(picture.shape)
# %% + after:blur
print(blur(MOON).round(2))
# %% histogram
def histogram(picture, bins=4):
    edges = np.linspace(0, 1, bins + 1)
    at = np.digitize(picture, edges[1:-1])
    return [int((at == k).sum()) for k in range(bins)]
# ==== mistake: width and height exchanged, and the comment is not seen
# %% read_pgm
def read_pgm(path):
    with open(path) as f:
        words = f.read().split()
    words = [w for w in words if w.isdigit()]
    width, height, largest = map(int, words[:3])
    return np.array(words[3:], dtype=float).reshape(width, height) / largest
# ==== mistake: zeros beyond the border, and a picture that is changed
# %% blur
def blur(picture):
    padded = np.pad(picture, 1)
    h, w = picture.shape
    return sum(padded[i:i + h, j:j + w] for i in range(3) for j in range(3)) / 9
# %% simple
def negative(picture):
    return 1 - picture
def mirrored(picture):
    return picture[::-1]
def brighter(picture, factor):
    picture *= factor
    picture[picture > 1] = 1
    return picture
# ==== mistake: the value 1 has a part of its own, and one function is not there
# %% histogram
def histogram(picture, bins=4):
    counts = [0] * (bins + 1)
    for value in picture.flatten():
        counts[int(value * bins)] += 1
    return counts
# %% simple
def negative(picture):
    return 1 - picture
def mirrored(picture):
    return np.fliplr(picture)
