# ---
# title: 'Powers by repeated addition: right, and in many passes'
# kind: wrong
# base: reference
# lost: [test_gelu_into]
# ---

# %% gelu_into
def gelu_into(x, out, xp=np):
    xp.multiply(x, x, out=out)
    xp.multiply(out, GELU_CUBIC / 4, out=out)
    xp.add(out, 0.25, out=out)
    for _ in range(2):
        xp.add(out, out, out=out)
    for factor in (2.0, 2.0, 0.25):
        xp.multiply(out, factor, out=out)
    xp.multiply(out, x, out=out)
    xp.multiply(out, GELU_SCALE, out=out)
    xp.tanh(out, out=out)
    xp.add(out, 1.0, out=out)
    xp.multiply(out, x, out=out)
    xp.multiply(out, 0.5, out=out)
