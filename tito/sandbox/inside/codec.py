"""Plain values as bytes, between processes that do not trust each other. Never pickle.

A frame is three big-endian unsigned 32-bit lengths, then a message of that much JSON, then the values beside it: that
much JSON, and that much binary data. The values can be passed on as they came: only who needs them makes objects of
them. What can cross: None, bool, int, float, complex, str, bytes, list, tuple, dict, set, numpy arrays and scalars of
plain dtypes. A subclass arrives as its plain base type. The receiving side checks everything: whatever a hostile peer
sends is either a plain value or a `CodecError`.

This module runs in the grader, in the judge and beside student code; it imports numpy and nothing of ours.
"""

from __future__ import annotations

import json
import math
import re
import select
import socket
import struct
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

LENGTHS = struct.Struct(">III")
MAX_JSON = 4 << 20  # bytes of a message
MAX_TEXT = 16 << 20  # bytes of the JSON of the values beside it: enough for MAX_ITEMS numbers
MAX_BLOB = 64 << 20
MAX_DEPTH = 24
MAX_ITEMS = 100_000
MARKS_OF_ITEM = 12  # commas and brackets in the JSON of a value that holds no other, at most
STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
PLAIN_DTYPES = "biufcSU"
READ_AHEAD = 1 << 16
LARGE = 1 << 20
AT_WORK = 0.1  # of the time by the clock: a cell that has used less of a processor than that waits for something else
PATIENCE = 2  # how many seconds by the clock there are for each second of processor time that a cell may use

# Builds what a tag of another vocabulary stands for, from its JSON and a decoder for what it holds.
Vocabulary = Callable[[str, dict[str, Any], Callable[[Any], Any]], Any]

_asarray = np.asarray  # as it was before any student code ran


class CodecError(ValueError):
    """A value that cannot cross, or bytes that are no value."""


class EndOfStream(ConnectionError):
    """The other side has gone."""


as_json = json.JSONEncoder(ensure_ascii=False).encode


class Encoder:
    """Turns values into JSON plus one run of bytes."""

    def __init__(self) -> None:
        self.blobs: list[bytes] = []
        self.size = 0
        self.items = 0
        self.parts: list[bytes] = []  # JSON of each name and its value
        self.length = 2  # bytes of them, with what stands between and around

    def encode(self, value: Any, depth: int = 0) -> Any:
        """The JSON form of `value`; its arrays and bytes go to `self.blobs`.

        Raises:
            CodecError: the value is of a type that cannot cross, or is too large or too deep.
        """
        self.items += 1
        if depth > MAX_DEPTH or self.items > MAX_ITEMS:
            raise CodecError("the value is nested too deeply or has too many items")
        if value is None or value is True or value is False:
            return value
        if isinstance(value, np.ndarray | np.generic):
            return self._array(value)
        if isinstance(value, bool):
            return bool(value)
        if isinstance(value, int):
            return {"t": "int", "v": f"{int(value):x}"}
        if isinstance(value, float):
            return {"t": "float", "v": float.hex(float(value))}
        if isinstance(value, complex):
            return {"t": "complex", "v": [float.hex(value.real), float.hex(value.imag)]}
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, bytes | bytearray):
            return {"t": "bytes", "at": self._blob(bytes(value))}
        return self._container(value, depth)

    def put(self, name: str, value: Any) -> None:
        """Encode a value that is to cross under a name.

        Raises:
            CodecError: it cannot cross; all that was put before still can.
        """
        blobs, size, items = len(self.blobs), self.size, self.items
        try:
            text = f"{as_json(name)}:{as_json(self.encode(value))}"
            part = text.encode("utf-8", "surrogatepass")
            if self.length + len(part) > MAX_TEXT:
                raise CodecError(f"more than {MAX_TEXT >> 20} MiB of text and numbers")
        except BaseException:
            del self.blobs[blobs:]
            self.size, self.items = size, items
            raise
        self.length += len(part) + 1
        self.parts.append(part)

    def packed(self) -> Packed:
        """What was put, with the bytes that belong to it."""
        return Packed(b"{" + b",".join(self.parts) + b"}", b"".join(self.blobs))

    def _container(self, value: Any, depth: int) -> Any:
        for kind, name in ((list, "list"), (tuple, "tuple"), (set, "set"), (frozenset, "set")):
            if isinstance(value, kind):
                return {"t": name, "v": [self.encode(item, depth + 1) for item in tuple(value)]}
        if isinstance(value, dict):
            pairs = dict.items(value)
            return {
                "t": "dict",
                "v": [[self.encode(k, depth + 1), self.encode(v, depth + 1)] for k, v in pairs],
            }
        raise CodecError(f"a {type(value).__name__} cannot cross to the judge")

    def _array(self, value: Any) -> Any:
        scalar = isinstance(value, np.generic)
        array = _asarray(value)  # of the base class: a subclass may lie about its shape and dtype
        if array.dtype.kind not in PLAIN_DTYPES:
            raise CodecError(f"an array of dtype {array.dtype} cannot cross to the judge")
        return {
            "t": "array",
            "dtype": array.dtype.str,
            "shape": list(array.shape),
            "scalar": scalar,
            "at": self._blob(array.tobytes()),
        }

    def _blob(self, data: bytes) -> list[int]:
        at = [self.size, len(data)]
        self.size += len(data)
        if self.size > MAX_BLOB:
            raise CodecError(f"more than {MAX_BLOB >> 20} MiB of values")
        self.blobs.append(data)
        return at


def decode(value: Any, blob: bytes | bytearray, depth: int = 0, more: Vocabulary | None = None) -> Any:
    """The value that `Encoder.encode` made JSON of. `more` knows tags beside those of this module.

    Raises:
        CodecError: the JSON is not of that form, or holds more values than may cross.
    """
    return Decoder(blob, more).decode(value, depth)


class Decoder:
    """Makes values of their JSON, and of the bytes that crossed with it; so many in all as may cross together."""

    def __init__(self, blob: bytes | bytearray, more: Vocabulary | None = None) -> None:
        self.blob = blob
        self.more = more
        self.items = 0

    def decode(self, value: Any, depth: int = 0) -> Any:
        """See the function `decode`."""
        self.items += 1
        if depth > MAX_DEPTH or self.items > MAX_ITEMS:
            raise CodecError("the value is nested too deeply or has too many items")
        if value is None or isinstance(value, bool | str):
            return value
        if not isinstance(value, dict):
            raise CodecError("no value")
        try:
            return self._tagged(value, depth)
        except (KeyError, TypeError, ValueError, OverflowError, IndexError, MemoryError, SyntaxError) as error:
            raise error if isinstance(error, CodecError) else CodecError("no value") from error

    def _tagged(self, value: dict[str, Any], depth: int) -> Any:
        tag: str = value["t"]
        content: Any = value.get("v")
        if tag == "int":
            return int(content, 16)
        if tag == "float":
            return float.fromhex(content)
        if tag == "complex":
            return complex(float.fromhex(content[0]), float.fromhex(content[1]))
        if tag == "bytes":
            return bytes(_cut(self.blob, value["at"]))
        if tag == "array":
            return _decode_array(value, self.blob)
        if tag == "dict":
            return {self.decode(key, depth + 1): self.decode(item, depth + 1) for key, item in _list(content)}
        if tag in CONTAINERS:
            return CONTAINERS[tag](self.decode(item, depth + 1) for item in _list(content))
        if self.more is None:
            raise CodecError("no value")
        return self.more(tag, value, lambda inner: self.decode(inner, depth + 1))


CONTAINERS: dict[str, Any] = {"list": list, "tuple": tuple, "set": set}


def _list(content: Any) -> list[Any]:
    if type(content) is not list:
        raise CodecError("no list of values")
    return content


def _decode_array(value: dict[str, Any], blob: bytes | bytearray) -> Any:
    dtype = np.dtype(str(value["dtype"]))
    shape = tuple(int(n) for n in value["shape"])
    data = _cut(blob, value["at"])
    if dtype.kind not in PLAIN_DTYPES or any(n < 0 for n in shape):
        raise CodecError("no array")
    if dtype.itemsize * math.prod(shape) != len(data):
        raise CodecError("an array whose bytes do not fit its shape")
    if dtype.itemsize == 0 and math.prod(shape) > MAX_ITEMS:
        raise CodecError("an array that is too large")
    if dtype.itemsize == 0:
        return np.zeros(shape, dtype)
    array = np.frombuffer(data, dtype).reshape(shape).copy()
    return array[()] if value["scalar"] is True else array


def _cut(blob: bytes | bytearray, at: Any) -> memoryview:
    start, length = int(at[0]), int(at[1])
    if start < 0 or length < 0 or start + length > len(blob):
        raise CodecError("a value that lies outside its frame")
    return memoryview(blob)[start : start + length]


@dataclass(frozen=True)
class Packed:
    """Values by name as they crossed, not decoded: one process can pass them on to another without a look at them."""

    text: bytes | bytearray = b"{}"
    blob: bytes | bytearray = b""

    @property
    def size(self) -> int:
        """Bytes that they take."""
        return len(self.text) + len(self.blob)

    def values(self, more: Vocabulary | None = None, only: Iterable[str] | None = None) -> dict[str, Any]:
        """The values; with `only`, those of these names that there are, and no others are made.

        Raises:
            CodecError: they are none.
        """
        encoded = _loads(self.text, MAX_ITEMS * MARKS_OF_ITEM)
        if not isinstance(encoded, dict):
            raise CodecError("values that have no names")
        wanted = encoded if only is None else [name for name in only if name in encoded]
        decoder = Decoder(self.blob, more)
        return {name: decoder.decode(encoded[name]) for name in wanted}


NOTHING = Packed()


def pack(values: Mapping[str, Any]) -> Packed:
    """Values by name as they cross.

    Raises:
        CodecError: a value cannot cross.
    """
    encoder = Encoder()
    for name, value in values.items():
        encoder.put(name, value)
    return encoder.packed()


def _loads(text: bytes | bytearray, most_marks: int) -> Any:
    """The JSON, if it has no more structure than `most_marks` commas and brackets; those in strings are text.

    Raises:
        CodecError: it has, or is no JSON.
    """
    if _marks(text) > most_marks and _marks(STRINGS.sub(b"", text)) > most_marks:
        raise CodecError("a frame with too many items")
    try:
        return json.loads(text.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError, MemoryError) as error:
        raise CodecError("a frame that is no message") from error


def _marks(text: bytes | bytearray) -> int:
    return text.count(b",") + text.count(b"[") + text.count(b"{")


class Channel:
    """Frames over a connected socket. Not for two threads at once.

    Args:
        ahead: read more than the next frame where more is there. Not for a socket that another process may read from.
        most_blob: bytes of binary data that a frame may hold.
    """

    def __init__(self, connection: socket.socket, *, ahead: bool = False, most_blob: int = MAX_BLOB) -> None:
        self.connection = connection
        self.most_blob = most_blob
        self._ahead = READ_AHEAD if ahead else 0
        self._kept = b""  # what was read of the frames after the last
        self.more: Vocabulary | None = None  # what may come beside plain values

    def send(self, message: dict[str, Any], values: Mapping[str, Any] | None = None) -> None:
        """Send a JSON message, and beside it values by name.

        Raises:
            CodecError: the message is too large, or a value cannot cross.
            ConnectionError: the other side has gone.
        """
        self.send_packed(message, pack(values) if values else NOTHING)

    def send_packed(self, message: dict[str, Any], packed: Packed) -> None:
        """Send a message with values that are packed already."""
        try:
            text = as_json(message).encode("utf-8", "surrogatepass")
        except RecursionError as error:
            raise CodecError("a message that is nested too deeply") from error
        if len(text) > MAX_JSON:
            raise CodecError(f"a message of more than {MAX_JSON >> 20} MiB")
        if len(packed.text) > MAX_TEXT or len(packed.blob) > self.most_blob:
            raise CodecError("more values than may cross")
        lengths = LENGTHS.pack(len(text), len(packed.text), len(packed.blob))
        self.connection.sendall(b"".join((lengths, text, packed.text, packed.blob)))

    def receive(self, timeout_s: float | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """The next message and its values; raises what `take` does."""
        message, packed = self.take(timeout_s)
        return message, packed.values(self.more)

    def take(self, timeout_s: float | None = None) -> tuple[dict[str, Any], Packed]:
        """The next message, and its values as they crossed.

        Raises:
            TimeoutError: it did not come in time.
            EndOfStream: the other side has gone.
            CodecError: what came is no message.
        """
        end = None if timeout_s is None else time.monotonic() + timeout_s
        length, text_length, blob_length = LENGTHS.unpack(self._exactly(LENGTHS.size, end))
        if length > MAX_JSON or text_length > MAX_TEXT or blob_length > self.most_blob:
            raise CodecError("a frame that is too large")
        if length + text_length + blob_length <= LARGE:  # most are small: one call to the kernel, for all of it
            frame = self._exactly(length + text_length + blob_length, end)
            text, packed = frame[:length], Packed(frame[length : length + text_length], frame[length + text_length :])
        else:
            text = self._exactly(length, end)
            packed = Packed(self._exactly(text_length, end), self._exactly(blob_length, end))
        message = _loads(text, MAX_ITEMS)
        if not isinstance(message, dict):
            raise CodecError("a frame that is no message")
        return message, packed

    def has_more(self, timeout_s: float) -> bool:
        """Whether there is something to be read, or nobody there any more, before so many seconds are over."""
        if self._kept:
            return True
        ready = select.poll()
        ready.register(self.connection, select.POLLIN)
        return bool(ready.poll(timeout_s * 1000))

    def _exactly(self, count: int, end: float | None) -> bytes | bytearray:
        """`count` bytes, all of them before the time `end`, however slowly they drip."""
        if count > LARGE:
            return self._large(count, end)
        parts = [self._kept[:count]]
        self._kept = self._kept[count:]
        count -= len(parts[0])
        while count:
            self._wait_until(end)
            part = self.connection.recv(max(min(count, 1 << 20), self._ahead))
            if not part:
                raise EndOfStream("the other side has gone")
            parts.append(part[:count])
            self._kept = part[count:]
            count -= len(parts[-1])
        return b"".join(parts)

    def _large(self, count: int, end: float | None) -> bytearray:
        """The same, held once: pieces that are joined at the end take twice the room."""
        content = bytearray(count)
        at = len(self._kept[:count])
        content[:at] = self._kept[:count]
        self._kept = self._kept[count:]
        with memoryview(content) as view:
            while at < count:
                self._wait_until(end)
                length = self.connection.recv_into(view[at:])
                if not length:
                    raise EndOfStream("the other side has gone")
                at += length
        return content

    def _wait_until(self, end: float | None) -> None:
        """How long the next piece is waited for. To say what holds already would cost a call to the kernel."""
        timeout_s = None if end is None else max(end - time.monotonic(), 0.001)
        if timeout_s is not None or self.connection.gettimeout() is not None:
            self.connection.settimeout(timeout_s)

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()
