# ---
# title: Old gradients stay there
# kind: wrong
# base: reference
# lost: [test_time_steps]
# ---

# %% time_steps
def time_steps(step: TrainingStep, rounds: int, clock: Clock = now_ms) -> tuple[float, float]:
    forward_times, backward_times = [], []
    for _ in range(rounds):
        start = clock()
        end = step.forward()
        forward_times.append(clock() - start)
        start = clock()
        step.backward(end)
        backward_times.append(clock() - start)
    return float(np.median(forward_times)), float(np.median(backward_times))
