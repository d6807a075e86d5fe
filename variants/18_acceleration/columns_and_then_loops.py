# ---
# title: Columns, and then a sum for each number of the output
# kind: wrong
# base: reference
# lost: [test_conv2d_im2col]
# ---

# %% conv2d_im2col
def conv2d_im2col(images, weight, bias=None, stride=(1, 1), padding=(0, 0)):
    o, _, h, w = weight.shape
    columns = im2col(images, (h, w), stride, padding)
    places = window_places(images.shape[2:], (h, w), stride, padding)
    output = np.zeros((len(images), o, places[0] * places[1]), dtype=np.float32)
    for image, kernel, place in np.ndindex(output.shape):
        output[image, kernel, place] = np.sum(columns[image, :, place] * weight[kernel].ravel())
        if bias is not None:
            output[image, kernel, place] += bias[kernel]
    return output.reshape(len(images), o, *places)
