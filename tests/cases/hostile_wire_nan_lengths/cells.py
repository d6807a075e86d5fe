# %% + after:setup
import json
from tito.sandbox.inside import codec

plain = codec.Channel.send_packed


def number(n):
    return {"t": "int", "v": f"{n:x}"}


def listed(*items):
    return {"t": "list", "v": list(items)}


RANGE = {"t": "range", "v": listed(number(0), number(10**12), number(1))}
FORGED = {"t": "array", "dtype": "<f8", "shape": [float("nan")], "scalar": False, "at": [float("nan"), float("inf")]}


def forged(self, message, packed):
    values = json.loads(packed.text)
    if "walked" in values:
        packed = codec.Packed(json.dumps(values | {'walked': FORGED}).encode(), packed.blob)
    plain(self, message, packed)


codec.Channel.send_packed = forged
print("in place")
