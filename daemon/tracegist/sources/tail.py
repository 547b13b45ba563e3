"""Files that grow, appear, are rotated and truncated: every record of them once.

A stream is one file for as long as it lives, named ``path@inode`` (in hex) after the path it was first seen at. It
keeps that name when the file is renamed; the file that takes its place is another stream. A file written anew in place
(copytruncate) is read from its beginning under the name it had. Where a file was seen last stands in its position.

A scan finds everything; files that were active lately are looked at more often; notifications shorten the wait. A file
whose name is gone is read until nothing has come for a while, and then let go.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Final, Self

import anyio
import structlog
from anyio import to_thread

from tracegist.errors import SourceError
from tracegist.sources._base import Chunk, Position, Progress
from tracegist.sources._identity import printable, unprintable
from tracegist.sources._reader import BLOCK, MAX_RECORD, OverwrittenError, Reading, RecordReader
from tracegist.sources._scan import Found, Key, Patterns, Seen, beside
from tracegist.sources._watch import FolderWatch

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

__all__ = ["TailSource"]

_ACTIVE: Final = 60.0
_COMPARED: Final = 256
_LARGEST_GAP: Final = 20


@dataclass(slots=True, eq=False)
class _File:
    """A file that is followed.

    :param position: where it was read to, while it is not open
    :param gone: when its name was found to be gone
    :param doubtful: whether it was found under a name that does not match, by its inode alone
    :param candidates: what was read of it before a restart, if it is still that file
    :param replaces: streams whose files had its inode before
    :param grown: when it was last found to have grown
    """

    stream: str
    key: Key
    path: str
    size: int
    mtime: int
    position: Position | None = None
    reader: RecordReader | None = None
    gone: float | None = None
    grown: float = -inf
    from_end: bool = False
    blocked: bool = False
    doubtful: bool = False
    other_path: str = ""
    candidates: dict[str, Position] = field(default_factory=dict)
    replaces: set[str] = field(default_factory=set)

    @property
    def offset(self) -> int:
        if self.reader:
            return self.reader.offset
        return self.position.offset if self.position else 0


@dataclass(slots=True)
class _Absent:
    """A stream whose file is not to be seen, kept for a while in case it comes back."""

    progress: Progress
    since: float


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
    :param max_open: files held open
    :param watermark: time of the newest event of a stream, to read on where it is furthest behind
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
    ) -> None:
        self.name = name
        self._patterns = Patterns(patterns, exclude)
        self._reading = Reading(format=format, block=block, max_record=max_record)
        self._from_start = from_start
        self._scan_interval = scan_interval
        self._poll_interval = poll_interval
        self._linger = linger
        self._forget_after = forget_after
        self._max_open = max_open
        self._watermark = watermark
        self._log: FilteringBoundLogger = structlog.get_logger().bind(source=name)
        self._watch = FolderWatch(name, self._hint, retry=max(30.0, scan_interval))
        self._stack = AsyncExitStack()
        self._told: dict[str, str] = {}
        self._reset({})

    async def __aenter__(self) -> Self:
        """Begin to watch."""
        async with AsyncExitStack() as stack:
            tasks = await stack.enter_async_context(anyio.create_task_group())
            tasks.start_soon(self._watch.run)
            stack.callback(tasks.cancel_scope.cancel)
            stack.callback(self._watch.stop)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Let all files go."""
        for file in list(self._open):
            await self._close(file)
        await self._stack.aclose()

    async def chunks(self, progress: Mapping[str, Progress]) -> AsyncGenerator[Chunk, None]:
        """Yield the records of all files, those that are furthest behind first."""
        for file in list(self._open):
            await self._close(file)
        self._reset(progress)
        while True:
            if monotonic() >= self._scan_at:
                await self._scan()
            if monotonic() >= self._poll_at:
                await self._poll()
            if not self._ready:
                await self._rest()
                continue
            chunk = await self._read(self._pick())
            if chunk:
                yield chunk

    async def committed(self, progress: Mapping[str, Progress]) -> Collection[str]:
        """Let go the positions of files that are no more."""
        now = monotonic()
        forgotten = {stream for stream in self._deleted if stream in progress and progress[stream].finished}
        self._deleted -= forgotten
        for stream, absent in list(self._absent.items()):
            if absent.progress.source == self.name and now - absent.since > self._forget_after:
                del self._absent[stream]
                self._inodes.get(absent.progress.position.inode, set()).discard(stream)
                forgotten.add(stream)
        return forgotten

    def _reset(self, progress: Mapping[str, Progress]) -> None:
        now = monotonic()
        self._files: dict[Key, _File] = {}
        self._streams: set[str] = set()
        self._by_path: dict[str, _File] = {}
        self._ready: dict[_File, None] = {}
        self._open: dict[_File, None] = {}
        self._absent = {stream: _Absent(known, now) for stream, known in progress.items() if known.position.inode}
        self._inodes: dict[int, set[str]] = {}
        for stream, absent in self._absent.items():
            self._inodes.setdefault(absent.progress.position.inode, set()).add(stream)
        self._deleted: set[str] = set()
        self._news = anyio.Event()
        self._scan_at = self._poll_at = self._may_scan_at = 0.0
        self._scanned = False
        self._moved = True
        self._folders: set[str] = set()

    # Finding: scan, poll and hints decide which files are ready to be read.

    def _hint(self, modified: Iterable[str], moved: Iterable[str] | None) -> None:
        for path in modified:
            file = self._by_path.get(path)
            if file:
                self._ready[file] = None
                self._news.set()
        if moved is None or any(path in self._by_path or self._patterns.may_match(path) for path in moved):
            self._scan_at = min(self._scan_at, self._may_scan_at)
            self._news.set()

    async def _rest(self) -> None:
        with anyio.move_on_after(max(0.0, min(self._scan_at, self._poll_at) - monotonic())):
            await self._news.wait()
        self._news = anyio.Event()

    async def _scan(self) -> None:
        began = monotonic()
        found = await to_thread.run_sync(self._patterns.find)
        for path, reason in found.problems.items():
            self._warn(path, reason)
        for key, seen in found.files.items():
            file = self._files.get(key)
            if file:
                self._update(file, seen)
            else:
                self._add(key, seen)
        for file in list(self._files.values()):
            if file.key not in found.files:
                await self._lose(file)
        if not self._scanned:
            await self._find_renamed()
            self._scanned = True
        if self._moved or found.folders != self._folders:
            self._index(found)
        now = monotonic()
        self._scan_at = now + self._scan_interval
        self._may_scan_at = now + _LARGEST_GAP * (now - began)

    def _index(self, found: Found) -> None:
        self._moved, self._folders = False, found.folders
        named = [file for file in self._files.values() if file.gone is None]
        self._by_path = {file.path: file for file in named}
        self._by_path.update((file.other_path, file) for file in named if file.other_path)
        self._watch.watch(found.folders | {os.path.dirname(file.other_path) for file in named if file.other_path})

    def _add(self, key: Key, seen: Seen) -> None:
        path = seen.paths[0]
        candidates = self._candidates(key)
        file = _File(self._new_name(path, key), key, path, seen.size, seen.mtime, candidates=candidates)
        file.from_end = not candidates and not self._scanned and not self._from_start
        real = os.path.realpath(path)
        file.other_path = real if real != path else ""
        self._follow(file)

    def _new_name(self, path: str, key: Key) -> str:
        stream = f"{printable(path)}@{key[1]:x}"
        return f"{stream}.{key[0]:x}" if stream in self._streams else stream

    def _follow(self, file: _File) -> None:
        self._moved = True
        self._files[file.key] = file
        self._streams.add(file.stream)
        self._deleted.discard(file.stream)
        self._ready[file] = None

    def _candidates(self, key: Key) -> dict[str, Position]:
        """Find what was read of the file before, perhaps; which of it that is can be told when it is opened."""
        streams = self._inodes.pop(key[1], set()) & self._absent.keys()
        return {stream: self._absent.pop(stream).progress.position for stream in sorted(streams)}

    def _settle(self, file: _File, reader: RecordReader) -> None:
        """Take the name of the stream that the file has turned out to be. Others that had its inode are no more."""
        candidates, file.candidates = file.candidates, {}
        for stream, position in candidates.items():
            if stream == reader.stream:
                continue
            if reader.stream is None and position.offset:
                self._log.info("source.replaced", path=printable(file.path), offset=position.offset)
            if position.device == file.key[0]:
                file.replaces.add(stream)
            else:
                self._keep(stream, position)
        if reader.stream is not None:
            self._streams.discard(file.stream)
            file.stream = reader.stream
            self._follow(file)
        file.replaces.discard(file.stream)

    def _keep(self, stream: str, position: Position) -> None:
        known = Progress(source=self.name, position=position, finished=True)
        self._absent[stream] = _Absent(known, monotonic())
        self._inodes.setdefault(position.inode, set()).add(stream)

    def _update(self, file: _File, seen: Seen) -> None:
        if file.path not in seen.paths:
            self._log.debug("source.renamed", path=printable(seen.paths[0]), was=printable(file.path))
            file.path = seen.paths[0]
            self._moved = True
        if file.gone is not None:
            file.gone, file.doubtful = None, False
            self._moved = True
        if (seen.size, seen.mtime) != (file.size, file.mtime) or file.blocked:
            file.size, file.mtime = seen.size, seen.mtime
            self._ready[file] = None

    async def _lose(self, file: _File) -> None:
        """Take note that the file has no name that matches any more."""
        if file.gone is not None:
            return
        file.gone = monotonic()
        self._moved = True
        if file.reader:
            self._ready[file] = None
        else:
            await self._pursue(file)

    async def _pursue(self, file: _File) -> None:
        """Look for a file that is not open under the name it has been given."""
        path = await to_thread.run_sync(beside, file.path, file.key[1])
        if path is None or (file.doubtful and path == file.path):
            self._drop(file, deleted=False)
            return
        file.path, file.doubtful = path, True
        self._ready[file] = None

    async def _find_renamed(self) -> None:
        """Look for files that were not read to their end and have been renamed while nothing ran."""
        for stream, absent in list(self._absent.items()):
            known = absent.progress
            if known.finished or known.source != self.name:
                continue
            path = await to_thread.run_sync(beside, unprintable(known.position.path), known.position.inode)
            if path is None:
                continue
            try:
                stat = await to_thread.run_sync(os.stat, path)
            except OSError:
                continue
            key = (stat.st_dev, stat.st_ino)
            if key not in self._files and stream in self._absent:
                candidates = self._candidates(key)
                name = self._new_name(path, key)
                gone = monotonic()
                file = _File(name, key, path, stat.st_size, stat.st_mtime_ns, candidates=candidates, gone=gone)
                file.doubtful = True
                self._follow(file)

    async def _poll(self) -> None:
        """Look at those files alone in which something is to be expected."""
        now = monotonic()
        active = [file for file in self._files.values() if file.gone is not None or now - file.grown < _ACTIVE]
        looks = [(file.path, file.reader, file.gone is not None) for file in active]
        stats = await to_thread.run_sync(_stats, looks)
        for file, stat in zip(active, stats, strict=True):
            if stat is None:
                self._scan_at = min(self._scan_at, self._may_scan_at)
                self._ready[file] = None
            elif (stat.st_size, stat.st_mtime_ns) != (file.size, file.mtime) or self._is_done(file):
                file.size, file.mtime = stat.st_size, stat.st_mtime_ns
                self._ready[file] = None
        self._poll_at = monotonic() + self._poll_interval

    def _is_done(self, file: _File) -> bool:
        return file.gone is not None and monotonic() - max(file.gone, file.grown) >= self._linger

    # Reading: one block of one file at a time.

    def _pick(self) -> _File:
        files: Iterable[_File] = self._ready
        watermark = self._watermark
        if watermark and 1 < len(self._ready) <= _COMPARED:
            file = min(files, key=lambda file: self._time(file, watermark))
        else:
            file = next(iter(files))
        del self._ready[file]
        return file

    @staticmethod
    def _time(file: _File, watermark: Callable[[str], int | None]) -> int:
        time = watermark(file.stream) if file.offset else 0
        # Events without a time of their own have that of the file.
        return file.mtime if time is None else time

    async def _read(self, file: _File) -> Chunk | None:
        if self._files.get(file.key) is not file:
            return None
        file.blocked = False
        done = self._is_done(file)
        try:
            reader = file.reader or await self._open_file(file)
            if reader is None:
                return self._remember(file)
            data = await reader.read(last=done)
        except OverwrittenError:
            self._rewind(file)
            return None
        except FileNotFoundError:
            # Renamed or deleted since it was seen: a scan tells which.
            if file.gone is None:
                self._scan_at = min(self._scan_at, self._may_scan_at)
            else:
                await self._pursue(file)
            return None
        except (OSError, SourceError) as error:
            file.blocked = True
            await self._close(file)
            self._warn(file.path, _reason(error))
            return None
        file.size, file.mtime = reader.stat.st_size, reader.stat.st_mtime_ns
        if data:
            file.grown = monotonic()
        if not reader.ended:
            self._ready[file] = None
        finished = done and reader.ended
        chunk = self._chunk(file, reader, data, finished=finished) if data or finished else None
        if finished:
            await self._close(file)
            self._drop(file, deleted=not reader.stat.st_nlink)
        return chunk

    async def _open_file(self, file: _File) -> RecordReader | None:
        """Open a file where it was left; None if it was only opened to remember where its end is."""
        known = {file.stream: file.position} if file.position else file.candidates
        reader = await RecordReader.open(file.path, self._reading, known)
        if (reader.stat.st_dev, reader.stat.st_ino) != file.key:
            # Another file has this name by now.
            await reader.aclose()
            raise FileNotFoundError(file.path)
        if file.doubtful and not _is_same(file, reader):
            await reader.aclose()
            raise FileNotFoundError(file.path)
        file.reader, file.position, file.doubtful = reader, None, False
        self._open[file] = None
        self._told.pop(file.path, None)
        if file.candidates:
            self._settle(file, reader)
        elif known and reader.stream is None:
            self._log.info("source.truncated", path=printable(file.path), offset=known[file.stream].offset)
        while len(self._open) > self._max_open:
            idle = next((one for one in self._open if one is not file and one.gone is None), None)
            if idle is None:
                break
            await self._close(idle)
        if self._from_start or known:
            return reader
        if file.from_end:
            await reader.skip()
        self._ready[file] = None
        return None

    def _rewind(self, file: _File) -> None:
        self._log.info("source.truncated", path=printable(file.path), offset=file.offset)
        if file.reader:
            file.reader.rewind()
        self._ready[file] = None

    def _remember(self, file: _File) -> Chunk | None:
        """Where a file that is not read from its beginning was begun has to outlive a restart."""
        return self._chunk(file, file.reader, b"") if file.reader else None

    def _chunk(self, file: _File, reader: RecordReader, data: bytes, *, finished: bool = False) -> Chunk:
        # Read last, open last: the one to be closed first is the first.
        self._open.pop(file, None)
        self._open[file] = None
        replaces, file.replaces = file.replaces, set()
        return Chunk(
            source=self.name,
            stream=file.stream,
            data=data,
            position=reader.position(file.path),
            received=reader.stat.st_mtime_ns,
            format=self._reading.format,
            finished=finished,
            replaces=replaces,
        )

    async def _close(self, file: _File) -> None:
        reader = file.reader
        if reader:
            file.position, file.reader = reader.position(file.path), None
            self._open.pop(file, None)
            await reader.aclose()

    def _drop(self, file: _File, *, deleted: bool) -> None:
        """Follow a file no longer; unless it was deleted it may come back, and is to be known then."""
        del self._files[file.key]
        self._streams.discard(file.stream)
        self._ready.pop(file, None)
        if deleted:
            self._deleted.add(file.stream)
            return
        positions = {file.stream: file.position} if file.position else file.candidates
        read = max((position.offset for position in positions.values()), default=0)
        if read < file.size:
            self._log.warning("source.vanished", path=printable(file.path), bytes_unread=file.size - read)
        for stream, position in positions.items():
            self._keep(stream, position)

    def _warn(self, path: str, reason: str) -> None:
        """Say once what is wrong with a file; it is tried again all the same."""
        if self._told.get(path) != reason:
            self._told[path] = reason
            event = "source.skipped" if reason.startswith("compressed") else "source.unreadable"
            self._log.warning(event, path=printable(path), reason=reason)


def _is_same(file: _File, reader: RecordReader) -> bool:
    """Tell whether a file found under a name that does not match is the one that was followed, by more than its inode."""
    if file.position or file.candidates:
        return reader.offset > 0
    return (reader.stat.st_size, reader.stat.st_mtime_ns) == (file.size, file.mtime)


def _reason(error: OSError | SourceError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _stats(files: Sequence[tuple[str, RecordReader | None, bool]]) -> list[os.stat_result | None]:
    """Look at files: by what is open if the name is gone, else by name; None where that leads elsewhere or nowhere."""
    stats: list[os.stat_result | None] = []
    for path, reader, gone in files:
        try:
            stat = reader.look() if reader and gone else os.stat(path)
            stats.append(stat if reader is None or os.path.samestat(stat, reader.stat) else None)
        except OSError:
            stats.append(None)
    return stats
