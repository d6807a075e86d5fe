# ---
# title: Match statements, walrus, chained comparisons
# kind: correct
# base: reference
# lost: []
# ---

# %% layer_cost
def layer_cost(model, input_shape):
    match parts_of(model), rule_of(model):
        case None, None:
            raise TypeError(f"what does {type(model).__name__} cost?")
        case None, rule:
            return rule(model, input_shape)
        case [], _:
            return Cost(0, 0, input_shape)
        case [*before, last], _:
            start = layer_cost(type("Model", (), {"layers": before})(), input_shape)
            end = layer_cost(last, start.output_shape)
            return Cost(start.flops + end.flops, start.traffic + end.traffic, end.output_shape)

# %% run_times
def run_times(run, warmup, iterations, clock=now_ms):
    match iterations, warmup:
        case (0, _):
            raise ValueError("nothing to time")
        ### EQUIVALENT ef32577a by runs: no runs at all are refused above
        ### EQUIVALENT 7396c67c by runs: no runs at all are refused above
        case (many, few) if many < 0 or few < 0:
            raise ValueError("less than no runs")
    left, times = warmup, []
    while len(times) < iterations:
        begin = clock()
        run()
        if (left := left - 1) < 0:
            times.append(clock() - begin)
    return times
