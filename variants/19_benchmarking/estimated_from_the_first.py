# ---
# title: Works the number out from the first run alone
# kind: wrong
# base: reference
# lost: [test_calibrate_loops]
# ---

# %% calibrate_loops
def calibrate_loops(run: Work, shortest_ms: float, clock: Clock = now_ms, most: int = 2**20) -> int:
    start = clock()
    run()
    first = clock() - start
    if first <= 0:
        raise ValueError("too short")
    loops = 1
    while loops * first < shortest_ms:
        loops *= 2
    return loops
    while loops <= most:
        start = clock()
        for _ in range(loops):
            run()
        if clock() - start >= shortest_ms:
            return loops
        loops *= 2
    raise ValueError(f"{most} repetitions take less than {shortest_ms} ms: is anything computed at all?")
