"""Values between processes that do not trust each other: round trips, and hostile peers."""

from __future__ import annotations

import json
import math
import socket
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tito.sandbox.inside.codec import (
    LENGTHS,
    MAX_BLOB,
    MAX_DEPTH,
    MAX_ITEMS,
    MAX_JSON,
    MAX_TEXT,
    Channel,
    CodecError,
    Encoder,
    EndOfStream,
    Packed,
    decode,
    pack,
)

DTYPES = (
    "?",
    "i1",
    "i2",
    "i4",
    "i8",
    "u1",
    "u2",
    "u4",
    "u8",
    "f2",
    "f4",
    "f8",
    "g",
    "c8",
    "c16",
    "S3",
    "U2",
    ">i4",
    ">f8",
)


def crossed(value: Any) -> Any:
    """The value as it arrives on the other side."""
    encoder = Encoder()
    encoded = json.loads(json.dumps(encoder.encode(value)))
    return decode(encoded, b"".join(encoder.blobs))


def same(value: Any, other: Any) -> bool:
    """Equal in type and value, with NaN equal to itself and -0.0 not to 0.0."""
    if type(value) is not type(other):
        return False
    if isinstance(value, np.ndarray | np.generic):
        return value.dtype == other.dtype and value.shape == other.shape and value.tobytes() == other.tobytes()
    if isinstance(value, float):
        return (math.isnan(value) and math.isnan(other)) or (
            value == other and math.copysign(1, value) == math.copysign(1, other)
        )
    if isinstance(value, complex):
        return same(value.real, other.real) and same(value.imag, other.imag)
    if isinstance(value, list | tuple):
        return len(value) == len(other) and all(map(same, value, other))
    if isinstance(value, dict):
        return list(value) == list(other) and all(same(value[key], other[key]) for key in value)
    return value == other


@pytest.fixture
def pair() -> Iterator[tuple[Channel, Channel]]:
    ours, theirs = map(Channel, socket.socketpair())
    yield ours, theirs
    ours.close()
    theirs.close()


# ---- round trips -----------------------------------------------------------------------------


TEXT = st.text(st.characters(exclude_categories=[]), max_size=20)  # lone surrogates too
KEYS = st.none() | st.booleans() | st.integers() | TEXT | st.binary(max_size=8) | st.floats(allow_nan=False)
LEAVES = KEYS | st.floats() | st.complex_numbers() | st.integers(-(10**400), 10**400)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.frozensets(KEYS, max_size=4).map(set)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_plain_values_arrive_as_they_were(value: Any) -> None:
    assert same(crossed(value), value)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (2, 3)])
def test_arrays_of_every_plain_dtype_and_shape_arrive_as_they_were(dtype: str, shape: tuple[int, ...]) -> None:
    array = np.arange(math.prod(shape)).reshape(shape).astype(dtype)
    assert same(crossed(array), array)


@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy_scalars_arrive_as_scalars(dtype: str) -> None:
    scalar = np.ones((), dtype)[()]
    arrived = crossed(scalar)
    assert isinstance(arrived, np.generic)
    assert arrived.dtype.newbyteorder("=") == scalar.dtype.newbyteorder("=")
    assert arrived == scalar


@given(st.lists(st.floats(width=32), min_size=1, max_size=8), st.integers(-3, 3).filter(bool))
def test_views_that_are_not_contiguous_arrive_by_their_values(numbers: list[float], step: int) -> None:
    array = np.array(numbers, np.float32)
    assert same(crossed(array[::step]), np.ascontiguousarray(array[::step]))
    grid = np.stack([array, array]).T
    assert same(crossed(grid), np.ascontiguousarray(grid))


def test_nan_infinity_and_minus_zero_arrive_bit_by_bit() -> None:
    array = np.array([np.nan, -np.nan, np.inf, -np.inf, -0.0, 5e-324])
    assert same(crossed(array), array)


def test_an_array_that_arrived_can_be_written_to() -> None:
    arrived = crossed(np.zeros(2))
    arrived[0] = 1.0
    assert arrived[0] == 1.0


def test_values_travel_through_a_socket_beside_their_message(pair: tuple[Channel, Channel]) -> None:
    ours, theirs = pair
    values = {"a": np.arange(5), "b": b"\x00\xff", "c": {"x": [1, np.float32(2)]}, "empty": b""}
    ours.send({"op": "say", "text": "λ\udc80"}, values)
    message, arrived = theirs.receive(5)
    assert message == {"op": "say", "text": "λ\udc80"}
    assert list(arrived) == list(values)
    assert all(same(arrived[name], values[name]) for name in values)


# ---- what lies -------------------------------------------------------------------------------


def agree(*arguments: object, **keywords: object) -> bool:
    return True


def liar(base: type) -> type:
    body: dict[str, Any] = {f"__{name}__": agree for name in ("eq", "ne", "lt", "le", "gt", "ge", "contains")}
    return type(f"Liar{base.__name__}", (base,), body | {"__hash__": lambda self: 0})


@pytest.mark.parametrize(
    "value",
    [7, 2.5, 1 + 2j, "text", b"bytes", [1, [2]], (1, 2), {"k": 1}, {1, 2}],
    ids=lambda value: type(value).__name__,
)
def test_a_subclass_with_a_lying_equality_arrives_as_its_base_type(value: Any) -> None:
    lie = liar(type(value))(value)
    assert lie == "anything"
    arrived = crossed(lie)
    assert type(arrived) is type(value)
    assert arrived == value
    assert arrived != "anything"


def test_lying_keys_and_items_arrive_plain_too() -> None:
    arrived = crossed({liar(str)("k"): [liar(int)(3)]})
    assert [type(key) for key in arrived] == [str]
    assert type(arrived["k"][0]) is int


class LyingArray(np.ndarray):
    dtype: Any = property(lambda self: np.dtype(np.int8))
    shape: Any = property(lambda self: (999,))

    def __eq__(self, other: object) -> Any:
        return True

    def tobytes(self, *arguments: Any) -> bytes:
        return b"lies"

    def __array_ufunc__(self, *arguments: Any, **keywords: Any) -> Any:
        return self


def test_an_array_that_lies_about_its_dtype_shape_and_bytes_arrives_as_what_it_is() -> None:
    array = np.array([1.5, 2.5])
    arrived = crossed(array.view(LyingArray))
    assert type(arrived) is np.ndarray
    assert same(arrived, array)


def test_a_masked_array_arrives_as_plain_data() -> None:
    assert type(crossed(np.ma.masked_array([1, 2], [0, 1]))) is np.ndarray


class Pretender:
    """Says that it is an int, a str, an array: whatever is asked for."""

    def __init__(self, kind: type) -> None:
        self.kind = kind

    @property
    def __class__(self) -> type:  # type: ignore[override]
        return self.kind


@pytest.mark.parametrize("kind", [int, float, str, bytes, list, dict, np.ndarray, np.float64])
def test_an_object_that_pretends_to_be_plain_never_arrives(kind: type) -> None:
    with pytest.raises((CodecError, TypeError, AttributeError)):
        crossed(Pretender(kind))


@pytest.mark.parametrize(
    "value",
    [
        object(),
        len,
        range(3),
        int,
        ValueError("x"),
        np.array([object()]),
        np.array([None, 1], dtype=object),
        np.zeros(2, dtype=[("a", "i4")]),
        np.array(["2020-01-01"], dtype="M8[D]"),
        np.dtype("f4"),
        memoryview(b"x"),
        (item for item in [1]),
    ],
    ids=lambda value: type(value).__name__ + str(getattr(value, "dtype", "")),
)
def test_what_is_no_plain_value_is_refused_by_its_type(value: Any) -> None:
    with pytest.raises(CodecError, match="cannot cross"):
        Encoder().encode([value])


def test_too_deep_too_many_and_too_large_are_refused() -> None:
    deep: list[Any] = []
    for _ in range(MAX_DEPTH + 1):
        deep = [deep]
    endless: list[Any] = []
    endless.append(endless)
    for value in (deep, endless, [0] * (MAX_ITEMS + 1)):
        with pytest.raises(CodecError, match=r"deep|many"):
            Encoder().encode(value)
    with pytest.raises(CodecError, match="MiB"):
        Encoder().encode([bytes(MAX_BLOB // 2), np.zeros(MAX_BLOB // 2 + 1, np.uint8)])


# ---- hostile peers ---------------------------------------------------------------------------


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["t", "v", "at", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)
TAGS = st.sampled_from(
    ["int", "float", "complex", "bytes", "array", "dict", "list", "tuple", "set", "none", "__class__"]
)
TAGGED = st.fixed_dictionaries(
    {"t": TAGS | JSON},
    optional={
        "v": JSON,
        "at": st.lists(st.integers(-5, 50), max_size=3) | JSON,
        "dtype": st.sampled_from(["<f8", "|O", "|V8", "<U0", "|S0", "<M8[s]", "f8,f8", "", "(2,)f8", "nonsense"])
        | JSON,
        "shape": st.lists(st.integers(-3, 2**40), max_size=3) | JSON,
        "scalar": st.booleans(),
    },
)


@given(JSON | TAGGED | st.lists(TAGGED, max_size=2), st.binary(max_size=40))
def test_no_json_decodes_to_anything_but_a_value_or_a_codec_error(value: Any, blob: bytes) -> None:
    try:
        arrived = decode(value, blob)
    except CodecError:
        return
    assert same(crossed(arrived), arrived) or np.asarray(arrived).dtype.itemsize == 0


HOSTILE = {
    "object dtype": {"t": "array", "dtype": "|O", "shape": [1], "scalar": False, "at": [0, 8]},
    "structured dtype": {"t": "array", "dtype": "f4,f4", "shape": [1], "scalar": False, "at": [0, 8]},
    "negative shape": {"t": "array", "dtype": "<f8", "shape": [-1], "scalar": False, "at": [0, 8]},
    "two negative lengths": {"t": "array", "dtype": "<f8", "shape": [-1, -1], "scalar": False, "at": [0, 8]},
    "shape too large for its bytes": {"t": "array", "dtype": "<f8", "shape": [2**40], "scalar": False, "at": [0, 8]},
    "empty but enormous": {"t": "array", "dtype": "<f8", "shape": [0, 2**70], "scalar": False, "at": [0, 0]},
    "bytes before the frame": {"t": "bytes", "at": [-4, 4]},
    "bytes beyond the frame": {"t": "bytes", "at": [4, 8]},
    "an unknown tag": {"t": "object", "v": []},
    "a tag that is no text": {"t": ["list"], "v": []},
    "no tag": {"v": 1},
    "a list as a key": {"t": "dict", "v": [[{"t": "list", "v": []}, 1]]},
    "a dict without pairs": {"t": "dict", "v": [1]},
    "a number as a list": {"t": "list", "v": 3},
    "a float that is none": {"t": "float", "v": "0x"},
    "an int that is none": {"t": "int", "v": "x"},
    "half a complex": {"t": "complex", "v": ["0x0p+0"]},
    "a bare list": [1, 2],
    "a bare number": 3,
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_malformed_values_are_codec_errors(value: Any) -> None:
    with pytest.raises(CodecError):
        decode(value, bytes(8))


def test_deep_nesting_is_a_codec_error() -> None:
    value: Any = None
    for _ in range(MAX_DEPTH + 2):
        value = {"t": "list", "v": [value]}
    with pytest.raises(CodecError, match="deep"):
        decode(value, b"")


def test_a_few_bytes_cannot_make_the_grader_allocate_an_enormous_array() -> None:
    value = {"t": "array", "dtype": "|S0", "shape": [2**28], "scalar": False, "at": [0, 0]}
    with pytest.raises(CodecError):
        decode(value, b"")


def test_what_was_received_can_be_sent_on_to_the_judge() -> None:
    many = {"t": "list", "v": [None] * (MAX_ITEMS + 1)}
    try:
        arrived = decode(many, b"")
    except CodecError:
        return
    Encoder().encode(arrived)


def framed(message: bytes, values: bytes = b"{}", blob: bytes = b"") -> bytes:
    return LENGTHS.pack(len(message), len(values), len(blob)) + message + values + blob


FRAMES = {
    "no JSON": framed(b"{x}"),
    "no UTF-8": framed(b"\xff\xfe"),
    "a list": framed(b"[]"),
    "null": framed(b"null"),
    "values that are a list": framed(b"{}", b"[1]"),
    "values that are no JSON": framed(b"{}", b"{1}"),
    "a value that is none": framed(b"{}", b'{"x": [1]}'),
    "JSON too long": LENGTHS.pack(MAX_JSON + 1, 0, 0),
    "text too long": LENGTHS.pack(2, MAX_TEXT + 1, 0) + b"{}",
    "data too long": LENGTHS.pack(2, 2, MAX_BLOB + 1) + b"{}{}",
    "brackets without end": framed(b"[" * 100_000),
    "brackets without end as values": framed(b"{}", b"[" * 100_000),
    "more items than there may be": framed(b'{"x":[' + b"[]," * MAX_ITEMS + b"[]]}"),
    "more values than there may be": framed(b"{}", b'{"x":{"t":"list","v":[' + b"null," * MAX_ITEMS + b"null]}}"),
    "an enormous number": framed(b"9" * 9_000),
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_hostile_frames_are_codec_errors(frame: bytes, pair: tuple[Channel, Channel]) -> None:
    ours, theirs = pair
    sender = threading.Thread(target=lambda: theirs.connection.sendall(frame))
    sender.start()
    with pytest.raises(CodecError):
        ours.receive(5)
    sender.join()


@given(st.binary(max_size=60))
def test_random_bytes_give_only_codec_errors_and_the_end(data: bytes) -> None:
    ours, theirs = map(Channel, socket.socketpair())
    theirs.connection.sendall(data)
    theirs.close()
    with pytest.raises((CodecError, EndOfStream)):
        ours.receive(5)
    ours.close()


@given(st.lists(st.integers(0, 2**32 - 1), min_size=3, max_size=3), st.binary(max_size=30))
def test_random_lengths_give_only_codec_errors_and_the_end(lengths: list[int], data: bytes) -> None:
    ours, theirs = map(Channel, socket.socketpair())
    theirs.connection.sendall(LENGTHS.pack(*lengths) + data)
    theirs.close()
    with pytest.raises((CodecError, EndOfStream)):
        ours.receive(5)
    ours.close()


def test_silence_is_a_timeout(pair: tuple[Channel, Channel]) -> None:
    with pytest.raises(TimeoutError):
        pair[0].receive(0.05)


def test_a_peer_that_sends_a_byte_now_and_then_is_a_timeout_too(pair: tuple[Channel, Channel]) -> None:
    ours, theirs = pair
    stop = threading.Event()

    def drip() -> None:
        theirs.connection.sendall(LENGTHS.pack(1000, 0, 0))
        for _ in range(20):
            if not stop.wait(0.1):
                theirs.connection.sendall(b" ")
        theirs.connection.shutdown(socket.SHUT_RDWR)

    peer = threading.Thread(target=drip)
    peer.start()
    try:
        with pytest.raises(TimeoutError):
            ours.receive(0.4)
    finally:
        stop.set()
        peer.join()


def test_a_message_that_is_too_long_is_refused_before_it_is_sent(pair: tuple[Channel, Channel]) -> None:
    with pytest.raises(CodecError, match="MiB"):
        pair[0].send({"source": "x" * (MAX_JSON + 1)})


def test_commas_and_brackets_in_a_text_are_text(pair: tuple[Channel, Channel]) -> None:
    ours, theirs = pair
    text = '[1, "2", \\' * (MAX_ITEMS // 2)
    sender = threading.Thread(target=theirs.send, args=({"text": text}, {"said": text}))
    sender.start()
    message, values = ours.receive(5)
    sender.join()
    assert message == {"text": text} and values == {"said": text}


def test_as_many_numpy_numbers_cross_as_may(pair: tuple[Channel, Channel]) -> None:
    ours, theirs = pair
    numbers = list(np.arange(MAX_ITEMS - 1, dtype=np.float64))
    sender = threading.Thread(target=theirs.send, args=({}, {"numbers": numbers}))
    sender.start()
    _, values = ours.receive(20)
    sender.join()
    assert values["numbers"] == numbers


def test_a_value_that_cannot_cross_leaves_those_before_it(pair: tuple[Channel, Channel]) -> None:
    encoder = Encoder()
    encoder.put("small", np.arange(3))
    for large in (bytes(MAX_BLOB + 1), "x" * (MAX_TEXT + 1), [b"y", object()]):
        with pytest.raises(CodecError):
            encoder.put("large", large)
    encoder.put("last", b"z")
    values = encoder.packed().values()
    assert list(values) == ["small", "last"] and values["last"] == b"z" and same(values["small"], np.arange(3))


def test_text_takes_no_more_room_when_it_is_passed_on() -> None:
    values = pack({"text": "é" * (MAX_TEXT // 2 - 100), "surrogate": "\udc80"})
    assert values.values() == {"text": "é" * (MAX_TEXT // 2 - 100), "surrogate": "\udc80"}


def test_values_that_nobody_asked_for_are_not_made() -> None:
    values = Packed(b'{"x":{"t":"int","v":"7"},"bad":[1]}')
    assert values.values(only=("x", "absent")) == {"x": 7}
    with pytest.raises(CodecError):
        values.values()
