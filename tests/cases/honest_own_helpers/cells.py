# %% + after:setup
def add_up(values, start=0.0):
    for value in values:
        start = start + value
    return start


class Walk:
    def __init__(self):
        self.at = 0.0

    def step(self, value):
        self.at += value
        return float(self.at)

# %% total
def total(values):
    return float(add_up(values))

# %% running
def running(values):
    walk = Walk()
    return [walk.step(value) for value in values]
