# ---
# title: A class as a drawer for functions, which are taken out of it at the end
# kind: correct
# base: reference
# lost: []
# ---

# %% attention_flops
class Count:
    MULTIPLY_ADD = 2

    @staticmethod
    def softmax(batch, tokens, heads):
        return batch * heads * tokens**2

    @classmethod
    def product(cls, rows, inner, columns):
        return cls.MULTIPLY_ADD * rows * inner * columns

    @classmethod
    def attention(cls, batch, tokens, width, heads):
        ### EQUIVALENT ec786b12 by counts: a product has no order
        ### EQUIVALENT 9a1c63c4 by counts: a product has no order
        both = 2 * cls.product(tokens, width, tokens) * batch
        return both + cls.softmax(batch, tokens, heads)


attention_flops = Count.attention

# %% time_steps
class Watch:
    def __init__(self, clock):
        self.clock, self.laps = clock, {"forward": [], "backward": []}

    def lap(self, name, work, *arguments):
        start = self.clock()
        result = work(*arguments)
        self.laps[name].append(self.clock() - start)
        return result

    @staticmethod
    def steps(step, rounds, clock=now_ms):
        watch = Watch(clock)
        for _ in range(rounds):
            step.forget()
            watch.lap("backward", step.backward, watch.lap("forward", step.forward))
        return tuple(float(np.median(laps)) for laps in watch.laps.values())


time_steps = Watch.steps
