"""What is pushed to the socket, read from the journal like any file: each pusher is a stream, in the order of its pushes.

A position names a segment of the journal and an offset in it. Small pushes that became durable together and are of one
stream go on together. What is missing, segments that somebody took away and frames that are damaged, is a gap of the stream
that has the source's own name.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import AsyncGenerator, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Final, Self, TypeGuard

import structlog

from tracegist._engine import boundary, detect
from tracegist.sources._base import Chunk, Gap, Position, Progress
from tracegist.sources._frames import Damage, Frame, Origin, scan_frames
from tracegist.sources._reader import BLOCK, MAX_RECORD

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from tracegist.sources._journal import Journal
    from tracegist.sources._segments import Segment

__all__ = ["PushSource"]

_READ: Final = 4 << 20
_HEAD: Final = 64 << 10


class PushSource:
    """Read the journal, each pusher as a stream of its own named ``name/pusher``.

    :param name: the source's name in the configuration
    :param journal: entered already, and left after this
    :param format: of pushes that name none; None to tell it by content
    :param block: bytes handed on at once
    :param max_record: bytes of the longest record
    :param keep: commits that cover a segment before it is removed, so that an older one can be gone back to; the newest is
        enough where the journal is half full
    """

    def __init__(
        self,
        name: str,
        journal: Journal,
        *,
        format: str | None = None,
        block: int = BLOCK,
        max_record: int = MAX_RECORD,
        keep: int = 1,
    ) -> None:
        self.name = name
        self._journal = journal
        self._format = format
        self._block = block
        self._max_record = max_record
        self._covers: deque[dict[str, tuple[int, int]]] = deque(maxlen=keep)
        self._log: FilteringBoundLogger = structlog.get_logger().bind(source=name)

    async def __aenter__(self) -> Self:
        """Do nothing: the journal is opened by who takes the pushes."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Do nothing."""

    async def chunks(self, progress: Mapping[str, Progress]) -> AsyncGenerator[Chunk, None]:
        """Yield what was pushed and is not covered by `progress`, in the order of the journal."""
        done = {stream: _place(known.position) for stream, known in progress.items() if known.source == self.name}
        number, offset, wanted = 0, 0, _READ
        # Segments have numbers without a hole: the first one comes at most one behind that of the last position.
        expected = max((place[0] for place in done.values()), default=0) + 1
        while True:
            segment = next((one for one in self._journal.segments if one.number >= number), None)
            if segment is None:
                await self._journal.wait()
                continue
            if segment.number != number:
                if segment.number > expected > 1:
                    yield self._gap(segment, 0, Gap(reason="segments of the journal are gone, and with them pushes"))
                number, offset = segment.number, 0
            if offset >= segment.size:
                if segment.sealed:
                    number, offset = number + 1, 0
                    expected = number
                else:
                    await self._journal.wait()
                continue
            # It may grow meanwhile: frames are whole up to here.
            size = segment.size
            data = await self._journal.read(segment, offset, min(wanted, size - offset))
            ends = offset + len(data) >= size or len(data) < wanted
            found: list[Frame | Damage] = [Damage(offset, size)]
            if data:
                found = [*scan_frames(data, offset, whole=ends)]
            # Before they go on: a commit that comes to it in between must not take the segment for covered.
            segment.seen = found[-1].end if found else offset
            for push in filter(_is_push, found):
                segment.ends[self._stream(push)] = push.end
                self._journal.found(push.origin.source, segment)
            for chunk in self._chunks(segment, found, done):
                yield chunk
            # A frame that is larger than what was read, or damage whose end is not in sight.
            wanted = _READ if found else 4 * wanted
            offset = found[-1].end if found else offset

    async def committed(self, progress: Mapping[str, Progress]) -> Collection[str]:
        """Remove the segments of which every frame is covered; forget streams of which no frame is left."""
        self._covers.append({stream: _place(known.position) for stream, known in progress.items()})
        for segment in self._journal.segments:
            enough = self._covers
            if self._journal.crowded:
                enough = deque(self._covers, 1)
            covered = len(enough) == enough.maxlen and all(
                stream in cover and cover[stream] >= (segment.number, end)
                for cover in enough
                for stream, end in segment.ends.items()
            )
            if segment.seen < segment.size or not covered or not await self._journal.seal(segment):
                break
            await self._journal.remove(segment)
        kept = {os.path.basename(segment.path) for segment in self._journal.segments}
        return {stream for stream, known in progress.items() if os.path.basename(known.position.path) not in kept}

    def _chunks(
        self, segment: Segment, found: list[Frame | Damage], done: Mapping[str, tuple[int, int]]
    ) -> Iterator[Chunk]:
        """Make chunks of frames: the small ones of a stream together, where time and format are the same."""
        runs: dict[str, _Run] = {}
        for one in found:
            if isinstance(one, Damage):
                self._log.warning("journal.damaged", path=segment.path, offset=one.start, bytes=one.end - one.start)
                if done.get(self.name, (0, 0)) < (segment.number, one.end):
                    yield self._gap(segment, one.end, Gap(reason="the journal is damaged", bytes=one.end - one.start))
                continue
            if not _is_push(one):
                continue
            stream = self._stream(one)
            number, offset = done.get(stream, (0, 0))
            if (number, offset) >= (segment.number, one.end):
                continue
            begun = number == segment.number and offset > one.start
            run = runs.get(stream)
            if run and (begun or not run.takes(one, self._block)):
                yield from self._split(stream, segment, run)
                run = None
            if run is None:
                run = runs[stream] = _Run(one.origin, max(0, offset - one.start) if begun else 0)
            run.add(one)
        for stream, run in runs.items():
            yield from self._split(stream, segment, run)

    def _gap(self, segment: Segment, end: int, gap: Gap) -> Chunk:
        position = Position(offset=end, path=segment.path)
        return Chunk(source=self.name, stream=self.name, data=b"", position=position, received=0, gap=gap)

    def _stream(self, frame: Frame) -> str:
        return f"{self.name}/{frame.origin.source}"

    def _split(self, stream: str, segment: Segment, run: _Run) -> Iterator[Chunk]:
        """Cut what is large into blocks that end at record boundaries."""
        format = run.origin.format or self._format
        data = b"".join(run.parts) if len(run.parts) > 1 else run.parts[0]
        begin = run.begin
        # Where records end depends on what they are; what the engine takes them for is its own affair.
        told = format or (detect(data[:_HEAD], whole=len(data) <= _HEAD) if len(data) > self._block else None)
        while begin < len(data):
            end, size = 0, self._block
            while not end:
                block = data[begin : begin + size]
                last = begin + len(block) == len(data)
                end = len(block) if last else boundary(block, format=told, max_record=self._max_record)
                size *= 2
            begin += end
            yield Chunk(
                source=self.name,
                stream=stream,
                data=block[:end],
                position=Position(offset=run.end - len(data) + begin, path=segment.path),
                received=run.origin.received,
                format=format,
            )


class _Run:
    """Frames of one stream that go on together: several, or one that is as large as a block or larger.

    :param begin: bytes of it that are done already
    """

    def __init__(self, origin: Origin, begin: int) -> None:
        self.origin = origin
        self.begin = begin
        self.parts: list[bytes] = []
        self.size = 0
        self.end = 0

    def takes(self, frame: Frame, block: int) -> bool:
        """Tell whether a further frame may go with those that are here."""
        alike = (self.origin.received, self.origin.format) == (frame.origin.received, frame.origin.format)
        return alike and not self.begin and self.size + len(frame.data) <= block

    def add(self, frame: Frame) -> None:
        """Take a frame behind those that are here."""
        self.parts.append(frame.data)
        self.size += len(frame.data)
        self.end = frame.end


def _is_push(found: Frame | Damage) -> TypeGuard[Frame]:
    return isinstance(found, Frame) and not found.origin.table


def _place(position: Position) -> tuple[int, int]:
    stem = os.path.splitext(os.path.basename(position.path))[0]
    return (int(stem), position.offset) if stem.isdecimal() else (0, 0)
