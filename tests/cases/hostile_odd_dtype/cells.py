# %% + after:test_total
from tito.sandbox.inside import codec


def encode(self, value, depth=0):
    return {"t": "array", "dtype": "(1,f8", "shape": [], "scalar": False, "at": [0, 0]}


codec.Encoder.encode = encode
