# %% + after:setup
from tito.sandbox.inside import codec

send = codec.Channel.send_packed


def forged(self, message, packed):
    odd = {"seconds": float("nan"), "ename": {"a": 1}, "evalue": ["\ud800"], "status": "error", "refused": [1, 2]}
    odd["outputs"] = [7, None, {}, {"output_type": 3}, {"output_type": "stream", "name": 5, "text": {}}]
    odd["outputs"] += [{"output_type": "error", "ename": 1}, {"output_type": "display_data", "data": [], "metadata": 0}]
    send(self, message | odd, codec.NOTHING)


codec.Channel.send_packed = forged
