# ---
# title: Measures until it likes the result
# kind: endless
# base: reference
# lost: [test_calibrate_loops]
# ---

# %% calibrate_loops
def calibrate_loops(run, shortest_ms, clock=now_ms, most=2**20):
    loops = 1
    while True:
        start = clock()
        for _ in range(loops):
            run()
        if clock() - start >= shortest_ms:
            return loops
