# ---
# title: The backward pass is taken for twice the forward pass
# kind: wrong
# base: reference
# lost: [test_time_steps]
# ---

# %% time_steps
def time_steps(step, rounds, clock=now_ms):
    times = []
    for _ in range(rounds):
        step.forget()
        start = clock()
        end = step.forward()
        times.append(clock() - start)
        step.backward(end)
    return float(np.median(times)), 2 * float(np.median(times))
