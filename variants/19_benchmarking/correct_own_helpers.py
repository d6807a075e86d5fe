# ---
# title: Small helpers of its own, defined where they are first used
# kind: correct
# base: reference
# lost: []
# ---

# %% precise_timer
def milliseconds_since(clock, start):
    return clock() - start


@contextmanager
def precise_timer(clock=now_ms):
    timer, start = Timer(), clock()
    try:
        yield timer
    except BaseException:
        raise
    else:
        timer.elapsed = milliseconds_since(clock, start) / 1e3

# %% calibrate_loops
def reading_of(run, loops, clock):
    start = clock()
    for _ in range(loops):
        run()
    return milliseconds_since(clock, start)


def calibrate_loops(run, shortest_ms, clock=now_ms, most=2**20):
    loops = 1
    while reading_of(run, loops, clock) < shortest_ms:
        loops *= 2
        if loops > most:
            raise ValueError("never long enough")
    return loops

# %% interleaved_times
def there_and_back(names, rounds):
    for turn in range(rounds):
        yield from names if turn % 2 == 0 else reversed(names)


def interleaved_times(runs, rounds, clock=now_ms):
    if not runs or rounds < 1:
        raise ValueError("nothing to time")
    times, results = {name: [] for name in runs}, dict.fromkeys(runs)
    for name in there_and_back(list(runs), rounds):
        work = runs[name]
        start = clock()
        answer = work()
        stop = clock()
        times[name].append(stop - start)
        results[name] = answer
    return times, results

# %% warmup_length
def centre_and_spread(numbers):
    centre = np.median(numbers)
    return centre, np.median(np.abs(np.subtract(numbers, centre)))


def warmup_length(times, tick_ms=0.0):
    if len(times) < 12:
        raise ValueError("fewer than 12")
    early, late = np.split(np.asarray(times), [len(times) // 2])
    centre, spread = centre_and_spread(late)
    near = "".join("x" if abs(ms - centre) <= 5 * max(spread, tick_ms) else "." for ms in early)
    place = near.find("xxx")
    return None if place < 0 else place

# %% compare_times
def verdict_on(low, high):
    if low > 1:
        return "faster"
    return "slower" if high < 1 else "cannot tell"


def compare_times(base, other, confidence=0.95):
    if len(base) != len(other) or not all(ms > 0 for row in (base, other) for ms in row):
        raise ValueError("pairs of times are needed")
    ratios = [a / b for a, b in zip(base, other, strict=True)]
    low, high = bootstrap_interval(ratios, np.median, confidence)
    return {"speedup": float(np.median(ratios)), "low": low, "high": high, "verdict": verdict_on(low, high)}

# %% pareto_frontier
def as_costs(points, lower_is_better):
    rows = [tuple(map(float, row)) for row in points]
    if not rows or {len(row) for row in rows} != {len(lower_is_better)} or np.isnan(np.concatenate(rows)).any():
        raise ValueError("points are rows of numbers")
    return [tuple(figure if low else -figure for figure, low in zip(row, lower_is_better)) for row in rows]


def pareto_frontier(points, lower_is_better):
    try:
        costs = as_costs(points, lower_is_better)
    except TypeError as error:
        raise ValueError("points are rows of numbers") from error
    return [
        place for place, row in enumerate(costs)
        if not any(other != row and all(map(lambda a, b: a <= b, other, row)) for other in costs)
    ]

# %% caveats
def farther_apart_than_their_spreads(first, second, tick_ms):
    (centre, spread), (other_centre, other_spread) = centre_and_spread(first), centre_and_spread(second)
    return abs(centre - other_centre) > max(spread, tick_ms) + max(other_spread, tick_ms)


def caveats(times, warmup, tick_ms=0.0):
    runs = list(times)[0 if warmup is None else warmup :]
    if len(runs) == 0:
        raise ValueError("no runs left")
    whole, half, words = summarize_times(runs), len(runs) // 2, []
    words += ["not settled"] * (warmup is None)
    words += ["few runs"] * (len(runs) < 20)
    words += ["coarse clock"] * bool(tick_ms / whole["median_ms"] > 0.01)
    words += ["outliers"] * bool(whole["outliers"] / len(runs) > 0.05)
    words += ["drift"] * bool(half and farther_apart_than_their_spreads(runs[:half], runs[half:], tick_ms))
    return words
