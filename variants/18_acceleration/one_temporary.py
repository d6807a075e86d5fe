# ---
# title: A single temporary
# kind: wrong
# base: reference
# lost: [test_gelu_into]
# ---

# %% gelu_into
def gelu_into(x, out, xp=np):
    cube = xp.multiply(x, x)
    xp.multiply(cube, GELU_CUBIC, out=cube)
    xp.add(cube, 1.0, out=cube)
    xp.multiply(cube, GELU_SCALE, out=cube)
    xp.multiply(cube, x, out=cube)
    xp.tanh(cube, out=cube)
    xp.add(cube, 1.0, out=cube)
    xp.multiply(cube, 0.5, out=cube)
    xp.multiply(cube, x, out=out)
