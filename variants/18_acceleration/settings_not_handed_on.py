# ---
# title: Stride and padding do not reach im2col
# kind: wrong
# base: reference
# lost: [test_conv2d_im2col]
# ---

# %% conv2d_im2col
def conv2d_im2col(images, weight, bias=None, stride=(1, 1), padding=(0, 0)):
    o, _, h, w = weight.shape
    output = weight.reshape(o, -1) @ im2col(images, (h, w))
    if bias is not None:
        output = output + bias.reshape(-1, 1)
    return output.reshape(len(images), o, *window_places(images.shape[2:], (h, w), (1, 1), (0, 0)))
