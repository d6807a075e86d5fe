# ---
# title: '"Fused": a temporary for each step, and only the last goes into out'
# kind: wrong
# base: reference
# lost: [test_gelu_into]
# ---

# %% gelu_into
def gelu_into(x, out, xp=np):
    cube = xp.multiply(xp.multiply(x, x), x)
    inner = xp.add(x, xp.multiply(cube, GELU_CUBIC))
    bent = xp.tanh(xp.multiply(inner, GELU_SCALE))
    xp.multiply(xp.multiply(x, 0.5), xp.add(bent, 1.0), out=out)
