# %% + after:test_total
from tito.sandbox.inside import codec

plain = codec.Encoder._array
codec.Encoder._array = lambda self, value: plain(self, value) | {
    "shape": [1_000_000_000], "dtype": "|S0", "at": [0, 0], "scalar": False
}
