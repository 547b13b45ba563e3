"""Take events in over the socket: they are on the disk before they are acknowledged, and read from there like any file."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Protocol, get_args

import anyio
from starlette.requests import ClientDisconnect

from tracegist.config import Format
from tracegist.errors import SourceError
from tracegist.server.answers import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

__all__ = ["Ingest", "Inlet"]

_FORMATS: Final = get_args(Format)
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
# Bytes on their way in at once; each body counts as large as it says it is, or else as large as it may be.
IN_FLIGHT: Final = 64 << 20
_PATIENCE: Final = 30.0
_RETRY: Final = {"Retry-After": "1"}


class Inlet(Protocol):
    """Where pushed bytes go: :class:`tracegist.sources.Journal` is one."""

    async def append(
        self,
        source_name: str,
        data: bytes,
        format: str | None = None,
        *,
        producer: str = "",
        sequence: int | None = None,
    ) -> bool:
        """Keep whole records so that they survive a crash; tell whether they had not been kept already.

        :raises SourceError: if there is no room for them at the moment
        :raises OSError: if the disk does not take them
        """


class Ingest:
    """Reads request bodies within limits and hands them on.

    :param largest: bytes of a body at most; more than :data:`IN_FLIGHT` is never taken
    :param patience: seconds to wait for the next part of a body
    """

    def __init__(self, *, largest: int, patience: float = _PATIENCE) -> None:
        self.largest = min(largest, IN_FLIGHT)
        self._patience = patience
        self._in_flight = 0

    async def take(self, request: Request, find: Callable[[str], Inlet | None]) -> int:
        """Read the body of a request and push it.

        :param find: gives what takes the pushes of a source, or None if nothing does
        :return: bytes taken
        :raises Refusal: if something about the request, the body or the disk is not as it should be
        """
        source = self._source(request)
        form = self._format(request)
        try:
            inlet = find(source)
        except SourceError as error:
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, str(error), headers=_RETRY) from None
        if inlet is None:
            msg = (
                'this daemon takes nothing in over the socket: add [[sources]] with type = "push" to its configuration'
            )
            raise Refusal(HTTPStatus.NOT_FOUND, msg)
        announced = self._announced(request)
        reserved = self._reserve(announced)
        try:
            data = await self._read(request)
            if not data:
                raise Refusal(
                    HTTPStatus.BAD_REQUEST, "the body is empty: send events, as curl --data-binary @FILE does"
                )
            await inlet.append(source, data, form)
        except SourceError as error:
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, str(error), headers=_RETRY) from None
        except OSError as error:
            msg = f"it could not be kept: {error.filename}: {error.strerror}; send it again later"
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, msg, headers=_RETRY) from None
        finally:
            self._in_flight -= reserved
        return len(data)

    def _source(self, request: Request) -> str:
        source = request.path_params["source"]
        if not _NAME.fullmatch(source):
            msg = f'{source!r} is no name for a source: use up to 64 letters, digits, "_", "-" and "."'
            raise Refusal(HTTPStatus.BAD_REQUEST, msg)
        return str(source)

    def _format(self, request: Request) -> str | None:
        form = request.query_params.get("format")
        if form is not None and form not in _FORMATS:
            raise Refusal(HTTPStatus.BAD_REQUEST, f"format {form!r} is none of {', '.join(_FORMATS)}")
        coding = request.headers.get("content-encoding", "identity")
        if coding.lower() != "identity":
            msg = f"Content-Encoding {coding!r} is not read: send the bytes as they are"
            raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, msg, headers={"Accept-Encoding": "identity"})
        return form

    def _announced(self, request: Request) -> int:
        length = request.headers.get("content-length", "")
        announced = int(length) if length.isdecimal() else self.largest
        if announced > self.largest:
            raise self._too_large()
        return announced

    def _reserve(self, announced: int) -> int:
        if self._in_flight + announced > IN_FLIGHT:
            msg = f"{self._in_flight} bytes are being taken in from others already; send it again later"
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, msg, headers=_RETRY)
        self._in_flight += announced
        return announced

    async def _read(self, request: Request) -> bytes:
        data = bytearray()
        body = request.stream()
        try:
            while True:
                with anyio.fail_after(self._patience):
                    part = await anext(body, None)
                if part is None:
                    return bytes(data)
                data += part
                if len(data) > self.largest:
                    raise self._too_large()
        except TimeoutError:
            msg = f"nothing came for {self._patience:g}s after {len(data)} bytes; none of them were taken"
            raise Refusal(HTTPStatus.REQUEST_TIMEOUT, msg) from None
        except ClientDisconnect:
            raise Refusal(HTTPStatus.BAD_REQUEST, "the client left before the body was complete") from None
        finally:
            await body.aclose()

    def _too_large(self) -> Refusal:
        msg = f"the body is larger than {self.largest} bytes: split it between lines, or drop the file into a spool folder"
        return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, msg)
