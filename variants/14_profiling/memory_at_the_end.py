# ---
# title: What is in use at the end is taken for the peak
# kind: wrong
# base: reference
# lost: [test_observed_memory]
# ---

# %% observed_memory
def observed_memory(run: Work) -> tuple[int, int]:
    with tracing():
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        result = run()
        after, _ = tracemalloc.get_traced_memory()
        del result
    return after - before, after - before
