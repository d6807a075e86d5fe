# %% + after:setup
from tito.sandbox import codec

plain = codec.Channel.send_packed


def forged(self, message, packed):
    if "walked" in packed.encoded:
        packed = codec.Packed({"walked": None}, bytes(60 << 20))
    plain(self, message, packed)


codec.Channel.send_packed = forged
print("in place")
