# %% + after:setup
import json
from tito.sandbox import codec

plain = codec.Channel.send_packed


def forged(self, message, packed):
    if "walked" not in packed.encoded:
        return plain(self, message, packed)
    frame = {"message": message, "values": {"walked": "é" * 1_200_000}}
    data = json.dumps(frame, ensure_ascii=False).encode()
    self.connection.sendall(codec.LENGTHS.pack(len(data), 0) + data)


codec.Channel.send_packed = forged
print("in place")
