# ---
# title: Windows that do not fit give no columns, and no error
# kind: wrong
# base: reference
# lost: [test_im2col]
# ---

# %% im2col
def im2col(images, kernel_size, stride=(1, 1), padding=(0, 0)):
    n, channels, height, width = images.shape
    framed = np.pad(images, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2))
    down = range(0, height + 2 * padding[0] - kernel_size[0] + 1, stride[0])
    across = range(0, width + 2 * padding[1] - kernel_size[1] + 1, stride[1])
    columns = np.empty((n, channels * kernel_size[0] * kernel_size[1], len(down) * len(across)), dtype=images.dtype)
    for place, (row, column) in enumerate((row, column) for row in down for column in across):
        window = framed[:, :, row : row + kernel_size[0], column : column + kernel_size[1]]
        columns[:, :, place] = window.reshape(n, -1)
    return columns
