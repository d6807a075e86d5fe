"""Plain values as bytes, between processes that do not trust each other. Never pickle.

A frame is two big-endian unsigned 32-bit lengths, then that much JSON, then that much binary data.
What can cross: None, bool, int, float, complex, str, bytes, list, tuple, dict, set, numpy arrays and
scalars of plain dtypes. A subclass arrives as its plain base type. The receiving side checks everything:
whatever a hostile peer sends is either a plain value or a `CodecError`.

This module runs in the grader, in the judge and beside student code; it imports numpy and nothing of ours.
"""

from __future__ import annotations

import json
import math
import socket
import struct
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

LENGTHS = struct.Struct(">II")
MAX_JSON = 4 << 20
MAX_BLOB = 64 << 20
MAX_DEPTH = 24
MAX_ITEMS = 100_000
PLAIN_DTYPES = "biufcSU"
READ_AHEAD = 1 << 16
PATIENCE = 2  # how many seconds by the clock there are for each second of processor time that a cell may use

# Builds what a tag of another vocabulary stands for, from its JSON and a decoder for what it holds.
Vocabulary = Callable[[str, dict[str, Any], Callable[[Any], Any]], Any]

_asarray = np.asarray  # as it was before any student code ran


class CodecError(ValueError):
    """A value that cannot cross, or bytes that are no value."""


class EndOfStream(ConnectionError):
    """The other side has gone."""


class Encoder:
    """Turns values into JSON plus one run of bytes."""

    def __init__(self) -> None:
        self.blobs: list[bytes] = []
        self.size = 0
        self.items = 0

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

    def packed(self, encoded: dict[str, Any]) -> Packed:
        """What was encoded, with the bytes that belong to it."""
        return Packed(encoded, b"".join(self.blobs))

    def _container(self, value: Any, depth: int) -> Any:
        for kind, name in ((list, "list"), (tuple, "tuple"), (set, "set"), (frozenset, "set")):
            if isinstance(value, kind):
                return {"t": name, "v": [self.encode(one, depth + 1) for one in tuple(value)]}
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


def decode(value: Any, blob: bytes, depth: int = 0, more: Vocabulary | None = None) -> Any:
    """The value that `Encoder.encode` made JSON of. `more` knows tags beside those of this module.

    Raises:
        CodecError: the JSON is not of that form.
    """
    if depth > MAX_DEPTH:
        raise CodecError("nested too deeply")
    if value is None or isinstance(value, bool | str):
        return value
    if not isinstance(value, dict):
        raise CodecError("no value")
    try:
        return _decode_tagged(value, blob, depth, more)
    except (KeyError, TypeError, ValueError, OverflowError, IndexError, MemoryError, SyntaxError) as error:
        raise error if isinstance(error, CodecError) else CodecError("no value") from error


def _decode_tagged(value: dict[str, Any], blob: bytes, depth: int, more: Vocabulary | None) -> Any:
    tag: str = value["t"]
    content: Any = value.get("v")
    if tag == "int":
        return int(content, 16)
    if tag == "float":
        return float.fromhex(content)
    if tag == "complex":
        return complex(float.fromhex(content[0]), float.fromhex(content[1]))
    if tag == "bytes":
        return _cut(blob, value["at"])
    if tag == "array":
        return _decode_array(value, blob)
    if tag == "dict":
        return {decode(k, blob, depth + 1, more): decode(v, blob, depth + 1, more) for k, v in content}
    kinds: dict[str, Any] = {"list": list, "tuple": tuple, "set": set}
    if more is not None and tag not in kinds:
        return more(tag, value, lambda inner: decode(inner, blob, depth + 1, more))
    if len(content) > MAX_ITEMS:
        raise CodecError("too many items")
    return kinds[tag](decode(one, blob, depth + 1, more) for one in content)


def _decode_array(value: dict[str, Any], blob: bytes) -> Any:
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


def _cut(blob: bytes, at: Any) -> bytes:
    start, length = int(at[0]), int(at[1])
    if start < 0 or length < 0 or start + length > len(blob):
        raise CodecError("a value that lies outside its frame")
    return blob[start : start + length]


@dataclass(frozen=True)
class Packed:
    """Values by name as they crossed, not decoded: one process can pass them on to another without a look at them."""

    encoded: dict[str, Any]
    blob: bytes = b""

    def values(self, more: Vocabulary | None = None) -> dict[str, Any]:
        """The values.

        Raises:
            CodecError: they are none.
        """
        return {name: decode(value, self.blob, more=more) for name, value in self.encoded.items()}

    def only(self, names: Iterable[str]) -> Packed:
        """Those of the names that there are, in that order."""
        return Packed({name: self.encoded[name] for name in names if name in self.encoded}, self.blob)


def pack(values: Mapping[str, Any]) -> Packed:
    """Values by name as they cross.

    Raises:
        CodecError: a value cannot cross.
    """
    encoder = Encoder()
    encoded = {name: encoder.encode(value) for name, value in values.items()}
    return encoder.packed(encoded)


class Channel:
    """Frames over a connected socket. Not for two threads at once.

    Args:
        ahead: read more than the next frame where more is there. Not for a socket that another process may read from.
    """

    def __init__(self, connection: socket.socket, *, ahead: bool = False) -> None:
        self.connection = connection
        self._ahead = READ_AHEAD if ahead else 0
        self._kept = b""  # what was read of the frames after the last
        self.more: Vocabulary | None = None  # what may come beside plain values

    def send(self, message: dict[str, Any], values: Mapping[str, Any] | None = None) -> None:
        """Send a JSON message, and beside it values by name.

        Raises:
            CodecError: the message is too large, or a value cannot cross.
            ConnectionError: the other side has gone.
        """
        self.send_packed(message, pack(values or {}))

    def send_packed(self, message: dict[str, Any], packed: Packed) -> None:
        """Send a message with values that are packed already."""
        try:
            text = json.dumps({"message": message, "values": packed.encoded}).encode()
        except RecursionError as error:
            raise CodecError("a message that is nested too deeply") from error
        if len(text) > MAX_JSON:
            raise CodecError(f"a message of more than {MAX_JSON >> 20} MiB")
        self.connection.sendall(LENGTHS.pack(len(text), len(packed.blob)) + text + packed.blob)

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
        json_length, blob_length = LENGTHS.unpack(self._exactly(LENGTHS.size, end))
        if json_length > MAX_JSON or blob_length > MAX_BLOB:
            raise CodecError("a frame that is too large")
        text, blob = self._exactly(json_length, end), self._exactly(blob_length, end)
        try:
            frame = json.loads(text)
            message, encoded = frame["message"], frame["values"]
            if text.count(b",") > MAX_ITEMS:
                raise CodecError("a frame with too many items")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise CodecError("a frame that is no message") from error
        if not isinstance(message, dict) or not isinstance(encoded, dict):
            raise CodecError("a frame that is no message")
        return message, Packed(encoded, blob)

    def _exactly(self, count: int, end: float | None) -> bytes:
        """`count` bytes, all of them before the time `end`, however slowly they drip."""
        parts = [self._kept[:count]]
        self._kept = self._kept[count:]
        count -= len(parts[0])
        while count:
            self.connection.settimeout(None if end is None else max(end - time.monotonic(), 0.001))
            part = self.connection.recv(max(min(count, 1 << 20), self._ahead))
            if not part:
                raise EndOfStream("the other side has gone")
            parts.append(part[:count])
            self._kept = part[count:]
            count -= len(parts[-1])
        return b"".join(parts)

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()
