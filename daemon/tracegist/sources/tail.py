"""Files that grow, appear, are rotated and truncated: every record of them once.

A stream is one file for as long as it lives, named ``path@inode`` (in hex) after the path it was first seen at. It
keeps that name when the file is renamed; the file that takes its place is another stream. A file written anew in place
(copytruncate) is read from its beginning under the name it had. Where a file was seen last stands in its position. Of a
copy, compressed perhaps, that rotation made of a file, what was read of the file is not read again.

A file whose name is gone is read until nothing has come for a while, and then let go.
"""

from __future__ import annotations

import os
import resource
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, MutableMapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import islice
from time import monotonic, time_ns
from typing import TYPE_CHECKING, Final, Self

import anyio
import structlog
from anyio import to_thread

from tracegist.errors import SourceError
from tracegist.sources._base import Chunk, Position, Progress
from tracegist.sources._content import SUFFIXES
from tracegist.sources._copies import Original, UnclearError, find_original
from tracegist.sources._follow import File, Files, Pace
from tracegist.sources._identity import printable
from tracegist.sources._reader import BLOCK, MAX_RECORD, OverwrittenError, Reading, RecordReader
from tracegist.sources._scan import Key, Patterns

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

__all__ = ["TailSource"]

_COMPARED: Final = 256
_SETTLED: Final = 1_000_000_000
"""Nanoseconds since it was last written to after which a compressed file is opened."""


class _NoRoomError(Exception):
    """Raised when a file cannot be opened before another is let go."""


@dataclass(slots=True, eq=False)
class _Turn:
    """What becomes of a file whose turn it is.

    :param originals: what it may be a copy of
    :param last: whether it is to be let go at its end
    :param taken: whether its turn came
    :param opened: whether it was opened for it
    :param stream: which of those that it might be it was found to be
    :param before: what was read of it before it was written anew
    :param original: what it turned out to be a copy of
    :param noted: whether it begins at another place than it did, which is to be kept before anything is read
    :param position: where it has been read to
    :param ended: whether that is its end for now
    """

    file: File
    originals: Sequence[Original]
    last: bool
    taken: bool = False
    opened: bool = False
    stream: str | None = None
    before: Position | None = None
    original: Original | None = None
    noted: bool = False
    data: bytes = b""
    position: Position | None = None
    stat: os.stat_result | None = None
    ended: bool = False
    failure: Exception | None = None


class TailSource:
    """Follow the files that patterns match.

    :param name: the source's name in the configuration
    :param patterns: globs, ``**`` for any folders
    :param exclude: patterns of what to leave out: of paths, or of names where there is no slash in them
    :param format: the format of the records, None to tell it by content
    :param from_start: whether files found at the start and never read before are read from their beginning
    :param block: bytes read at once
    :param max_record: bytes after which a record without an end is no longer waited for
    :param scan_interval: seconds between scans
    :param poll_interval: seconds between looks at files that were active within the last minute
    :param linger: seconds a file whose name is gone is still read after it last grew
    :param forget_after: seconds the position of a file that is not to be seen is kept
    :param max_open: files held open; never more than half of what the process may open
    :param watermark: time of the newest event of a stream, to read on where it is furthest behind; called on worker threads
    :param claims: the sources by the files that they follow, shared by all that might follow the same
    """

    def __init__(
        self,
        name: str,
        patterns: Sequence[str],
        exclude: Sequence[str] = (),
        *,
        format: str | None = None,
        from_start: bool = True,
        block: int = BLOCK,
        max_record: int = MAX_RECORD,
        scan_interval: float = 5.0,
        poll_interval: float = 0.5,
        linger: float = 10.0,
        forget_after: float = 3600.0,
        max_open: int = 256,
        watermark: Callable[[str], int | None] | None = None,
        claims: MutableMapping[Key, str] | None = None,
    ) -> None:
        self.name = name
        self._reading = Reading(format=format, block=block, max_record=max_record)
        self._from_start = from_start
        self._max_open = max(1, min(max_open, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2))
        self._watermark = watermark
        pace = Pace(scan=scan_interval, poll=poll_interval, linger=linger, forget=forget_after)
        claims = {} if claims is None else claims
        self._files = Files(name, Patterns(patterns, exclude), pace, from_start=from_start, claims=claims)
        self._log: FilteringBoundLogger = structlog.get_logger().bind(source=name)
        self._stack = AsyncExitStack()
        # Read last, open last: the one to be closed first is the first.
        self._open: dict[File, None] = {}

    async def __aenter__(self) -> Self:
        """Begin to watch."""
        async with AsyncExitStack() as stack:
            tasks = await stack.enter_async_context(anyio.create_task_group())
            tasks.start_soon(self._files.watch.run)
            stack.callback(tasks.cancel_scope.cancel)
            stack.callback(self._files.watch.stop)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Let all files go."""
        await self._close_all()
        self._files.release()
        await self._stack.aclose()

    async def chunks(self, progress: Mapping[str, Progress]) -> AsyncGenerator[Chunk, None]:
        """Yield the records of all files, those that are furthest behind first."""
        await self._close_all()
        self._files.reset(progress)
        while True:
            await self._files.look()
            if not self._files.ready:
                await self._files.rest()
            for chunk in await self._read():
                yield chunk

    async def committed(self, progress: Mapping[str, Progress]) -> Collection[str]:
        """Let go the positions of files that are no more."""
        return self._files.forgotten(progress)

    # On worker threads: choose among the files that are ready, open them and read, one block of one or many small ones.

    def _take_turns(self, turns: list[_Turn]) -> None:
        left = self._reading.block
        for turn in self._furthest_behind_first(turns):
            turn.taken = True
            try:
                self._take(turn)
            except (UnclearError, _NoRoomError, OSError, SourceError) as failure:
                turn.failure = failure
            left -= len(turn.data)
            # What a file was found to be has to be known before copies of it are looked at.
            news = turn.before or turn.original or (turn.opened and turn.file.candidates and not turn.stream)
            if left <= 0 or news or (turn.data and not turn.ended):
                break

    def _furthest_behind_first(self, turns: list[_Turn]) -> list[_Turn]:
        watermark = self._watermark
        if watermark is None or len(turns) < 2:  # noqa: PLR2004 - one is in order
            return turns

        def time(turn: _Turn) -> int:
            newest = watermark(turn.file.stream) if turn.file.offset else 0
            # Events without a time of their own have that of the file.
            return turn.file.mtime if newest is None else newest

        return sorted(turns, key=time)

    def _take(self, turn: _Turn) -> None:
        file, reader = turn.file, turn.file.reader
        if reader is None:
            self._make_room()
            reader = file.reader = self._begin(turn)
            turn.opened, turn.stream = True, reader.stream
            if reader.stream is None:
                turn.before = file.position
                turn.noted = turn.noted or bool(file.position or file.candidates)
            file.position = None
        self._open[file] = None
        try:
            if not turn.noted:
                turn.data = reader.next(last=turn.last)
        except OverwrittenError:
            turn.before, turn.noted = reader.position(file.path), True
            reader.rewind()
        except BaseException:
            self._close(file)
            raise
        turn.position, turn.stat, turn.ended = reader.position(file.path), reader.stat, reader.ended
        # Read last, closed last.
        self._open[file] = self._open.pop(file)
        if turn.ended and (turn.last or (reader.content.packed and reader.content.whole)):
            self._close(file)

    def _begin(self, turn: _Turn) -> RecordReader:
        """Open a file where it was left."""
        file = turn.file
        known = {file.stream: file.position} if file.position else file.candidates
        patient = monotonic() - file.changed < self._files.pace.linger
        settled = not 0 <= time_ns() - file.mtime < _SETTLED
        state = (file.size, file.mtime, settled, patient, *((one.stream, one.offset) for one in turn.originals))
        if file.unclear == state:
            raise UnclearError
        reader = RecordReader.begin(file.path, self._reading, known)
        try:
            self._place(reader, turn, settled=settled, patient=patient)
        except BaseException as error:
            file.unclear = state if isinstance(error, UnclearError) else None
            reader.close()
            raise
        return reader

    def _place(self, reader: RecordReader, turn: _Turn, *, settled: bool, patient: bool) -> None:
        """Move to where a file that was opened goes on.

        :raises FileNotFoundError: if it is not the one that is wanted
        :raises UnclearError: if it cannot be told yet
        """
        file = turn.file
        if (reader.stat.st_dev, reader.stat.st_ino) != file.key:
            # Another file has this name by now.
            raise FileNotFoundError(file.path)
        if file.path.endswith(SUFFIXES) and (not settled or not reader.stat.st_size):
            raise UnclearError
        found = None
        if turn.originals:
            found = find_original(reader.content, turn.originals, patient=patient)
        if found and found[1].offset > reader.offset:
            # Of all that was read of these bytes, in whatever file, the furthest counts.
            turn.original, fingerprint = found
            turn.noted = True
            reader.move(fingerprint)
        elif file.doubtful and not _is_same(file, reader):
            raise FileNotFoundError(file.path)
        elif not (file.position or file.candidates or self._from_start):
            # Where a file that is not read from its beginning was begun has to outlive a restart.
            turn.noted = True
            if file.from_end:
                reader.skip()

    def _make_room(self) -> None:
        while len(self._open) >= self._max_open:
            idle = next((file for file in self._open if file.gone is None), None)
            if idle is None:
                # All of them are rotated ones, which are waited for no longer.
                next(iter(self._open)).hurried = True
                raise _NoRoomError
            self._close(idle)

    def _close(self, file: File) -> None:
        reader, file.reader = file.reader, None
        self._open.pop(file, None)
        if reader:
            file.position = reader.position(file.path)
            reader.close()

    # On the event loop: what follows from it.

    async def _read(self) -> list[Chunk]:
        """Read about a block, of the files that are ready."""
        ready = self._files.ready
        turns = []
        for file in list(islice(ready, _COMPARED)):
            # Whatever is hinted at from now on comes in again.
            del ready[file]
            if self._files.follows(file):
                turns.append(_Turn(file, self._originals(file), self._files.is_over(file)))
        if not turns:
            return []
        await to_thread.run_sync(self._take_turns, turns)
        left = dict.fromkeys(turn.file for turn in turns if not turn.taken)
        self._files.ready = left | self._files.ready
        return [chunk for turn in turns if turn.taken for chunk in await self._conclude(turn)]

    def _originals(self, file: File) -> Sequence[Original]:
        return () if file.reader or file.from_end else self._files.originals(file)

    async def _conclude(self, turn: _Turn) -> list[Chunk]:
        file = turn.file
        if turn.opened:
            self._settle(turn)
        elif turn.before:
            self._truncated(turn.file, turn.before)
        chunks = self._remember(turn)
        if turn.failure:
            await self._excuse(turn, turn.failure)
        if not turn.position or not turn.stat:
            return chunks
        self._files.note(file, turn.stat)
        file.at_end = turn.ended and not turn.noted
        if turn.data:
            self._files.grew(file, first=turn.opened)
        if turn.noted or not turn.ended:
            self._files.ready[file] = None
        finished = turn.last and turn.ended and not turn.noted
        if turn.data or turn.noted or finished:
            chunks.append(self._chunk(file, turn.position, turn.data, finished=finished))
        if finished:
            self._files.drop(file, turn.position, deleted=not turn.stat.st_nlink)
        return chunks

    def _settle(self, turn: _Turn) -> None:
        """Take note of what a file has turned out to be now that it is open."""
        file, original = turn.file, turn.original
        self._files.opened(file)
        if file.candidates:
            turn.before = self._files.settle(file, turn.stream)
        elif turn.before:
            self._truncated(file, turn.before)
        if original and original.position:
            self._log.info(
                "source.copied", path=printable(file.path), was=original.stream, offset=original.position.offset
            )
            self._files.took(file, original)

    def _truncated(self, file: File, before: Position) -> None:
        self._log.info("source.truncated", path=printable(file.path), offset=before.offset)

    def _remember(self, turn: _Turn) -> list[Chunk]:
        """Keep what was read of a file before it was written anew, for a copy may hold more of it."""
        kept = self._files.rewritten(turn.file, turn.before) if turn.before and turn.before.offset else None
        return [self._chunk(turn.file, kept[1].position, stream=kept[0], finished=True)] if kept else []

    async def _excuse(self, turn: _Turn, failure: Exception) -> None:
        """Do what is to be done about a file that could not be read."""
        file = turn.file
        match failure:
            case UnclearError():
                self._files.await_more(file)
            case _NoRoomError():
                self._files.ready[file] = None
                self._files.ready.update(dict.fromkeys(one for one in self._open if one.hurried))
            case FileNotFoundError():
                await self._files.miss(file)
            case SourceError():
                self._files.block(file, str(failure), lasting=True)
            case OSError():
                self._files.block(file, failure.strerror or str(failure), lasting=False)

    def _chunk(
        self, file: File, position: Position, data: bytes = b"", *, stream: str = "", finished: bool = False
    ) -> Chunk:
        replaces, file.replaces = (set(), file.replaces) if stream else (file.replaces, set())
        return Chunk(
            source=self.name,
            stream=stream or file.stream,
            data=data,
            position=position,
            received=file.mtime,
            format=self._reading.format,
            finished=finished,
            replaces=replaces,
        )

    async def _close_all(self) -> None:
        def close() -> None:
            for file in list(self._open):
                self._close(file)

        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(close)


def _is_same(file: File, reader: RecordReader) -> bool:
    """Tell whether a file found under a name that does not match is the one that was followed, by more than its inode."""
    if file.position or file.candidates:
        return reader.offset > 0
    return not file.unseen and (reader.stat.st_size, reader.stat.st_mtime_ns) == (file.size, file.mtime)
