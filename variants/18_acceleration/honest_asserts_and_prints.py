# ---
# title: Prints and asserts on the way
# kind: correct
# base: reference
# lost: []
# ---

# %% im2col
def im2col(images, kernel_size, stride=(1, 1), padding=(0, 0)):
    assert images.ndim == 4
    n, c, h, w = images.shape
    places = window_places((h, w), kernel_size, stride, padding)
    framed = np.pad(images, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2))
    columns = np.zeros((n, c * kernel_size[0] * kernel_size[1], places[0] * places[1]), images.dtype)
    print("columns", columns.shape)
    row = 0
    for channel in range(c):
        for i in range(kernel_size[0]):
            for j in range(kernel_size[1]):
                pixels = framed[:, channel, i :: stride[0], j :: stride[1]][:, : places[0], : places[1]]
                assert pixels.shape == (n, *places), pixels.shape
                columns[:, row] = pixels.reshape(n, -1)
                row += 1
    return columns

# %% gelu_blocks
def gelu_blocks(x, size, xp=np):
    print("numbers", x.shape)
    out = xp.empty_like(x)
    for part in blocks(len(x), size):
        print(part)
        gelu_into(x[part], out[part], xp)
    return out
