# %% + after:setup
from tito.sandbox.inside import codec

send = codec.Channel.send_packed


def forged(self, message, packed):
    flood = [{"output_type": "stream", "name": "stdout", "text": "x" * 3_000_000}]
    send(self, message | {"outputs": flood}, packed)


codec.Channel.send_packed = forged
