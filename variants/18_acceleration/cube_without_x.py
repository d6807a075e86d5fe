# ---
# title: The cube, and x itself is forgotten
# kind: wrong
# base: reference
# lost: [test_gelu_into]
# ---

# %% gelu_into
def gelu_into(x, out, xp=np):
    xp.multiply(x, x, out=out)
    xp.multiply(out, x, out=out)
    xp.multiply(out, GELU_CUBIC * GELU_SCALE, out=out)
    xp.tanh(out, out=out)
    xp.add(out, 1.0, out=out)
    xp.multiply(out, x, out=out)
    xp.multiply(out, 0.5, out=out)
