# ---
# title: Hands out a view of the image where it can
# kind: wrong
# base: reference
# lost: [test_im2col]
# ---

# %% im2col
def im2col(images, kernel_size, stride=(1, 1), padding=(0, 0)):
    return SlidingWindow(kernel_size, stride, padding).unfold(images)
