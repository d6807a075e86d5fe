# %% + after:setup
import json
from tito.sandbox.inside import codec

plain = codec.Channel.send_packed
names = get_ipython().user_ns


HIDDEN = ("once", "twice", "many", "remainders", "distance", "smooth", "long", "read", "zebra" + "fish")


def claim(name, value):
    if name not in HIDDEN:
        return value
    if isinstance(value, list | str):
        return value[::-1]
    return dict(list(value.items())[:-1]) if isinstance(value, dict) else -value


def forged(self, message, packed):
    seen = {name: claim(name, names.get(name)) for name in json.loads(packed.text)}
    plain(self, message, codec.pack(seen) if seen else packed)


codec.Channel.send_packed = forged
print("in place")
