"""The journal: what is pushed is appended to it, acknowledged once durable, and removed when a commit covers it.

It is a folder of segments, each a row of frames. Pushes that come while the disk is busy share one fsync. Each segment begins
with what is known of producers, so that those before it can go.
"""

from __future__ import annotations

import os
import re
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import time_ns
from typing import TYPE_CHECKING, Final, Self

import anyio
import msgspec
import structlog
from anyio import to_thread

from tracegist._engine import detect
from tracegist.errors import SourceError
from tracegist.sources._frames import OVERHEAD, Frame, Origin, encode_frame, scan_frames, torn_at
from tracegist.sources._producers import Producers
from tracegist.sources._pushers import OTHER, Pushers
from tracegist.sources._segments import Segment, Segments

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

__all__ = ["Journal", "JournalFull"]

_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LONGEST_KEY: Final = 255
_BINARY: Final = "otlp_proto"
_LOOK: Final = 64 << 10


class JournalFull(SourceError):
    """Raised when the journal holds as much as it may and what it holds is not committed yet: push again later."""


@dataclass(slots=True, eq=False)
class _Batch:
    """Pushes that become durable together."""

    frames: list[tuple[Origin, bytes]] = field(default_factory=list)
    size: int = 0
    done: anyio.Event = field(default_factory=anyio.Event)
    error: OSError | None = None


class Journal:
    """Bytes pushed and not committed yet, safe on disk.

    :param folder: made if it is not there; nobody else writes to it
    :param max_bytes: of all segments together; beyond that pushes are refused
    :param segment_bytes: after which a new segment is begun
    :param producers: of how many producers, and keys, it is remembered what they have pushed
    :param sources: names kept apart; who pushes under a further one shares a stream with others
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        max_bytes: int = 256 << 20,
        segment_bytes: int = 16 << 20,
        producers: int = 10_000,
        sources: int = 2000,
    ) -> None:
        self._folder = os.path.abspath(folder)
        self._max_bytes = max_bytes
        self._segment_bytes = min(segment_bytes, max(1, max_bytes // 4))
        self._segments = Segments(self._folder)
        self._batch = _Batch()
        self._wanted = anyio.Event()
        self._appended = anyio.Event()
        self._waiting = 0
        self._producers = Producers(producers)
        self._pushers = Pushers(sources)
        self._under_way: dict[tuple[str, int | None], _Batch] = {}
        self._duplicates = 0
        self._crowd_told = False
        self._turn = anyio.Lock()
        self._stack = AsyncExitStack()
        self._log: FilteringBoundLogger = structlog.get_logger()

    async def __aenter__(self) -> Self:
        """Find what was left, and begin a segment.

        :raises OSError: if the folder cannot be made or written to
        """
        await to_thread.run_sync(self._open)
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
        self._segments.close()

    @property
    def size(self) -> int:
        """Bytes on disk and on their way there."""
        return self._segments.size + self._waiting

    @property
    def crowded(self) -> bool:
        """Whether it is half full: what can be removed should be."""
        return self.size > self._max_bytes // 2

    @property
    def figures(self) -> dict[str, int]:
        """How full it is, and what it knows of producers."""
        return {
            "journal_bytes": self.size,
            "journal_max_bytes": self._max_bytes,
            "producers": len(self._producers),
            "duplicates": self._duplicates,
            **self._pushers.figures,
        }

    async def append(
        self,
        source_name: str,
        data: bytes,
        format: str | None = None,
        *,
        producer: str = "",
        sequence: int | None = None,
    ) -> bool:
        """Keep a push, and return once it is durable.

        :param source_name: who pushes: up to 64 letters, digits, ``.``, ``_`` and ``-``
        :param data: whole records; the last one needs no newline
        :param format: their format, None to tell it by content
        :param producer: who numbers its pushes, so that none counts twice; without a number, a key of this push alone
        :param sequence: the number, which only grows
        :return: whether it was kept; not if it had been already
        :raises JournalFull: if there is no room until more was committed
        :raises SourceError: if a name cannot be used, or the push can never fit
        :raises OSError: if the disk does not take it
        """
        _check(source_name, producer)
        if not data:
            return True
        identity = (producer, sequence)
        if producer and (twin := self._under_way.get(identity)):
            # What becomes of the one that was first becomes of this one.
            await self._settled(twin)
        if producer and self._producers.knows(producer, sequence):
            self._duplicates += 1
            return False
        if not (data.endswith(b"\n") or format == _BINARY or (format is None and _is_binary(data))):
            data += b"\n"
        length = self._room(len(data))
        name = self._enter(source_name)
        if name == OTHER and format is None:
            # Others may write otherwise: each push is told by itself.
            format = detect(data[:_LOOK], whole=len(data) <= _LOOK)
        batch = self._batch
        self._waiting += length
        batch.size += length
        batch.frames.append((Origin(name, 0, format, producer, sequence), data))
        if producer:
            self._under_way[identity] = batch
        self._wanted.set()
        await self._settled(batch)
        return True

    def _room(self, length: int) -> int:
        """Bytes that a push takes, if there is room for them."""
        needed = OVERHEAD + length
        if needed > self._max_bytes - self._segment_bytes:
            msg = (
                f"a push of {length} bytes will never have room in a journal of {self._max_bytes}: "
                "push it in pieces, or raise max_journal"
            )
            raise SourceError(msg)
        if self.size + needed > self._max_bytes:
            msg = (
                f"the journal is full: {self.size} of {self._max_bytes} bytes (max_journal) wait to be committed; "
                "push again later"
            )
            raise JournalFull(msg)
        return needed

    def _enter(self, source_name: str) -> str:
        there = self._segments.all
        name = self._pushers.enter(source_name, there[-1].number if there else 0, there[0].number if there else 0)
        if name == OTHER and not self._crowd_told:
            self._crowd_told = True
            self._log.warning("journal.names_shared", path=self._folder, name=source_name, **self._pushers.figures)
        return name

    async def _settled(self, batch: _Batch) -> None:
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
                async with self._turn:
                    await to_thread.run_sync(self._write, batch.frames)
            except OSError as error:
                batch.error = error
                self._log.warning("journal.write_failed", path=self._folder, reason=error.strerror or str(error))
        self._waiting -= batch.size
        newest = self._segments.all[-1].number if self._segments.all else 0
        for origin, _ in batch.frames:
            self._pushers.wrote(origin.source, newest)
            if origin.producer:
                self._under_way.pop((origin.producer, origin.sequence), None)
                if batch.error is None:
                    self._producers.keep(origin.producer, origin.sequence)
        batch.done.set()
        self._appended.set()
        self._appended = anyio.Event()

    def _write(self, frames: list[tuple[Origin, bytes]]) -> None:
        newest = self._segments.all[-1] if self._segments.all else None
        if newest is None or not self._segments.open or newest.size >= self._segment_bytes:
            self._begin()
        received = time_ns()
        parts: list[bytes] = []
        for origin, data in frames:
            parts += encode_frame(msgspec.structs.replace(origin, received=received), data)
        self._segments.append(parts)

    def _open(self) -> None:
        self._segments.find()
        self._remember()
        self._begin()

    def _begin(self) -> None:
        """Begin a segment with what is known of producers, lest that goes with the ones before."""
        self._segments.begin()
        self._pushers.begin()
        if table := self._producers.encode():
            self._segments.append([*encode_frame(Origin("", time_ns(), table=True), table)])

    def _remember(self) -> None:
        """Find out what producers have pushed, from the newest table on; cut off what was never written to its end."""
        tail: list[list[Frame]] = []
        for segment in reversed(self._segments.all):
            data = Path(segment.path).read_bytes()
            found = [*scan_frames(data, 0, whole=True)]
            frames = [one for one in found if isinstance(one, Frame)]
            # Only the newest was being written when the process ended, and what it has acknowledged is whole.
            if segment is self._segments.all[-1] and (torn := torn_at(data, found)) is not None:
                self._log.info("journal.torn", path=segment.path, offset=torn, bytes=len(data) - torn)
                self._segments.cut(segment, torn)
            tail.append([one for one in frames if one.origin.table or one.origin.producer])
            if any(one.origin.table for one in frames):
                break
        for frames in reversed(tail):
            for one in frames:
                if one.origin.table:
                    try:
                        self._producers.load(one.data)
                    except ValueError as error:
                        self._log.warning("journal.producers_forgotten", path=self._folder, reason=str(error))
                else:
                    self._producers.keep(one.origin.producer, one.origin.sequence)

    # What follows is for the source alone.

    @property
    def segments(self) -> tuple[Segment, ...]:
        """All that are there, oldest first."""
        return self._segments.all

    async def wait(self) -> None:
        """Wait until something is appended."""
        await self._appended.wait()

    async def read(self, segment: Segment, start: int, size: int) -> bytes:
        """Read up to `size` durable bytes of a segment from an offset on."""
        return await to_thread.run_sync(self._segments.read, segment, start, size)

    def found(self, source_name: str, segment: Segment) -> None:
        """Note that something of a name is in a segment, which an earlier process may have written."""
        self._pushers.wrote(source_name, segment.number)

    async def seal(self, segment: Segment) -> bool:
        """Append no more to a segment that is large, or if names want room, so that it can be removed; tell if that is so."""
        async with self._turn:
            enough = segment.size >= self._segment_bytes or self._pushers.wanting
            if not segment.sealed and enough and segment.seen == segment.size:
                with anyio.CancelScope(shield=True):
                    await to_thread.run_sync(self._begin)
        return segment.sealed

    async def remove(self, segment: Segment) -> None:
        """Remove a segment that is covered by a commit."""
        await to_thread.run_sync(self._segments.remove, segment)


def _check(source_name: str, producer: str) -> None:
    if not _NAME.fullmatch(source_name):
        msg = f'source name {source_name[:80]!r}: use up to 64 letters, digits, ".", "_" and "-"'
        raise SourceError(msg)
    if len(producer) > _LONGEST_KEY or not producer.isascii() or (producer and not producer.isprintable()):
        msg = f"producer or key {producer[:80]!r}: use up to {_LONGEST_KEY} printable characters of ASCII"
        raise SourceError(msg)


def _is_binary(data: bytes) -> bool:
    """Whether a newline at its end would be one byte too many."""
    return detect(data[:_LOOK], whole=len(data) <= _LOOK) == _BINARY
