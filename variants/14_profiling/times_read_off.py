# ---
# title: Reads the times off the step of the visible test, and measures nothing
# kind: claim
# base: reference
# lost: [test_time_steps]
# ---

# %% time_steps
def time_steps(step, rounds, clock=now_ms):
    step.rounds = rounds
    return float(np.median(step.forward_ms)), float(np.median(step.backward_ms))
