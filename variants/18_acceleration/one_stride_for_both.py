# ---
# title: The stride down for both directions
# kind: wrong
# base: reference
# lost: [test_im2col]
# ---

# %% im2col
def im2col(images, kernel_size, stride=(1, 1), padding=(0, 0)):
    window_places(images.shape[2:], kernel_size, stride, padding)
    framed = np.pad(images, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2))
    view = np.lib.stride_tricks.sliding_window_view(framed, kernel_size, axis=(2, 3))[:, :, :: stride[0], :: stride[0]]
    return np.array(view.transpose(0, 1, 4, 5, 2, 3)).reshape(len(images), view.shape[1] * kernel_size[0] * kernel_size[1], -1)
