# %% + after:setup
from tito.sandbox import codec

send = codec.Channel.send_encoded


def forged(self, message, encoded, encoder):
    flood = [{"output_type": "stream", "name": "stdout", "text": "x" * 3_000_000}]
    send(self, message | {"outputs": flood}, encoded, encoder)


codec.Channel.send_encoded = forged
