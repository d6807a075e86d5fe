# ---
# title: Static methods of a class, bound to the names
# kind: correct
# base: reference
# lost: []
# ---

# %% interleaved_times
class Stopwatch:
    @staticmethod
    def reading(run, clock):
        start = clock()
        result = run()
        return clock() - start, result

    @staticmethod
    def in_turns(runs, rounds, clock=now_ms):
        if rounds < 1 or len(runs) < 1:
            raise ValueError("nothing")
        times, results = {}, {}
        for number in range(rounds):
            names = sorted(runs, key=list(runs).index, reverse=number % 2 == 1)
            for name in names:
                taken, results[name] = Stopwatch.reading(runs[name], clock)
                times.setdefault(name, []).append(taken)
        return times, results


interleaved_times = Stopwatch.in_turns
