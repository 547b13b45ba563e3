"""Take events in over the socket: they are on the disk before they are acknowledged, and read from there like any file.

A push that says who sends it and which it is (``?producer=NAME&sequence=NUMBER``, or a key of its own in the header
Idempotency-Key, draft-ietf-httpapi-idempotency-key-header) counts once, however often it comes.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, get_args

from tracegist.config import Format
from tracegist.errors import SourceError
from tracegist.server.answers import Refusal
from tracegist.server.body import RETRY, Bodies

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

__all__ = ["Identity", "Ingest", "Inlet", "Taken", "find_inlet", "identity_of", "keep"]

_FORMATS: Final = get_args(Format)
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_KEY: Final = re.compile(r'"?([\x20\x21\x23-\x5b\x5d-\x7e]{1,200})"?')
_LARGEST_SEQUENCE: Final = (1 << 63) - 1
_PARAMETERS: Final = ("format", "producer", "sequence")


class Identity(NamedTuple):
    """Which push it is; nobody knows if the producer is empty."""

    producer: str = ""
    sequence: int | None = None


class Taken(NamedTuple):
    """What has become of a push: so many bytes, and whether they were here before."""

    bytes: int
    duplicate: bool


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
    """Pushes to ``/ingest/{source}``.

    :param bodies: reads their bodies
    """

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies

    async def take(self, request: Request, find: Callable[[str], Inlet | None]) -> Taken:
        """Read the body of a request and push it.

        :param find: gives what takes the pushes of a source, or None if nothing does
        :raises Refusal: if something about the request, the body or the disk is not as it should be
        """
        source = _source(request)
        if unknown := [name for name in request.query_params if name not in _PARAMETERS]:
            msg = f"unknown parameter {unknown[0]!r}; known: {', '.join(_PARAMETERS)}"
            raise Refusal(HTTPStatus.BAD_REQUEST, msg)
        form = _format(request)
        identity = identity_of(request)
        inlet = find_inlet(find, source)
        with self._bodies.room() as room:
            data = await self._bodies.read(request, room)
            if not data:
                raise Refusal(
                    HTTPStatus.BAD_REQUEST, "the body is empty: send events, as curl --data-binary @FILE does"
                )
            kept = await keep(inlet, source, data, form, identity)
        return Taken(len(data), not kept)


def find_inlet(find: Callable[[str], Inlet | None], source: str) -> Inlet:
    """Find what takes the pushes of a source.

    :raises Refusal: if nothing does, or nothing at the moment
    """
    try:
        inlet = find(source)
    except SourceError as error:
        raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, str(error), headers=RETRY) from None
    if inlet is None:
        msg = 'this daemon takes nothing in over the socket: add [[sources]] with type = "push" to its configuration'
        raise Refusal(HTTPStatus.NOT_FOUND, msg)
    return inlet


async def keep(inlet: Inlet, source: str, data: bytes, form: str | None, identity: Identity) -> bool:
    """Put a push where it is safe; tell whether it is new.

    :raises Refusal: if that cannot be done at the moment
    """
    try:
        return await inlet.append(source, data, form, producer=identity.producer, sequence=identity.sequence)
    except SourceError as error:
        raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, str(error), headers=RETRY) from None
    except OSError as error:
        msg = f"it could not be kept: {error.filename}: {error.strerror}; send it again later"
        raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, msg, headers=RETRY) from None


def identity_of(request: Request) -> Identity:
    """Read which push it is, if the request says so.

    :raises Refusal: if it does not say it in full
    """
    key = request.headers.get("idempotency-key")
    producer, sequence = (request.query_params.get(name) for name in ("producer", "sequence"))
    if producer is None and sequence is None:
        if key is None:
            return Identity()
        match = _KEY.fullmatch(key)
        if match is None:
            msg = f"Idempotency-Key {key[:80]!r} is no key: use up to 200 printable characters of ASCII between quotes"
            raise Refusal(HTTPStatus.BAD_REQUEST, msg)
        # In quotes, which no producer's name may have.
        return Identity(f'"{match[1]}"')
    if producer is None or sequence is None or key is not None:
        msg = "a push says which it is by producer and sequence together, or else by an Idempotency-Key"
        raise Refusal(HTTPStatus.BAD_REQUEST, msg)
    if not _NAME.fullmatch(producer):
        msg = f'producer {producer[:80]!r}: use up to 64 letters, digits, "_", "-" and "."'
        raise Refusal(HTTPStatus.BAD_REQUEST, msg)
    if not (sequence.isascii() and sequence.isdecimal() and len(sequence) < 20 and int(sequence) <= _LARGEST_SEQUENCE):  # noqa: PLR2004
        msg = f"sequence {sequence[:80]!r} is no number: count a producer's pushes, and never begin anew under its name"
        raise Refusal(HTTPStatus.BAD_REQUEST, msg)
    return Identity(producer, int(sequence))


def _source(request: Request) -> str:
    source = request.path_params["source"]
    if not _NAME.fullmatch(source):
        msg = f'{source!r} is no name for a source: use up to 64 letters, digits, "_", "-" and "."'
        raise Refusal(HTTPStatus.BAD_REQUEST, msg)
    return str(source)


def _format(request: Request) -> str | None:
    form = request.query_params.get("format")
    if form is not None and form not in _FORMATS:
        raise Refusal(HTTPStatus.BAD_REQUEST, f"format {form!r} is none of {', '.join(_FORMATS)}")
    return form
