# ---
# title: Rows in the order of pixels, then channels
# kind: wrong
# base: reference
# lost: [test_im2col]
# ---

# %% im2col
def im2col(images, kernel_size, stride=(1, 1), padding=(0, 0)):
    n, channels, height, width = images.shape
    places = window_places((height, width), kernel_size, stride, padding)
    framed = np.pad(images, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2))
    rows = [
        framed[:, :, i :: stride[0], j :: stride[1]][:, :, : places[0], : places[1]].reshape(n, channels, -1)
        for i in range(kernel_size[0])
        for j in range(kernel_size[1])
    ]
    return np.concatenate(rows, axis=1)
