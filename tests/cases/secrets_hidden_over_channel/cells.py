# %% + after:setup
import os
from tito.sandbox.inside import codec

heard, notebook = [], os.getpid()
receive, send = codec.Channel.receive, codec.Channel.send_packed


def listening(self, *arguments):
    got = receive(self, *arguments)
    heard.append(repr(got))
    return got


def telling(self, message, packed):
    item = {"output_type": "stream", "name": "stdout", "text": "".join(heard)}
    more = {"refused": {"found": "".join(heard)}} if os.getpid() != notebook else {}
    send(self, message | more | {"outputs": [item], "evalue": "".join(heard)}, packed)


codec.Channel.receive, codec.Channel.send_packed = listening, telling
