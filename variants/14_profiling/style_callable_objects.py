# ---
# title: Objects that are called, in place of functions
# kind: correct
# base: reference
# lost: []
# ---

# %% linear_flops
class LinearCount:
    per_multiply_add = 2

    def __call__(self, input_shape, out_features):
        return self.per_multiply_add * prod([*input_shape, out_features])


linear_flops = LinearCount()

# %% summarize_times
class Median:
    def __init__(self, of=lambda value: value):
        self.of = of

    def __call__(self, values):
        return float(np.median([self.of(value) for value in values]))


class Summarizer:
    far = 5

    def __call__(self, times):
        if not len(times):
            raise ValueError("no times")
        median = Median()(times)
        ### EQUIVALENT 023e1a61 by times: the distance of two numbers has no direction
        spread = Median(lambda value: abs(value - median))(times)
        ### EQUIVALENT ff948368 by times: the distance of two numbers has no direction
        outliers = [value for value in times if abs(value - median) > self.far * spread]
        return {"runs": len(times), "outliers": len(outliers), "median_ms": median, "spread_ms": spread}


summarize_times = Summarizer()
