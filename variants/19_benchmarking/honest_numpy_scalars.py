# ---
# title: Gives numpy's scalars and tuples where Python's would do
# kind: correct
# base: reference
# lost: []
# ---

# %% calibrate_loops
def calibrate_loops(run, shortest_ms, clock=now_ms, most=2**20):
    loops = np.int64(1)
    while loops <= most:
        start = np.float64(clock())
        for _ in range(loops):
            run()
        if np.float64(clock()) - start >= shortest_ms:
            return int(loops)
        loops = loops * np.int64(2)
    raise ValueError("too short")
