# ---
# title: Objects that can be called, in the place of functions
# kind: correct
# base: reference
# lost: []
# ---

# %% blocks
class Blocks:
    def __call__(self, length, size):
        if size < 1:
            raise ValueError("no block")
        return [slice(start, min(start + size, length)) for start in range(0, length, size)]


blocks = Blocks()

# %% gelu_into
class Gelu:
    cubic, scale = GELU_CUBIC, GELU_SCALE

    def __call__(self, x, out, xp=np):
        xp.multiply(x, x, out=out)
        xp.multiply(out, self.cubic * self.scale, out=out)
        xp.add(out, self.scale, out=out)
        xp.multiply(out, x, out=out)
        xp.tanh(out, out=out)
        xp.multiply(out, x, out=out)
        xp.add(out, x, out=out)
        xp.multiply(out, 0.5, out=out)


gelu_into = Gelu()
