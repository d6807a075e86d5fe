# ---
# title: The result is let go before the reading
# kind: wrong
# base: reference
# lost: [test_observed_memory]
# ---

# %% observed_memory
def observed_memory(run: Work) -> tuple[int, int]:
    with tracing():
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        run()
        after, peak = tracemalloc.get_traced_memory()
    return peak - before, after - before
