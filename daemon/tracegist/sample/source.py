"""Replay the recording: what is past at once, the rest when it is due."""

from __future__ import annotations

import lzma
import re
import time
from collections.abc import AsyncGenerator, Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final, Self

import anyio
import anyio.to_thread
import structlog

from tracegist.sources import Chunk, Position, Progress

__all__ = ["SampleSource"]

_STREAM: Final = "sample/nezha.jsonl"
_BLOCK: Final = 1 << 20
# In a JSON string a quote would be escaped: nothing but a member of an OTLP object looks like this.
_TIME: Final = re.compile(rb'([tT]imeUnixNano":")(\d{1,20})"')


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the recording, moved in time; `due` when the last of its events ended, in ns since the epoch."""

    due: int
    data: bytes


class SampleSource:
    """The recording as a source.

    :param name: the source's name
    :param start: when the faulty part begins, in ns since the epoch; None for the moment of reading
    :param speed: seconds of the recording that pass in a second
    """

    def __init__(self, name: str = "sample", *, start: int | None = None, speed: float = 1.0) -> None:
        self.name = name
        self._start = start
        self._speed = speed
        self._log = structlog.stdlib.get_logger(__name__)

    async def __aenter__(self) -> Self:
        """Nothing to open."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Nothing to close."""

    async def chunks(self, progress: Mapping[str, Progress]) -> AsyncGenerator[Chunk, None]:
        """Yield the quiet part, then each line of the faulty part when it is due; a recording begun before is not repeated.

        It is moved to another time at every start, so that it could not be gone on with.
        """
        if _STREAM in progress:
            self._log.info("sample.played_before", source=self.name)
            return
        start = time.time_ns() if self._start is None else self._start
        quiet, faulty = await anyio.to_thread.run_sync(_load, start)
        offset = 0
        for block in _blocks(quiet):
            offset += len(block)
            yield self._chunk(block, offset, start)
        began = time.monotonic()
        for line in faulty:
            await anyio.sleep(max(0.0, began + (line.due - start) / 1e9 / self._speed - time.monotonic()))
            offset += len(line.data)
            yield self._chunk(line.data, offset, line.due)
        self._log.info("sample.ended", source=self.name, reason="the recording is over; the summary stays as it is")

    async def committed(self, progress: Mapping[str, Progress]) -> Collection[str]:
        """Nothing can be let go: the recording is part of the program."""
        del progress
        return ()

    def _chunk(self, data: bytes, offset: int, received: int) -> Chunk:
        position = Position(offset=offset, path=_STREAM)
        return Chunk(source=self.name, stream=_STREAM, data=data, position=position, received=received, format="otlp")


def _load(start: int) -> tuple[list[_Line], list[_Line]]:
    """Read both parts, moved in time so that the quiet one ends at `start`."""
    quiet, faulty = (
        lzma.decompress((files(__package__) / f"{name}.jsonl.xz").read_bytes()).splitlines(keepends=True)
        for name in ("quiet", "faulty")
    )
    by = start - max(map(_newest, quiet)) - 1
    return [_moved(line, by) for line in quiet], sorted(
        (_moved(line, by) for line in faulty), key=lambda line: line.due
    )


def _newest(line: bytes) -> int:
    return max(int(found[2]) for found in _TIME.finditer(line))


def _moved(line: bytes, by: int) -> _Line:
    newest = 0

    def move(found: re.Match[bytes]) -> bytes:
        nonlocal newest
        at = int(found[2]) + by
        newest = max(newest, at)
        return b'%b%d"' % (found[1], at)

    moved = _TIME.sub(move, line)
    return _Line(newest, moved)


def _blocks(lines: list[_Line]) -> Iterator[bytes]:
    block = bytearray()
    for line in lines:
        if block and len(block) + len(line.data) > _BLOCK:
            yield bytes(block)
            block.clear()
        block += line.data
    if block:
        yield bytes(block)
