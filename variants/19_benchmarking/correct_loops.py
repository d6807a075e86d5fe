# ---
# title: Everything in plain loops, without numpy
# kind: correct
# base: reference
# lost: []
# ---

# %% calibrate_loops
def calibrate_loops(run, shortest_ms, clock=now_ms, most=2**20):
    power = 0
    while 2**power <= most:
        before = clock()
        done = 0
        while done < 2**power:
            run()
            done += 1
        after = clock()
        if not after - before < shortest_ms:
            return 2**power
        power += 1
    raise ValueError("too short")

# %% interleaved_times
def interleaved_times(runs, rounds, clock=now_ms):
    if len(runs) == 0:
        raise ValueError("no runs")
    if rounds <= 0:
        raise ValueError("no rounds")
    times, results = {}, {}
    for name in runs:
        times[name] = []
    for number in range(rounds):
        names = list(runs.keys())
        if number % 2 == 1:
            names = names[::-1]
        for name in names:
            before = clock()
            output = runs[name]()
            after = clock()
            times[name].append(after - before)
            results[name] = output
    return times, results

# %% warmup_length
def middle_of(numbers):
    ordered = sorted(numbers)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def warmup_length(times, tick_ms=0.0):
    if len(times) < 12:
        raise ValueError("too few")
    half = len(times) // 2
    steady = middle_of(times[half:])
    spread = middle_of([abs(ms - steady) for ms in times[half:]])
    if spread < tick_ms:
        spread = tick_ms
    in_a_row = 0
    for place in range(half):
        in_a_row = in_a_row + 1 if abs(times[place] - steady) <= 5 * spread else 0
        if in_a_row == 3:
            return place - 2
    return None

# %% mean_interval
def mean_interval(values, confidence=0.95):
    n = len(values)
    if n <= 1:
        raise ValueError("too few")
    mean = sum(values) / n
    squares = 0.0
    for value in values:
        squares += (value - mean) ** 2
    half = t_quantile(confidence, n - 1) * (squares / (n - 1) / n) ** 0.5
    return mean - half, mean + half

# %% percentile
def percentile(times, percent, beyond=5):
    n = len(times)
    if n == 0 or percent <= 0 or percent >= 100:
        raise ValueError("no percentile")
    for rank in range(1, n + 1):
        if rank * 100 >= percent * n:
            break
    if n - rank < beyond:
        raise ValueError("too few")
    return sorted(times)[rank - 1]

# %% pareto_frontier
def dominates(first, second, lower_is_better):
    better = False
    for a, b, low in zip(first, second, lower_is_better):
        if a == b:
            continue
        if (a < b) != bool(low):
            return False
        better = True
    return better


def pareto_frontier(points, lower_is_better):
    points = [list(point) for point in points] if all(hasattr(point, "__len__") for point in points) else []
    if not points:
        raise ValueError("no points")
    for point in points:
        if len(point) != len(lower_is_better) or any(figure != figure for figure in point):
            raise ValueError("no figures")
    front = []
    for place, point in enumerate(points):
        for other in points:
            if dominates(other, point, lower_is_better):
                break
        else:
            front.append(place)
    return front

# %% improvements
def improvements(base, other):
    if sorted(base) != sorted(other):
        raise ValueError("other names")
    factors = {}
    for name in base:
        if not (base[name] > 0 and other[name] > 0):
            raise ValueError("no figure")
        if name == "accuracy":
            factors["accuracy_retention"] = other[name] / base[name]
        else:
            factors[name + "_speedup"] = base[name] / other[name]
    return factors

# %% caveats
def caveats(times, warmup, tick_ms=0.0):
    words = []
    if warmup is None:
        words.append("not settled")
        warmup = 0
    left = [ms for place, ms in enumerate(times) if place >= warmup]
    if not left:
        raise ValueError("nothing left")
    if len(left) < 20:
        words.append("few runs")
    summary = summarize_times(left)
    if tick_ms * 100 > summary["median_ms"]:
        words.append("coarse clock")
    if 20 * summary["outliers"] > len(left):
        words.append("outliers")
    if len(left) > 1:
        half = len(left) // 2
        first, second = summarize_times(left[:half]), summarize_times(left[half:])
        room = max(first["spread_ms"], tick_ms) + max(second["spread_ms"], tick_ms)
        if abs(second["median_ms"] - first["median_ms"]) > room:
            words.append("drift")
    return words
