# ---
# title: Columns in numpy's own float64
# kind: wrong
# base: reference
# lost: [test_im2col]
# ---

# %% im2col
def im2col(images, kernel_size, stride=(1, 1), padding=(0, 0)):
    places = window_places(images.shape[2:], kernel_size, stride, padding)
    framed = np.pad(images, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2))
    columns = np.zeros((len(images), images.shape[1], *kernel_size, *places))
    for i, j in np.ndindex(*kernel_size):
        columns[:, :, i, j] = framed[:, :, i :: stride[0], j :: stride[1]][:, :, : places[0], : places[1]]
    return columns.reshape(len(images), -1, places[0] * places[1])
