# ---
# title: The size is divided by the stride, and the window forgotten, as a public profiler does
# kind: wrong
# base: reference
# lost: [test_window_places]
# ---

# %% window_places
def window_places(size, window, stride, padding):
    return size[0] // stride[0], size[1] // stride[1]
