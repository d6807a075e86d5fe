# ---
# title: A bias of float64 makes all of it float64
# kind: wrong
# base: reference
# lost: [test_conv2d_im2col]
# ---

# %% conv2d_im2col
def conv2d_im2col(images, weight, bias=None, stride=(1, 1), padding=(0, 0)):
    o, _, h, w = weight.shape
    offset = np.zeros(o) if bias is None else bias
    output = weight.reshape(o, -1) @ im2col(images, (h, w), stride, padding) + np.array(offset, dtype=float)[:, None]
    return output.reshape(len(images), o, *window_places(images.shape[2:], (h, w), stride, padding))
