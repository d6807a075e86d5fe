"""An upload, received as it streams: a manifest first, then its files in order. Refused at the first thing wrong.

multipart/form-data with a part `manifest` (JSON) and a part `file` for each file of it, sorted by path. The manifest is
judged before any content is read, so what comes after is held to what was announced; nothing is unpacked, and nothing
is held in memory.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from tito.exchange.protocol.problems import Refused
from tito.exchange.protocol.records import Entry, Manifest
from tito.exchange.server.content import Bundle, storage_errors
from tito.exchange.server.quotas import MB
from tito.exchange.server.store import BlobStore, Incoming

MANIFEST_BYTES = 2 * MB
OVERHEAD_A_FILE = 1024  # headers and boundary of a part
DRAIN_BYTES, DRAIN_S = 4 * MB, 3.0

BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["manifest", "file"],
                    "properties": {
                        "manifest": {
                            "type": "string",
                            "description": 'JSON, first: {"files": [{"path", "sha256", "size"}, ...]}',
                        },
                        "file": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "description": "The files, in the order of their paths.",
                        },
                    },
                }
            }
        },
    }
}


Announce = Callable[[Manifest], datetime]


async def receive(
    request: Request, store: BlobStore, announce: Announce, *, limit: int, files: int, timeout_s: float
) -> Bundle:
    """Receive an upload of at most `limit` bytes in at most `files` files. The caller discards the bundle in the end.

    Args:
        announce: is told the manifest when all of it has come, and before any content is read; refuses it, or says when
            that was.

    Raises:
        Refused: with the reason; what was received is gone.
    """
    most = limit + MANIFEST_BYTES + files * OVERHEAD_A_FILE
    try:
        announced = request.headers.get("Content-Length", "")
        if announced.isdigit() and int(announced) > most:
            raise too_large(limit)
        upload = _Upload(store, _boundary(request), announce, limit, files)
        return await _receive(request, upload, most, limit, timeout_s)
    except Refused as refusal:
        if refusal.status != 408:  # who is that slow is not waited for again
            await _drain(request)
        raise


async def _receive(request: Request, upload: _Upload, most: int, limit: int, timeout_s: float) -> Bundle:
    done = False
    received = 0
    try:
        async with asyncio.timeout(timeout_s):
            async for chunk in request.stream():
                received += len(chunk)
                if received > most:
                    raise too_large(limit)
                await run_in_threadpool(upload.feed, chunk)
        bundle = upload.bundle()
        done = True
        return bundle
    except TimeoutError as error:
        hint = "Try again with a better connection, or with fewer files."
        raise Refused(f"The upload took more than {timeout_s:.0f} s.", status=408, where="body", hint=hint) from error
    except ClientDisconnect as error:
        raise Refused("The upload broke off.", status=400, where="body", hint="Submit again.") from error
    finally:
        if not done:
            upload.discard()


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("Content-Type", ""))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 0 < len(boundary) <= 200:
        raise Refused(
            "multipart/form-data is wanted.",
            status=415,
            where="Content-Type",
            hint="See /openapi.json of the exchange.",
        )
    return boundary


async def _drain(request: Request) -> None:
    """Read on for a little, so that a client that still sends gets to read why it was refused."""
    left = DRAIN_BYTES
    with contextlib.suppress(TimeoutError, ClientDisconnect, RuntimeError):
        async with asyncio.timeout(DRAIN_S):
            async for chunk in request.stream():
                left -= len(chunk)
                if left < 0:
                    return


def too_large(limit: int) -> Refused:
    hint = "Take out what need not be handed in: data, checkpoints, pictures."
    return Refused(f"It is larger than {limit / MB:g} MiB, the limit.", status=413, where="body", hint=hint)


class _Upload:
    """What has been received so far."""

    def __init__(self, store: BlobStore, boundary: bytes, announce: Announce, limit: int, files: int) -> None:
        self._store = store
        self._announce = announce
        self._announced_at: datetime | None = None
        self._limit = limit
        self._files = files
        self._manifest: Manifest | None = None
        self._blobs: list[Incoming] = []
        self._head = bytearray()
        self._name = b""
        self._field = self._value = b""
        self._ended = False
        events: dict[str, Callable[..., None]] = {
            "on_part_begin": self._part_begins,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_ends,
            "on_headers_finished": self._content_begins,
            "on_part_data": self._data,
            "on_part_end": self._part_ends,
            "on_end": self._all_ends,
        }
        self._parser = MultipartParser(boundary, events)  # type: ignore[arg-type]

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body.

        Raises:
            Refused: they are not what was announced, or cannot be stored.
        """
        if not chunk or self._ended:
            return
        try:
            with storage_errors():
                self._parser.write(chunk)
        except FormParserError as error:
            raise Refused("The body is no multipart/form-data.", status=400, where="body") from error

    def bundle(self) -> Bundle:
        """All of it.

        Raises:
            Refused: it is not all there.
        """
        if self._manifest is None or not self._ended or len(self._blobs) != len(self._manifest.files):
            raise Refused("The upload is not whole.", status=400, where="body", hint="Submit again.")
        return Bundle(self._manifest, self._blobs, self._announced_at)

    def discard(self) -> None:
        for blob in self._blobs:
            blob.discard()

    # ---- the parser's events -----------------------------------------------------------------------

    def _part_begins(self) -> None:
        self._name = b""

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_ends(self) -> None:
        if self._field.lower() == b"content-disposition":
            self._name = parse_options_header(self._value)[1].get(b"name", b"")
        self._field = self._value = b""

    def _content_begins(self) -> None:
        if self._manifest is None:
            if self._name != b"manifest":
                raise Refused("The first part must be 'manifest'.", status=400, where="body")
        elif self._name != b"file" or len(self._blobs) >= len(self._manifest.files):
            raise Refused("There is a part that the manifest does not name.", status=400, where="body")
        else:
            self._blobs.append(self._store.incoming())

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._manifest is None:
            self._head += data[start:end]
            if len(self._head) > MANIFEST_BYTES:
                raise Refused("The manifest is too large.", status=413, where="manifest")
            return
        self._blobs[-1].write(data[start:end])
        if self._blobs[-1].size > self._announced().size:
            raise self._differs()

    def _part_ends(self) -> None:
        if self._manifest is None:
            manifest = self._judged(Manifest.from_json(bytes(self._head)))
            self._announced_at = self._announce(manifest)
            self._manifest = manifest
            return
        blob, announced = self._blobs[-1], self._announced()
        if (blob.size, blob.sha256) != (announced.size, announced.sha256):
            raise self._differs()
        blob.close()

    def _all_ends(self) -> None:
        self._ended = True

    def _judged(self, manifest: Manifest) -> Manifest:
        if len(manifest.files) > self._files:
            raise Refused(
                f"It has {len(manifest.files)} files; {self._files} is the limit.",
                status=413,
                where="manifest",
                hint="Take out what need not be handed in.",
            )
        if manifest.size > self._limit:
            raise too_large(self._limit)
        return manifest

    def _announced(self) -> Entry:
        assert self._manifest is not None
        return self._manifest.files[len(self._blobs) - 1]

    def _differs(self) -> Refused:
        return Refused(
            "A file is not what the manifest says of it.",
            status=400,
            where=f"file {len(self._blobs)} of {len(self._manifest.files) if self._manifest else 0}",
            hint="It changed while it was sent, or was damaged on the way: submit again.",
        )
