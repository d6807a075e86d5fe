# ---
# title: Works in x, which is lost
# kind: wrong
# base: reference
# lost: [test_gelu_into]
# ---

# %% gelu_into
def gelu_into(x, out, xp=np):
    xp.multiply(x, x, out=out)
    xp.multiply(out, GELU_CUBIC * GELU_SCALE, out=out)
    xp.add(out, GELU_SCALE, out=out)
    xp.multiply(out, x, out=out)
    xp.tanh(out, out=out)
    xp.add(out, 1.0, out=out)
    xp.multiply(x, 0.5, out=x)
    xp.multiply(out, x, out=out)
