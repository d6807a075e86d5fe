# ---
# title: Calls itself for the next number of repetitions and the next place
# kind: correct
# base: reference
# lost: []
# ---

# %% calibrate_loops
def calibrate_loops(run, shortest_ms, clock=now_ms, most=2**20, loops=1):
    if loops > most:
        raise ValueError("nothing is done")
    start = clock()
    for _ in range(loops):
        run()
    if clock() - start >= shortest_ms:
        return loops
    return calibrate_loops(run, shortest_ms, clock, most, 2 * loops)
