"""OTLP over HTTP (opentelemetry-proto 1.x, docs/specification.md): spans and log records of any OpenTelemetry SDK.

A request is acknowledged once it is in the journal, before its records are decoded: one that cannot be read as a whole is
refused, and what single records are rejected for stands in the ledger. So there is nothing to say in ``partial_success``.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec
from starlette.responses import Response

from tracegist.server.answers import Refusal
from tracegist.server.ingest import Inlet, find_inlet, identity_of, keep

if TYPE_CHECKING:
    from starlette.requests import Request

    from tracegist.server.body import Bodies

__all__ = ["SIGNALS", "Otlp"]

Signal: TypeAlias = Literal["traces", "logs"]
Encoding: TypeAlias = Literal["application/x-protobuf", "application/json"]

SIGNALS: Final[tuple[Signal, ...]] = ("traces", "logs")
_SOURCE: Final = "otlp"
_PROTOBUF: Final = "application/x-protobuf"
_JSON: Final = "application/json"
_PARTS: Final = {"traces": "resourceSpans", "logs": "resourceLogs"}
# google.rpc.Code, which OTLP has for its errors.
_CODES: Final = {
    HTTPStatus.BAD_REQUEST: 3,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: 3,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: 3,
    HTTPStatus.REQUEST_TIMEOUT: 4,
    HTTPStatus.NOT_FOUND: 12,
    HTTPStatus.SERVICE_UNAVAILABLE: 14,
}
_UNKNOWN: Final = 2
_LENGTH_DELIMITED: Final = 2


class _Request(msgspec.Struct, rename="camel"):
    """A request in JSON, as far as it has to be looked at before it is acknowledged."""

    resource_spans: list[msgspec.Raw] | None = None
    resource_logs: list[msgspec.Raw] | None = None
    resource_metrics: list[msgspec.Raw] | None = None


class Otlp:
    """Pushes to ``/v1/traces`` and ``/v1/logs``.

    :param bodies: reads their bodies
    :param find: gives what takes the pushes of a source, or None if nothing does
    """

    def __init__(self, bodies: Bodies, find: Callable[[str], Inlet | None]) -> None:
        self._bodies = bodies
        self._find = find

    async def traces(self, request: Request) -> Response:
        """Take spans."""
        return await self._answer(request, "traces")

    async def logs(self, request: Request) -> Response:
        """Take log records."""
        return await self._answer(request, "logs")

    async def metrics(self, request: Request) -> Response:
        """Refuse metrics, as the Collector does where nothing takes them: SDKs log that and do not try again."""
        msg = "tracegist takes traces and logs, no metrics: set OTEL_METRICS_EXPORTER=none"
        return _refuse(request, Refusal(HTTPStatus.NOT_FOUND, msg))

    async def _answer(self, request: Request, signal: Signal) -> Response:
        try:
            encoding = _encoding(request)
            await self._take(request, signal, encoding)
        except Refusal as refusal:
            return _refuse(request, refusal)
        # An Export…ServiceResponse without partial_success says that all was taken.
        return Response(b"{}" if encoding == _JSON else b"", media_type=encoding)

    async def _take(self, request: Request, signal: Signal, encoding: Encoding) -> None:
        identity = identity_of(request)
        inlet = find_inlet(self._find, _SOURCE)
        with self._bodies.room() as room:
            body = await self._bodies.read(request, room)
            if encoding == _JSON:
                data, form = _json(body, signal), "otlp"
            else:
                data, form = _protobuf(body), "otlp_proto"
            if data:
                await keep(inlet, _SOURCE, data, form, identity)


def _encoding(request: Request) -> Encoding:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == _JSON:
        return "application/json"
    if kind == _PROTOBUF:
        return "application/x-protobuf"
    msg = f"Content-Type {kind!r} is not read: send {_PROTOBUF} or {_JSON}"
    raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, msg)


def _json(body: bytes, signal: Signal) -> bytes:
    """Put a request on one line, as the engine has it; empty if there is nothing in it."""
    try:
        found = msgspec.json.decode(body, type=_Request)
    except (msgspec.MsgspecError, RecursionError) as error:
        msg = f"the body is no OTLP/JSON request: {error}"
        raise Refusal(HTTPStatus.BAD_REQUEST, msg) from None
    parts = {"resourceSpans": found.resource_spans, "resourceLogs": found.resource_logs}
    if strange := next((name for name, part in parts.items() if part and name != _PARTS[signal]), None):
        msg = f"the body has {strange}, and /v1/{signal} takes {_PARTS[signal]}: nothing of it was taken"
        raise Refusal(HTTPStatus.BAD_REQUEST, msg)
    if found.resource_metrics:
        msg = f"the body has resourceMetrics, and /v1/{signal} takes {_PARTS[signal]}: nothing of it was taken"
        raise Refusal(HTTPStatus.BAD_REQUEST, msg)
    # No string of JSON has a raw line break in it.
    return body.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n" if parts[_PARTS[signal]] else b""


def _protobuf(body: bytes) -> bytes:
    """Put the length of a request before it; empty if there is nothing in it.

    Only its outermost fields are looked at: requests of traces and logs have field 1, a message, any number of times.
    """
    at = 0
    try:
        while at < len(body):
            tag, at = _varint(body, at)
            length, at = _varint(body, at)
            if tag != 1 << 3 | _LENGTH_DELIMITED or at + length > len(body):
                raise IndexError  # noqa: TRY301 - the same as running over the end
            at += length
    except IndexError:
        msg = (
            f"the body is no OTLP/protobuf request: its {len(body)} bytes cannot be read near byte {min(at, len(body))}"
        )
        raise Refusal(HTTPStatus.BAD_REQUEST, msg) from None
    return _encode_varint(len(body)) + body if body else b""


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the highest bit says whether there are more
            return value, at
        shift += 7
        if shift > 63:  # noqa: PLR2004 - a varint has ten bytes at most
            raise IndexError


def _encode_varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _refuse(request: Request, refusal: Refusal) -> Response:
    """Answer with a google.rpc.Status, in the encoding of the request."""
    code = _CODES.get(refusal.status, _UNKNOWN)
    text = refusal.message.encode()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == _PROTOBUF:
        body = bytes([1 << 3, code, 2 << 3 | _LENGTH_DELIMITED]) + _encode_varint(len(text)) + text
        return Response(body, refusal.status, refusal.headers, _PROTOBUF)
    return Response(
        msgspec.json.encode({"code": code, "message": refusal.message}), refusal.status, refusal.headers, _JSON
    )
