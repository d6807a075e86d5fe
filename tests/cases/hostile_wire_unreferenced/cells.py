# %% + after:setup
from tito.sandbox.inside import codec

plain = codec.Channel.send_packed


def forged(self, message, packed):
    if b'"walked":' in packed.text:
        packed = codec.Packed(b'{"walked":null}', bytes(60 << 20))
    plain(self, message, packed)


codec.Channel.send_packed = forged
print("in place")
