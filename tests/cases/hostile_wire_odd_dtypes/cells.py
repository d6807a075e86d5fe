# %% + after:setup
import json
from tito.sandbox.inside import codec

plain = codec.Channel.send_packed


def number(n):
    return {"t": "int", "v": f"{n:x}"}


def listed(*items):
    return {"t": "list", "v": list(items)}


RANGE = {"t": "range", "v": listed(number(0), number(10**12), number(1))}
FORGED = listed(
    *({"t": "array", "dtype": dtype, "shape": [1], "scalar": False, "at": [0, 8]}
      for dtype in ("O", "V8", "M8[s]", "m8[9223372036854775807ns]", "U1073741823", "f8,f8", "(1000000,1000000)f8", "\ud800"))
)


def forged(self, message, packed):
    values = json.loads(packed.text)
    if "walked" in values:
        packed = codec.Packed(json.dumps(values | {'walked': FORGED}).encode(), packed.blob)
    plain(self, message, packed)


codec.Channel.send_packed = forged
print("in place")
