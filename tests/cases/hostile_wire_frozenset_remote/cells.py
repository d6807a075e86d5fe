# %% + after:setup
from tito.sandbox import codec

plain = codec.Channel.send_packed


def number(n):
    return {"t": "int", "v": f"{n:x}"}


def listed(*items):
    return {"t": "list", "v": list(items)}


RANGE = {"t": "range", "v": listed(number(0), number(10**12), number(1))}
FORGED = {"t": "frozenset", "v": RANGE}


def forged(self, message, packed):
    if "value" in packed.encoded and message.get("status") == "value" and type(packed.encoded["value"]) is dict and packed.encoded["value"].get("t") in ("int", "float"):
        packed = codec.Packed(packed.encoded | {'value': FORGED}, packed.blob)
    plain(self, message, packed)


codec.Channel.send_packed = forged
print("in place")
