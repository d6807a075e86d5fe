# ---
# title: Keeps what the first run returned
# kind: wrong
# base: reference
# lost: [test_interleaved_times]
# ---

# %% interleaved_times
def interleaved_times(
    runs: Mapping[str, Work], rounds: int, clock: Clock = now_ms
) -> tuple[dict[str, list[float]], dict[str, Any]]:
    order = list(runs)
    if rounds < 1 or not order:
        raise ValueError(f"needs at least one run and one round, got {len(order)} and {rounds}")
    times: dict[str, list[float]] = {name: [] for name in order}
    results: dict[str, Any] = {}
    for _ in range(rounds):
        for name in order:
            start = clock()
            result = runs[name]()
            times[name].append(clock() - start)
            results.setdefault(name, result)
        order.reverse()
    return times, results
