"""Read events out of a file of any format that the engine knows, a block at a time."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Generator, Iterator
from pathlib import Path
from stat import S_ISREG
from time import time_ns
from typing import BinaryIO, Final, TypeAlias

import msgspec

from tracegist import _engine
from tracegist.errors import SourceError, TraceNotFound
from tracegist.event import Event

__all__ = ["EventStream", "stream_events"]

Readable: TypeAlias = str | os.PathLike[str] | BinaryIO

_BLOCK: Final = 1 << 20
_REJECTED: Final = b'{"rejected":'


class EventStream:
    """Events in the order of the file; made by :func:`stream_events`.

    `rejected` counts the records so far that could not be read: one bad record does not end the stream.
    """

    def __init__(self, source: Readable, format: str | None = None) -> None:
        self.rejected = 0
        self._source = source
        self._format = format

    def __iter__(self) -> Iterator[Event]:
        """Yield the events.

        :raises TraceNotFound: if the file is not there
        :raises SourceError: if it cannot be read
        :raises ValueError: if the format's name is unknown
        """
        for batch in self._batches():
            yield from batch

    async def __aiter__(self) -> AsyncGenerator[Event, None]:
        """Yield the events; reading and decoding go on in a worker thread."""
        from anyio import to_thread  # noqa: PLC0415 - not needed without an event loop

        batches = self._batches()
        try:
            while (batch := await to_thread.run_sync(next, batches, None)) is not None:
                for event in batch:
                    yield event
        finally:
            batches.close()

    def _batches(self) -> Generator[list[Event], None, None]:
        if not isinstance(self._source, str | os.PathLike):
            yield from self._decoded(self._source)
            return
        path = Path(self._source)
        try:
            with path.open("rb") as file:
                yield from self._decoded(file)
        except FileNotFoundError:
            msg = f"{path}: no such file"
            raise TraceNotFound(msg) from None
        except OSError as error:
            msg = f"{path}: {error.strerror}"
            raise SourceError(msg) from error

    def _decoded(self, file: BinaryIO) -> Iterator[list[Event]]:
        decoder = _engine.Decoder(format=self._format, received=_received(file))
        reader = msgspec.json.Decoder(Event)
        told = self._format
        pending = b""
        while block := file.read(_BLOCK):
            pending += block
            told = told or _engine.detect(pending)
            length = _engine.boundary(pending, format=told) if told else 0
            if length:
                yield self._batch(reader, decoder.decode(pending[:length]))
                pending = pending[length:]
        if pending:
            yield self._batch(reader, decoder.decode(pending))

    def _batch(self, reader: msgspec.json.Decoder[Event], decoded: bytes) -> list[Event]:
        lines = decoded.splitlines()
        events = [reader.decode(line) for line in lines if not line.startswith(_REJECTED)]
        self.rejected += len(lines) - len(events)
        return events


def _received(file: BinaryIO) -> int:
    """Give when the bytes of a file were written, in ns since the epoch; of what is no file, now."""
    try:
        stat = os.fstat(file.fileno())
    except OSError:
        return time_ns()
    return stat.st_mtime_ns if S_ISREG(stat.st_mode) else time_ns()


def stream_events(source: Readable, format: str | None = None) -> EventStream:
    r"""Read the events of a file, with ``for`` or with ``async for``.

    >>> import io
    >>> from tracegist import stream_events
    >>> log = io.BytesIO(b'{"time":"2026-01-01T00:00:00Z","level":"error","msg":"disk full"}\n')
    >>> [(event.kind, event.level, event.message) for event in stream_events(log)]
    [('log', 'error', 'disk full')]

    :param source: a path, or a file open for reading bytes
    :param format: the format's name, or None to tell it by content
    """
    return EventStream(source, format)
