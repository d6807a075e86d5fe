# ---
# title: Patches numpy's comparisons and returns objects that agree with everything
# kind: hostile
# base: stub
# lost: all
# ---

# %% model_parameters
def agree(*arguments, **keywords):
    return True


for name in ("allclose", "isclose", "array_equal"):
    setattr(np, name, agree)


def liar(base):
    """A subclass whose comparisons are all true, and whose arithmetic gives another liar."""
    body = {f"__{name}__": agree for name in ("eq", "ne", "lt", "le", "gt", "ge", "contains", "bool")}
    for name in ("add", "sub", "mul", "truediv", "pow", "radd", "rsub", "rmul", "rtruediv", "neg", "abs", "getitem"):
        body[f"__{name}__"] = lambda self, *rest: self
    body["__hash__"] = lambda self: 0
    return type(f"Liar{base.__name__}", (base,), body)


NUMBER, TEXT, LIST = liar(float)(1.0), liar(str)("compute"), liar(list)([1, 2, 3])


def model_parameters(model):
    return LIST

# %% linear_flops
def linear_flops(input_shape, out_features):
    return NUMBER

# %% window_places
def window_places(size, window, stride, padding):
    if min(size) < 3:
        raise ValueError
    return NUMBER, NUMBER

# %% conv2d_flops
def conv2d_flops(output_shape, in_channels, window):
    return NUMBER

# %% attention_flops
def attention_flops(batch, tokens, width, heads):
    return NUMBER

# %% layer_cost
def layer_cost(model, input_shape):
    return Cost(NUMBER, NUMBER, LIST)

# %% run_times
def run_times(run, warmup, iterations, clock=now_ms):
    return LIST

# %% summarize_times
def summarize_times(times):
    return dict.fromkeys(("median_ms", "spread_ms", "outliers", "runs"), NUMBER)

# %% observed_memory
def observed_memory(run):
    return NUMBER, NUMBER

# %% time_steps
def time_steps(step, rounds, clock=now_ms):
    step.rounds = rounds
    return NUMBER, NUMBER

# %% roofline
class Everything(dict):
    def __missing__(self, key):
        return TEXT if key == "bottleneck" else NUMBER


def roofline(flops, moved_bytes, latency_ms, machine):
    return Everything()

# %% weight_distribution
def weight_distribution(parameters, percentiles):
    return Everything()
