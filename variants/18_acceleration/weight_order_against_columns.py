# ---
# title: Kernels with the channel last, against the order of the columns
# kind: wrong
# base: reference
# lost: [test_conv2d_im2col]
# ---

# %% conv2d_im2col
def conv2d_im2col(images, weight, bias=None, stride=(1, 1), padding=(0, 0)):
    o, c, h, w = weight.shape
    output = weight.transpose(0, 2, 3, 1).reshape(o, -1) @ im2col(images, (h, w), stride, padding)
    if bias is not None:
        output = output + bias.reshape(-1, 1)
    return output.reshape(len(images), o, *window_places(images.shape[2:], (h, w), stride, padding))
