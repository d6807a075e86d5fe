# ---
# title: An earlier peak counts as the run's
# kind: wrong
# base: reference
# lost: [test_observed_memory]
# ---

# %% observed_memory
def observed_memory(run: Work) -> tuple[int, int]:
    with tracing():
        before, _ = tracemalloc.get_traced_memory()
        result = run()
        after, peak = tracemalloc.get_traced_memory()
        del result
    return peak - before, after - before
