"""Bodies of requests: read within limits of size, time and memory, and decompressed as their Content-Encoding says."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import anyio
from anyio.lowlevel import checkpoint
from starlette.requests import ClientDisconnect

from tracegist.errors import SourceError
from tracegist.server.answers import Refusal
from tracegist.sources._compressed import DamagedError, Decompressor, EndsEarlyError

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["RETRY", "Bodies", "Room"]

RETRY: Final = {"Retry-After": "1"}
_IN_FLIGHT: Final = 64 << 20
_PATIENCE: Final = 30.0
_PIECE: Final = 64 << 10
_CODINGS: Final = {"gzip": "gzip", "x-gzip": "gzip", "zstd": "zstd", "deflate": "deflate"}


@dataclass(slots=True)
class Room:
    """What one body takes of all that may be on its way in.

    :param taken: bytes
    """

    taken: int = 0


class Bodies:
    """Reads bodies. All that are on their way in together are bounded, compressed and decompressed bytes alike.

    :param largest: bytes of a body at most, decompressed
    :param patience: seconds to wait for the next part of a body
    """

    def __init__(self, *, largest: int, patience: float = _PATIENCE) -> None:
        self._largest = largest
        self._most = max(_IN_FLIGHT, 2 * largest)
        self._patience = patience
        self._in_flight = 0

    @contextmanager
    def room(self) -> Iterator[Room]:
        """Make room for a body, until it was put somewhere else."""
        room = Room()
        try:
            yield room
        finally:
            self._in_flight -= room.taken

    async def read(self, request: Request, room: Room) -> bytes:
        """Read a body to its end.

        :raises Refusal: if it is too large, comes too slowly, or is not compressed as it says; or if there are too many
        """
        coding = request.headers.get("content-encoding", "identity").strip().lower()
        if coding != "identity" and coding not in _CODINGS:
            msg = f"Content-Encoding {coding!r} is not read: send it as gzip, zstd or deflate, or as it is"
            raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, msg, headers={"Accept-Encoding": "gzip, zstd, deflate"})
        length = request.headers.get("content-length", "")
        announced = int(length) if length.isdecimal() else self._largest
        if announced > self._largest:
            raise self._too_large()
        # A body counts as large as it says it is, or else as large as it may be.
        self._take(room, announced)
        data = await self._receive(request)
        return data if coding == "identity" else await self._decompress(data, _CODINGS[coding], room)

    async def _receive(self, request: Request) -> bytes:
        data = bytearray()
        body = request.stream()
        try:
            while True:
                with anyio.fail_after(self._patience):
                    part = await anext(body, None)
                if part is None:
                    return bytes(data)
                data += part
                if len(data) > self._largest:
                    raise self._too_large()
        except TimeoutError:
            msg = f"nothing came for {self._patience:g}s after {len(data)} bytes; none of them were taken"
            raise Refusal(HTTPStatus.REQUEST_TIMEOUT, msg) from None
        except ClientDisconnect:
            raise Refusal(HTTPStatus.BAD_REQUEST, "the client left before the body was complete") from None
        finally:
            await body.aclose()

    async def _decompress(self, data: bytes, coding: str, room: Room) -> bytes:
        found = bytearray()
        try:
            for piece in _pieces(data, coding):
                self._take(room, len(piece))
                found += piece
                if len(found) > self._largest:
                    raise self._too_large(decompressed=True)
                await checkpoint()
        except SourceError as error:
            raise Refusal(HTTPStatus.BAD_REQUEST, str(error)) from None
        return bytes(found)

    def _take(self, room: Room, size: int) -> None:
        # One body alone always has room, whatever its size.
        if self._in_flight > room.taken and self._in_flight + size > self._most:
            msg = f"{self._in_flight} bytes are being taken in from others already; send it again later"
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, msg, headers=RETRY)
        self._in_flight += size
        room.taken += size

    def _too_large(self, *, decompressed: bool = False) -> Refusal:
        when = " once decompressed" if decompressed else ""
        msg = (
            f"the body is larger than {self._largest} bytes{when}: split it between records, raise engine.max_record in the "
            "daemon's configuration, or drop the file into a spool folder"
        )
        return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, msg)


def _pieces(data: bytes, coding: str) -> Iterator[bytes]:
    if not data:
        return iter(())
    if coding == "deflate":
        return _inflate(data)
    reader = Decompressor(io.BytesIO(data).read, "zstd" if coding == "zstd" else "gzip", "the body")
    return iter(lambda: reader.read(_PIECE), b"")


def _inflate(data: bytes) -> Iterator[bytes]:
    """Decompress what HTTP calls deflate: zlib's format (RFC 9110, 8.4.1.2), or as some clients have it, without its frame."""
    framed = data[0] & 0x0F == zlib.DEFLATED and int.from_bytes(data[:2], "big") % 31 == 0
    stream = zlib.decompressobj(zlib.MAX_WBITS if framed else -zlib.MAX_WBITS)
    try:
        while not stream.eof:
            piece = stream.decompress(data, _PIECE)
            data = stream.unconsumed_tail
            if not piece and not data and not stream.eof:
                msg = "the body ends in the middle of its deflate data: it was cut off"
                raise EndsEarlyError(msg)
            yield piece
    except zlib.error as error:
        msg = f"the body's deflate data cannot be read: {error}"
        raise DamagedError(msg) from None
