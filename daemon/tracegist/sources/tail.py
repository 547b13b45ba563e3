"""Files that grow, appear, are rotated and truncated: every record of them once.

A stream is one file for as long as it lives, named ``path@inode`` (in hex) after the path it was first seen at. It
keeps that name when the file is renamed; the file that takes its place is another stream. A file written anew in place
(copytruncate) is read from its beginning under the name it had. Where a file was seen last stands in its position. Of a
copy, compressed perhaps, that rotation made of a file, what was read of the file is not read again.

A file whose name is gone is read until nothing has come for a while, and then let go.
"""

from __future__ import annotations

import resource
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, MutableMapping, Sequence
from contextlib import AsyncExitStack
from itertools import islice
from typing import TYPE_CHECKING, Final, Self

import anyio
import structlog
from anyio import to_thread

from tracegist.errors import SourceError
from tracegist.sources._base import Chunk, Position, Progress
from tracegist.sources._copies import Original, UnclearError
from tracegist.sources._file import File, Pace
from tracegist.sources._follow import Files
from tracegist.sources._identity import printable
from tracegist.sources._reader import BLOCK, MAX_RECORD, Reading
from tracegist.sources._scan import Key, Patterns
from tracegist.sources._turns import NoRoomError, Turn, Turns

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

__all__ = ["TailSource"]

_COMPARED: Final = 256


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
        pace = Pace(scan=scan_interval, poll=poll_interval, linger=linger, forget=forget_after)
        claims = {} if claims is None else claims
        self._files = Files(name, Patterns(patterns, exclude), pace, from_start=from_start, claims=claims)
        self._log: FilteringBoundLogger = structlog.get_logger().bind(source=name)
        self._stack = AsyncExitStack()
        self._turns = Turns(
            self._reading,
            from_start=from_start,
            max_open=max(1, min(max_open, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)),
            linger=linger,
            watermark=watermark,
        )

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
            if not self._files.agenda.ready:
                await self._files.agenda.rest()
            for chunk in await self._read():
                yield chunk

    async def committed(self, progress: Mapping[str, Progress]) -> Collection[str]:
        """Let go the positions of files that are no more."""
        return self._files.forgotten(progress)

    # On the event loop: what follows from it.

    async def _read(self) -> list[Chunk]:
        """Read about a block, of the files that are ready."""
        ready = self._files.agenda.ready
        turns = []
        for file in list(islice(ready, _COMPARED)):
            # Whatever is hinted at from now on comes in again.
            del ready[file]
            if self._files.follows(file):
                turns.append(Turn(file, self._originals(file), self._files.agenda.is_over(file)))
        if not turns:
            return []
        await to_thread.run_sync(self._turns.take, turns)
        left = dict.fromkeys(turn.file for turn in turns if not turn.taken)
        self._files.agenda.ready = left | self._files.agenda.ready
        return [chunk for turn in turns if turn.taken for chunk in await self._conclude(turn)]

    def _originals(self, file: File) -> Sequence[Original]:
        return () if file.reader or file.from_end else self._files.originals(file)

    async def _conclude(self, turn: Turn) -> list[Chunk]:
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
        file.note(turn.stat)
        file.at_end = turn.ended and not turn.noted
        if turn.damage:
            self._files.warn(file.path, turn.damage)
        if turn.data:
            self._files.agenda.grew(file, first=turn.opened)
        if turn.noted or not turn.ended:
            self._files.agenda.ready[file] = None
        finished = turn.last and turn.ended and not turn.noted
        if turn.data or turn.noted or finished:
            chunks.append(self._chunk(file, turn.position, turn.data, finished=finished))
        if finished:
            self._files.drop(file, turn.position, deleted=not turn.stat.st_nlink)
        return chunks

    def _settle(self, turn: Turn) -> None:
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

    def _remember(self, turn: Turn) -> list[Chunk]:
        """Keep what was read of a file before it was written anew, for a copy may hold more of it."""
        kept = self._files.rewritten(turn.file, turn.before) if turn.before and turn.before.offset else None
        return [self._chunk(turn.file, kept[1].position, stream=kept[0], finished=True)] if kept else []

    async def _excuse(self, turn: Turn, failure: Exception) -> None:
        """Do what is to be done about a file that could not be read."""
        file = turn.file
        match failure:
            case UnclearError():
                self._files.agenda.await_more(file)
            case NoRoomError():
                self._files.agenda.ready[file] = None
                self._files.agenda.ready.update(dict.fromkeys(self._turns.hurried))
            case FileNotFoundError():
                await self._files.miss(file)
            case SourceError():
                self._files.warn(file.path, str(failure))
            case OSError():
                self._files.warn(file.path, failure.strerror or str(failure))
                self._files.agenda.block(file)

    def _chunk(
        self, file: File, position: Position, data: bytes = b"", *, stream: str = "", finished: bool = False
    ) -> Chunk:
        replaces, file.replaces = (set(), file.replaces) if stream else (file.replaces, set())
        name = stream or file.stream
        return Chunk(
            source=self.name,
            stream=name,
            data=data,
            position=position,
            received=file.mtime,
            format=self._reading.format,
            finished=finished,
            replaces=replaces,
            origin=name.rpartition("@")[0],
        )

    async def _close_all(self) -> None:
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(self._turns.close)
