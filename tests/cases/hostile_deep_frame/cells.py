# %% + after:setup
from tito.sandbox import codec

send = codec.Channel.send_packed


def forged(self, message, packed):
    import json
    deep = "[" * 900 + "]" * 900
    output = '{"output_type": "display_data", "metadata": {}, "data": {"x": ' + deep + "}}"
    text = json.dumps({"message": message | {"outputs": "HERE"}, "values": {}}).replace('"HERE"', f"[{output}]")
    self.connection.sendall(codec.LENGTHS.pack(len(text), 0) + text.encode())


codec.Channel.send_packed = forged
