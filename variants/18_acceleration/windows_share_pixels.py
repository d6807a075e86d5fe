# ---
# title: Strided windows that share pixels, and writes into the image
# kind: wrong
# base: reference
# lost: [test_im2col]
# ---

# %% im2col
def im2col(images, kernel_size, stride=(1, 1), padding=(0, 0)):
    n, channels, height, width = images.shape
    window_places((height, width), kernel_size, stride, padding)
    if padding != (0, 0):
        images = np.pad(images, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2))
    view = np.lib.stride_tricks.sliding_window_view(images, kernel_size, axis=(2, 3), writeable=True)
    view = view[:, :, :: stride[0], :: stride[1]].transpose(0, 1, 4, 5, 2, 3)
    if kernel_size == (1, 1) and stride == (1, 1):
        return view.reshape(n, channels, -1)
    columns = view.reshape(n, channels * kernel_size[0] * kernel_size[1], -1)
    view[...] = 0  # "free" the windows again
    return columns
