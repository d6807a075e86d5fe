# ---
# title: Keeps notes in global variables, nests functions, asserts its input
# kind: correct
# base: reference
# lost: []
# ---

# %% run_times
HISTORY = []


def run_times(run, warmup, iterations, clock=now_ms):
    global HISTORY
    if not isinstance(iterations, int) or iterations < 1 or warmup < 0:
        raise ValueError("iterations must be 1 or more, warmup 0 or more")

    def once():
        begin = clock()
        run()
        return clock() - begin

    for _ in range(warmup):
        run()
    HISTORY = [once() for _ in range(iterations)]
    ### EQUIVALENT 624878f9 by runs: each call has a list of its own
    return list(HISTORY)

# %% linear_flops
CALLS = []


def linear_flops(input_shape, out_features):
    ### EQUIVALENT 1de20024 by counts: an input has an axis
    ### EQUIVALENT 77a043f5 by counts: an input has an axis
    assert len(input_shape) > 0
    ### EQUIVALENT b9dc0a8a by counts: notes that nobody reads
    CALLS.append(input_shape)
    *front, last = input_shape
    ### EQUIVALENT 38469068 by counts: of one number sum and maximum are the same
    return sum((last + last) * out_features for _ in range(1)) * prod(front)
