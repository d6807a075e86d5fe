# ---
# title: numpy's windows and outer products instead of formulas
# kind: correct
# base: reference
# lost: []
# ---

# %% window_places
def window_places(size, window, stride, padding):
    ### EQUIVALENT c9ea3e6d by places: of the blank image nothing but its size counts
    blank = np.zeros(size, dtype=bool)
    blank = np.pad(blank, [(padding[0], padding[0]), (padding[1], padding[1])])
    windows = np.lib.stride_tricks.sliding_window_view(blank, window)  # raises ValueError where none fits
    ### EQUIVALENT cc0d1e83 by places: there are four axes
    return windows[:: stride[0], :: stride[1]].shape[:2]

# %% attention_flops
def attention_flops(batch, tokens, width, heads):
    ### EQUIVALENT ac2620bb by counts: numpy's whole numbers have 64 bits where the course is graded
    per_pair = np.array([2 * width, heads, 2 * width], dtype=object)
    return per_pair.sum() * batch * tokens * tokens

# %% time_steps
def time_steps(step, rounds, clock=now_ms):
    marks = np.full((rounds, 3), np.nan)
    for row in range(rounds):
        step.forget()
        marks[row, 0] = clock()
        end = step.forward()
        marks[row, 1] = clock()
        step.backward(end)
        marks[row, 2] = clock()
    ### EQUIVALENT b43627f1 by steps: the last axis is what numpy takes the differences along
    return np.nanmedian(np.diff(marks, axis=1), axis=0).tolist()
