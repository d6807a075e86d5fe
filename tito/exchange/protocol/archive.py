"""A bundle as a tar stream: made as it is sent, of a length that is known before."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator

from fastapi.responses import StreamingResponse

from tito.exchange.protocol.records import Entry

BLOCK = 512


def archive(files: list[Entry], manifest_sha256: str, content: Callable[[Entry], Iterator[bytes]]) -> StreamingResponse:
    """The files of a bundle. When one of them turns out damaged, the stream breaks off, and is not taken for whole."""
    headers = [_header(entry) for entry in files]
    length = sum(map(len, headers)) + sum(entry.size + _padding(entry.size) for entry in files) + 2 * BLOCK
    return StreamingResponse(
        _blocks(files, headers, content),
        media_type="application/x-tar",
        headers={"Content-Length": str(length), "X-Manifest-SHA256": manifest_sha256},
    )


def _blocks(files: list[Entry], headers: list[bytes], content: Callable[[Entry], Iterator[bytes]]) -> Iterator[bytes]:
    for entry, header in zip(files, headers, strict=True):
        yield header
        yield from content(entry)
        yield bytes(_padding(entry.size))
    yield bytes(2 * BLOCK)


def _header(entry: Entry) -> bytes:
    member = tarfile.TarInfo(entry.path)
    member.size = entry.size
    member.mode = 0o644
    return member.tobuf(tarfile.PAX_FORMAT)


def _padding(size: int) -> int:
    return -size % BLOCK
