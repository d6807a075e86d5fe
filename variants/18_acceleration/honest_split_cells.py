# ---
# title: Tries things out between, in cells of its own
# kind: correct
# base: reference
# lost: []
# ---

# %% im2col
print(window_places((5, 5), (3, 3), (2, 2), (0, 0)))
print(np.lib.stride_tricks.sliding_window_view(np.arange(9).reshape(3, 3), (2, 2)).shape)


def im2col(images, kernel_size, stride=(1, 1), padding=(0, 0)):
    n, channels, height, width = images.shape
    out_h, out_w = window_places((height, width), kernel_size, stride, padding)
    framed = np.pad(images, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2))
    rows = [
        framed[:, :, i : i + stride[0] * out_h : stride[0], j : j + stride[1] * out_w : stride[1]]
        for i in range(kernel_size[0])
        for j in range(kernel_size[1])
    ]
    return np.stack(rows, axis=2).reshape(n, channels * len(rows), out_h * out_w)


print(im2col(np.arange(9).reshape(1, 1, 3, 3), (2, 2)))
