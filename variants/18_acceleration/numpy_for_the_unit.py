# ---
# title: numpy, whatever is to compute
# kind: wrong
# base: reference
# lost: [test_gelu_into]
# ---

# %% gelu_into
def gelu_into(x, out, xp=np):
    np.multiply(x, x, out=out)
    np.multiply(out, GELU_CUBIC, out=out)
    np.add(out, 1.0, out=out)
    np.multiply(out, x, out=out)
    np.multiply(out, GELU_SCALE, out=out)
    np.tanh(out, out=out)
    np.add(out, 1.0, out=out)
    np.multiply(out, x, out=out)
    np.multiply(out, 0.5, out=out)
