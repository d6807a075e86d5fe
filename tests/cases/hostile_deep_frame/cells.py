# %% + after:setup
from tito.sandbox.inside import codec

send = codec.Channel.send_packed


def forged(self, message, packed):
    import json
    deep = "[" * 900 + "]" * 900
    output = '{"output_type": "display_data", "metadata": {}, "data": {"x": ' + deep + "}}"
    text = json.dumps(message | {"outputs": "HERE"}).replace('"HERE"', f"[{output}]").encode()
    self.connection.sendall(codec.LENGTHS.pack(len(text), 2, 0) + text + b"{}")


codec.Channel.send_packed = forged
