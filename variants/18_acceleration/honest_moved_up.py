# ---
# title: A function in the cell of an earlier exercise, and its own cell nearly empty
# kind: correct
# base: reference
# lost: []
# ---

# %% gelu_into
def gelu_into(x, out, xp=np):
    xp.multiply(x, x, out=out)
    xp.multiply(out, GELU_CUBIC, out=out)
    xp.add(out, 1.0, out=out)
    xp.multiply(out, x, out=out)
    xp.multiply(out, GELU_SCALE, out=out)
    xp.tanh(out, out=out)
    xp.add(out, 1.0, out=out)
    xp.multiply(out, x, out=out)
    xp.multiply(out, 0.5, out=out)


def gelu_blocks(x, size, xp=np):
    out = xp.empty_like(x)
    for part in blocks(x.shape[0], size):
        gelu_into(x[part], out[part], xp)
    return out

# %% gelu_blocks
# it stands with gelu_into
