"""What is pushed to the socket: appended to a journal, acknowledged once durable, and read from there like any file.

The journal is a folder of segments, each a row of frames: a fixed head (magic, lengths, CRC-32), a JSON object that
says from whom and when, and the bytes. Several pushes share one fsync. A position names a segment and an offset in it;
segments are numbered by the time they were begun, so that numbers only grow, and a restart always begins a new one.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import AsyncGenerator, Collection, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import time_ns
from typing import TYPE_CHECKING, Final, Self
from zlib import crc32

import anyio
import msgspec
import structlog
from anyio import to_thread

from tracegist._engine import boundary
from tracegist.errors import SourceError
from tracegist.sources._base import Chunk, Position, Progress
from tracegist.sources._reader import BLOCK, MAX_RECORD

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

__all__ = ["Journal", "JournalFull", "PushSource"]

_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEAD: Final = struct.Struct("<4sIII")
_MAGIC: Final = b"TGJ1"
_SUFFIX: Final = ".journal"
_READ: Final = 4 << 20


class JournalFull(SourceError):
    """Raised when the journal holds as much as it may and what it holds is not committed yet: push again later."""


class _Origin(msgspec.Struct, frozen=True, omit_defaults=True):
    """What stands beside the bytes of a frame."""

    source: str
    received: int
    format: str | None = None


@dataclass(slots=True, eq=False)
class _Batch:
    """Pushes that become durable together."""

    frames: list[tuple[str, str | None, bytes]] = field(default_factory=list)
    size: int = 0
    done: anyio.Event = field(default_factory=anyio.Event)
    error: OSError | None = None


@dataclass(slots=True)
class _Segment:
    """One file of the journal.

    :param size: bytes that are durable
    :param ends: for each stream, the end of its last frame read so far
    :param sealed: whether nothing more is appended
    :param read: whether all of it was read
    """

    number: int
    path: str
    size: int = 0
    ends: dict[str, int] = field(default_factory=dict)
    sealed: bool = False
    read: bool = False


@dataclass(frozen=True, slots=True)
class _Frame:
    origin: _Origin
    data: bytes
    start: int
    end: int


class Journal:
    """Bytes pushed and not committed yet, safe on disk.

    :param folder: made if it is not there; nobody else writes to it
    :param max_bytes: of all segments together; beyond that pushes are refused
    :param segment_bytes: after which a new segment is begun
    """

    def __init__(self, folder: Path | str, *, max_bytes: int = 256 << 20, segment_bytes: int = 16 << 20) -> None:
        self._folder = os.path.abspath(folder)
        self._max_bytes = max_bytes
        self._segment_bytes = min(segment_bytes, max(1, max_bytes // 4))
        self._segments: tuple[_Segment, ...] = ()
        self._file: int | None = None
        self._batch = _Batch()
        self._wanted = anyio.Event()
        self._appended = anyio.Event()
        self._waiting = 0
        self._stack = AsyncExitStack()
        self._log: FilteringBoundLogger = structlog.get_logger()

    async def __aenter__(self) -> Self:
        """Find what was left, and begin a segment.

        :raises OSError: if the folder cannot be made or written to
        """
        self._segments = tuple(await to_thread.run_sync(self._find))
        await to_thread.run_sync(self._begin)
        async with AsyncExitStack() as stack:
            tasks = await stack.enter_async_context(anyio.create_task_group())
            tasks.start_soon(self._write_batches)
            stack.callback(tasks.cancel_scope.cancel)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Stop taking pushes; those that wait for the disk are still served."""
        await self._stack.aclose()
        if self._batch.frames:
            await self._write_batch()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    @property
    def size(self) -> int:
        """Bytes on disk and on their way there."""
        return sum(segment.size for segment in self._segments) + self._waiting

    async def append(self, source_name: str, data: bytes, format: str | None = None) -> None:
        """Keep a push, and return once it is durable.

        :param source_name: who pushes: up to 64 letters, digits, ``.``, ``_`` and ``-``
        :param data: whole records; the last one needs no newline
        :param format: their format, None to tell it by content
        :raises JournalFull: if there is no room until more was committed
        :raises SourceError: if the name cannot be used, or the push can never fit
        :raises OSError: if the disk does not take it
        """
        if not _NAME.fullmatch(source_name):
            msg = f'source name {source_name[:80]!r}: use up to 64 letters, digits, ".", "_" and "-"'
            raise SourceError(msg)
        if not data:
            return
        if not data.endswith(b"\n"):
            data += b"\n"
        length = _HEAD.size + 256 + len(data)
        if length > self._max_bytes:
            msg = f"a push of {len(data)} bytes: the journal holds {self._max_bytes} at most; push it in pieces"
            raise SourceError(msg)
        if self.size + length > self._max_bytes:
            msg = f"the journal is full ({self.size} of {self._max_bytes} bytes wait to be committed); push again later"
            raise JournalFull(msg)
        batch = self._batch
        self._waiting += length
        batch.size += length
        batch.frames.append((source_name, format, data))
        self._wanted.set()
        await batch.done.wait()
        if batch.error:
            raise OSError(batch.error.errno, batch.error.strerror, self._folder)

    async def _write_batches(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted = anyio.Event()
            await self._write_batch()

    async def _write_batch(self) -> None:
        batch, self._batch = self._batch, _Batch()
        # Shielded: what has begun to be written is acknowledged or refused, whatever is cancelled meanwhile.
        with anyio.CancelScope(shield=True):
            try:
                await to_thread.run_sync(self._write, batch.frames)
            except OSError as error:
                batch.error = error
                self._log.warning("journal.write_failed", path=self._folder, reason=error.strerror or str(error))
        self._waiting -= batch.size
        batch.done.set()
        self._appended.set()
        self._appended = anyio.Event()

    def _write(self, frames: list[tuple[str, str | None, bytes]]) -> None:
        """Write frames behind what is durable; on failure nothing of them is left to be read."""
        segment = self._segments[-1]
        if self._file is None or segment.size >= self._segment_bytes:
            segment = self._begin()
        descriptor = self._file
        if descriptor is None:
            raise AssertionError
        received = time_ns()
        size = segment.size
        try:
            for source, format, data in frames:
                origin = msgspec.json.encode(_Origin(source, received, format))
                head = _HEAD.pack(_MAGIC, len(origin), len(data), crc32(data, crc32(origin)))
                for part in (head + origin, data):
                    _write_all(descriptor, part)
                    size += len(part)
            os.fdatasync(descriptor)
        except OSError:
            # What a failed fsync has left behind is unknown: the segment ends where it was durable last.
            self._file = None
            os.close(descriptor)
            os.truncate(segment.path, segment.size)
            raise
        segment.size = size

    def _begin(self) -> _Segment:
        number = max(time_ns(), self._segments[-1].number + 1 if self._segments else 0)
        path = os.path.join(self._folder, f"{number:020}{_SUFFIX}")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        _sync_folder(self._folder)
        if self._file is not None:
            os.close(self._file)
        self._file = descriptor
        for segment in self._segments:
            segment.sealed = True
        segment = _Segment(number, path)
        self._segments = (*self._segments, segment)
        return segment

    def _find(self) -> list[_Segment]:
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        segments = []
        for name in sorted(os.listdir(self._folder)):
            stem, suffix = os.path.splitext(name)
            if suffix == _SUFFIX and stem.isdecimal():
                path = os.path.join(self._folder, name)
                segments.append(_Segment(int(stem), path, os.path.getsize(path), sealed=True))
        return segments

    # What follows is for the source alone.

    @property
    def segments(self) -> tuple[_Segment, ...]:
        """All that are there, oldest first."""
        return self._segments

    async def wait(self) -> None:
        """Wait until something is appended."""
        await self._appended.wait()

    async def read(self, segment: _Segment, start: int, size: int) -> bytes:
        """Read up to `size` durable bytes of a segment from an offset on."""

        def read() -> bytes:
            with open(segment.path, "rb") as file:
                file.seek(start)
                return file.read(max(0, min(segment.size - start, size)))

        return await to_thread.run_sync(read)

    async def remove(self, segment: _Segment) -> None:
        """Remove a segment that is covered by a commit."""
        await to_thread.run_sync(_unlink, segment.path)
        self._segments = tuple(one for one in self._segments if one is not segment)


class PushSource:
    """Read the journal, each pusher as a stream of its own named ``name/pusher``.

    :param name: the source's name in the configuration
    :param journal: entered already, and left after this
    :param format: of pushes that name none; None to tell it by content
    :param block: bytes handed on at once
    :param max_record: bytes of the longest record
    """

    def __init__(
        self,
        name: str,
        journal: Journal,
        *,
        format: str | None = None,
        block: int = BLOCK,
        max_record: int = MAX_RECORD,
    ) -> None:
        self.name = name
        self._journal = journal
        self._format = format
        self._block = block
        self._max_record = max_record
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
        while True:
            segment = next((one for one in self._journal.segments if one.number >= number), None)
            if segment is None:
                await self._journal.wait()
                continue
            if segment.number != number:
                number, offset = segment.number, 0
            if offset >= segment.size:
                if segment.sealed:
                    segment.read = True
                    number += 1
                else:
                    await self._journal.wait()
                continue
            size = wanted
            data = await self._journal.read(segment, offset, size)
            start, left = offset, segment.size - offset
            for frame in _frames(data, offset):
                stream = f"{self.name}/{frame.origin.source}"
                segment.ends[stream] = offset = frame.end
                for chunk in self._split(stream, segment, frame, done.get(stream, (0, 0))):
                    yield chunk
            if offset > start:
                wanted = _READ
            elif left > size:
                wanted *= 4
            else:
                # Behind the last push that a process killed in the middle of it never acknowledged.
                self._log.warning("journal.damaged", path=segment.path, offset=offset, bytes=left)
                offset, wanted = offset + left, _READ

    async def committed(self, progress: Mapping[str, Progress]) -> Collection[str]:
        """Remove the segments of which every frame is covered; forget streams of which no frame is left."""
        for segment in self._journal.segments:
            covered = all(
                stream in progress and _place(progress[stream].position) >= (segment.number, end)
                for stream, end in segment.ends.items()
            )
            if not (segment.read and covered):
                break
            await self._journal.remove(segment)
        kept = {os.path.basename(segment.path) for segment in self._journal.segments}
        return {stream for stream, known in progress.items() if os.path.basename(known.position.path) not in kept}

    def _split(self, stream: str, segment: _Segment, frame: _Frame, done: tuple[int, int]) -> Iterator[Chunk]:
        """Cut a frame into blocks that end at record boundaries, from where it was read to."""
        if done >= (segment.number, frame.end):
            return
        format = frame.origin.format or self._format
        begin = max(0, done[1] - frame.start) if done[0] == segment.number else 0
        while begin < len(frame.data):
            end, size = 0, self._block
            while not end:
                block = frame.data[begin : begin + size]
                last = begin + len(block) == len(frame.data)
                end = len(block) if last else boundary(block, format=format, max_record=self._max_record)
                size *= 2
            yield Chunk(
                source=self.name,
                stream=stream,
                data=block[:end],
                position=Position(offset=frame.start + begin + end, path=segment.path),
                received=frame.origin.received,
                format=format,
            )
            begin += end


def _frames(data: bytes, offset: int) -> Iterator[_Frame]:
    """Yield the whole and undamaged frames that `data`, which lies at an offset of its segment, begins with."""
    at = 0
    while at + _HEAD.size <= len(data):
        magic, origin_length, length, checksum = _HEAD.unpack_from(data, at)
        start = at + _HEAD.size + origin_length
        end = start + length
        origin, body = data[at + _HEAD.size : start], data[start:end]
        if magic != _MAGIC or end > len(data) or crc32(body, crc32(origin)) != checksum:
            return
        yield _Frame(msgspec.json.decode(origin, type=_Origin), body, offset + start, offset + end)
        at = end


def _place(position: Position) -> tuple[int, int]:
    stem = os.path.splitext(os.path.basename(position.path))[0]
    return (int(stem), position.offset) if stem.isdecimal() else (0, 0)


def _unlink(path: str) -> None:
    Path(path).unlink(missing_ok=True)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
