# ---
# title: Decorators that check what is handed over
# kind: correct
# base: reference
# lost: []
# ---

# %% bootstrap_interval
import functools


def needs(count):
    def decorate(function):
        @functools.wraps(function)
        def checked(values, *rest, **options):
            if len(values) < count:
                raise ValueError(f"{count} are needed")
            return function(values, *rest, **options)

        return checked

    return decorate


@needs(2)
def bootstrap_interval(values, statistic=np.median, confidence=0.95, resamples=1000, seed=0):
    rng = np.random.default_rng(seed)
    repeats = np.array([statistic(rng.choice(values, size=len(values), replace=True)) for _ in range(resamples)])
    return tuple(float(end) for end in np.quantile(repeats, np.array([0.5, 0.5]) + np.array([-0.5, 0.5]) * confidence))
