"""Which files are followed, and which of them are ready to be read: scans, looks and hints decide.

A scan finds everything; files that were active lately are looked at more often; notifications shorten the wait. A file
whose name is gone is looked for under others. What a file was known by before is handed to whoever opens it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from time import monotonic, time_ns
from typing import TYPE_CHECKING, Final

import anyio
import structlog
from anyio import to_thread

from tracegist.sources._base import Position, Progress
from tracegist.sources._copies import Original, copies, origins, packed_beside
from tracegist.sources._identity import first_path, printable, unprintable
from tracegist.sources._known import Known
from tracegist.sources._scan import Found, Key, Patterns, Seen, beside
from tracegist.sources._watch import FolderWatch

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from tracegist.sources._reader import RecordReader

__all__ = ["File", "Files", "Pace"]

_ACTIVE: Final = 60.0
_MOST_LOOKED_AT: Final = 512
_MOST_DELETED: Final = 256
_LARGEST_GAP: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often files are looked at, and how long they are waited for; all in seconds.

    :param scan: between scans
    :param poll: between looks at files that were active within the last minute
    :param linger: how long a file whose name is gone is still read after it last grew
    :param forget: how long the position of a file that is not to be seen is kept
    """

    scan: float = 5.0
    poll: float = 0.5
    linger: float = 10.0
    forget: float = 3600.0


@dataclass(slots=True, eq=False)
class File:
    """A file that is followed.

    :param other_path: the path behind links
    :param names: all its paths that match
    :param position: where it was read to, while it is not open
    :param gone: when its name was found to be gone
    :param doubtful: whether it was found under a name that does not match, by its inode or its content alone
    :param unseen: whether it was never seen under a name that matches
    :param candidates: what was read of it before a restart, if it is still that file
    :param replaces: streams whose files had its inode before
    :param grown: when it was last found to have grown
    :param changed: when it was last found to be another size, or was found at all
    :param at_end: whether there was nothing more to be read in it
    :param copy_of: paths of what it is a copy of
    :param unclear: what was known when it could not be told whether it is a copy
    :param hurried: whether it is let go as soon as it has been read to its end
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
    changed: float = field(default_factory=monotonic)
    from_end: bool = False
    doubtful: bool = False
    unseen: bool = False
    hurried: bool = False
    at_end: bool = False
    copy_of: set[str] = field(default_factory=set)
    unclear: tuple[object, ...] | None = None
    other_path: str = ""
    names: Sequence[str] = ()
    candidates: dict[str, Position] = field(default_factory=dict)
    replaces: set[str] = field(default_factory=set)

    def paths(self) -> set[str]:
        """All paths under which its copies may look for it: those it has, had, or may have had."""
        had = {first_path(stream) for stream in (self.stream, *self.candidates)}
        last = {unprintable(position.path) for position in self.candidates.values()}
        return {self.path, self.other_path, *self.names, *self.copy_of} | had | last

    @property
    def offset(self) -> int:
        """Bytes read so far."""
        if self.reader:
            return self.reader.offset
        return self.position.offset if self.position else 0


class Files:
    """Finds the files of one source, and knows them again.

    :param name: the source's
    :param from_start: whether files found at the start and never read before are read from their beginning
    :param claims: the sources by the files that they follow, shared by all sources that follow files
    """

    def __init__(
        self, name: str, patterns: Patterns, pace: Pace, *, from_start: bool, claims: MutableMapping[Key, str]
    ) -> None:
        self.name = name
        self.pace = pace
        self.watch = FolderWatch(name, self._hint, retry=max(30.0, pace.scan))
        self._patterns = patterns
        self._from_start = from_start
        self._claims = claims
        self._log: FilteringBoundLogger = structlog.get_logger().bind(source=name)
        self._told: dict[str, str] = {}
        self._all: dict[Key, File] = {}
        self.reset({})

    def reset(self, progress: Mapping[str, Progress]) -> None:
        """Begin anew with what has become of every stream so far."""
        self.release()
        self._patterns.forget()
        self.ready: dict[File, None] = {}
        self.waiting: dict[File, None] = {}
        self._active: dict[File, None] = {}
        self._blocked: set[File] = set()
        self._foreign: dict[Key, Seen] = {}
        self._streams: set[str] = set()
        self._by_path: dict[str, list[File]] = {}
        self._known = Known(self.name, progress)
        self._deleted: dict[str, None] = {}
        self._news = anyio.Event()
        self._scan_at = self._poll_at = self._may_scan_at = 0.0
        self._scanned = False
        self._moved = True

    def release(self) -> None:
        """Leave all files to other sources."""
        for key in self._all:
            self._claims.pop(key, None)
        self._all.clear()

    async def look(self) -> None:
        """Do what is due."""
        if monotonic() >= self._scan_at:
            await self._scan()
        if monotonic() >= self._poll_at:
            await self._poll()

    async def rest(self) -> None:
        """Wait until something is due, or there is a hint."""
        due = min(self._scan_at, self._poll_at if self._active or self.waiting else inf)
        with anyio.move_on_after(max(0.0, due - monotonic())):
            await self._news.wait()
        self._news = anyio.Event()

    def follows(self, file: File) -> bool:
        """Tell whether a file has not been let go meanwhile."""
        return self._all.get(file.key) is file

    def is_over(self, file: File) -> bool:
        """Tell whether nothing more is waited for in a file whose name is gone."""
        if file.gone is None:
            return False
        return file.hurried or monotonic() - max(file.gone, file.grown) >= self.pace.linger

    def grew(self, file: File, *, first: bool) -> None:
        """Take note that there was more in a file: more may be expected, unless it was read for the first time and is old."""
        file.grown = monotonic()
        if first and time_ns() - file.mtime > _ACTIVE * 1e9:
            return
        self._active.pop(file, None)
        self._active[file] = None
        if len(self._active) > _MOST_LOOKED_AT:
            # The scan finds what is in those.
            self._active.pop(next(iter(self._active)))

    def block(self, file: File, reason: str, *, lasting: bool) -> None:
        """Take note that a file cannot be read; it is tried again at every scan, or when it has changed if that is lasting."""
        if not lasting:
            self._blocked.add(file)
        self.warn(file.path, reason)

    def await_more(self, file: File) -> None:
        """Look again at a file of which it cannot be told yet what it is: soon, or at every scan if it has been so for long."""
        if monotonic() - file.changed > _ACTIVE:
            self._blocked.add(file)
            return
        self.waiting[file] = None
        self._poll_at = min(self._poll_at, monotonic() + self.pace.poll)

    def warn(self, path: str, reason: str) -> None:
        """Say once what is wrong with a file; it is tried again all the same."""
        if self._told.get(path) != reason:
            self._told[path] = reason
            self._log.warning("source.unreadable", path=printable(path), reason=reason)

    def opened(self, file: File) -> None:
        """Take note that a file could be opened."""
        file.doubtful = False
        self._blocked.discard(file)
        self._told.pop(file.path, None)

    async def miss(self, file: File) -> None:
        """Take note that a file is not where it was."""
        if file.gone is None:
            # Renamed or deleted since it was seen: a scan tells which.
            self._scan_at = min(self._scan_at, self._may_scan_at)
        else:
            await self._pursue(file)

    # What is known of files before they are opened, and of what became of them.

    def originals(self, file: File) -> list[Original]:
        """Find what a file may be a copy of."""
        found: dict[str, Original] = {}
        for path in origins(file.path):
            for other in self._by_path.get(path, ()):
                if other is not file and self.follows(other):
                    found[other.stream] = Original(other.stream, file=other)
            for stream, position in self._known.at(path):
                found[stream] = Original(stream, position)
        return list(found.values())

    def settle(self, file: File, stream: str | None) -> Position | None:
        """Take the name of the stream that a file has turned out to be. Others that had its inode are no more.

        :return: what was read of the file before it was written anew, if anything was
        """
        before = None
        candidates, file.candidates = file.candidates, {}
        for name, position in candidates.items():
            if name == stream:
                continue
            if stream is None and position.offset:
                self._log.info("source.replaced", path=printable(file.path), offset=position.offset)
                before = position
            if position.device == file.key[0]:
                file.replaces.add(name)
            else:
                self._known.keep(name, position)
        if stream is not None:
            self.rename(file, stream)
        file.replaces.discard(file.stream)
        return before

    def rename(self, file: File, stream: str) -> None:
        """Go on with a stream in another file than the one it was followed in."""
        self._streams.discard(file.stream)
        file.stream = stream
        self._known.forget(stream)
        self._follow(file)

    def took(self, file: File, original: Original) -> None:
        """Go on in a copy, which has all that there will be of its original. There may be further copies of it."""
        file.copy_of.update(origins(file.path))
        for path in file.copy_of:
            self._by_path.setdefault(path, []).append(file)
        if original.file:
            return
        self._known.forget(original.stream)
        file.replaces.add(original.stream)

    def rewritten(self, file: File, position: Position) -> tuple[str, Progress] | None:
        """Remember what was read of a file that is written anew, if there may be a copy of it.

        :return: what is to be kept, with no inode: it is to be found by its content alone
        """
        if not self._may_be_copied(unprintable(position.path), packed=False):
            return None
        stream = next(name for number in range(1, 1 << 30) if (name := f"{file.stream}~{number}") not in self._known)
        return stream, self._known.keep(stream, replace(position, device=0, inode=0))

    def drop(self, file: File, position: Position | None, *, deleted: bool) -> None:
        """Follow a file no longer; unless it was deleted it may come back, and is to be known then."""
        del self._all[file.key]
        self._claims.pop(file.key, None)
        self._streams.discard(file.stream)
        self._blocked.discard(file)
        for group in (self.ready, self.waiting, self._active):
            group.pop(file, None)
        self._moved = True
        if deleted and position:
            self._deleted[file.stream] = None
            if self._may_be_copied(file.path, packed=True):
                # Compressed perhaps, which ends with the deletion of what was compressed.
                self._known.keep(file.stream, position)
            return
        positions = {file.stream: position} if position else file.candidates
        read = max((position.offset for position in positions.values()), default=0)
        if read < file.size and (positions or not file.unseen):
            self._log.warning("source.vanished", path=printable(file.path), bytes_unread=file.size - read)
        for stream, known in positions.items():
            self._known.keep(stream, known)

    def forgotten(self, progress: Mapping[str, Progress]) -> set[str]:
        """Let go the positions of files that are no more."""
        gone = [stream for stream in self._deleted if stream in progress and progress[stream].finished]
        kept = [stream for stream in gone if stream in self._known]
        over = {*gone} - {*kept[-_MOST_DELETED:]} | self._known.older(self.pace.forget)
        for stream in over:
            self._deleted.pop(stream, None)
            self._known.forget(stream)
        return over

    def _may_be_copied(self, path: str, *, packed: bool) -> bool:
        return any(self._patterns.may_match(copy) for copy in copies(path, packed=packed))

    # Finding.

    def _hint(self, modified: Iterable[str], moved: Iterable[str] | None) -> None:
        for path in modified:
            for file in self._by_path.get(path, ()):
                if file.gone is None:
                    self.ready[file] = None
                    self._news.set()
        if moved is None or any(path in self._by_path or self._patterns.may_match(path) for path in moved):
            self._scan_at = min(self._scan_at, self._may_scan_at)
            self._news.set()

    async def _scan(self) -> None:
        began = monotonic()
        found = await to_thread.run_sync(self._patterns.find)
        for path, reason in found.problems.items():
            self.warn(path, reason)
        for seen in found.changed:
            file = self._all.get(seen.key)
            if file:
                self._update(file, seen)
            else:
                self._add(seen)
        for key in found.gone:
            self._foreign.pop(key, None)
            if key in self._all:
                await self._lose(self._all[key])
        for seen in list(self._foreign.values()):
            self._add(seen)
        self.ready.update(dict.fromkeys(self._blocked))
        if not self._scanned:
            await self._find_renamed()
            self._scanned = True
        if self._moved:
            self._index(found)
        now = monotonic()
        self._scan_at = now + self.pace.scan
        self._may_scan_at = now + _LARGEST_GAP * (now - began)

    def _index(self, found: Found) -> None:
        self._moved = False
        self._by_path = {}
        for file in self._all.values():
            for path in file.paths() - {""}:
                self._by_path.setdefault(path, []).append(file)
        others = {os.path.dirname(file.other_path) for file in self._all.values() if file.other_path}
        self.watch.watch(found.folders | others)

    def _add(self, seen: Seen) -> None:
        path, key = min(seen.paths, key=_plainest), seen.key
        owner = self._claims.setdefault(key, self.name)
        if owner != self.name:
            if key not in self._foreign:
                self._log.info("source.shared", path=printable(path), reason=f"it is read by the source {owner}")
            self._foreign[key] = seen
            return
        self._foreign.pop(key, None)
        candidates = self._known.take(key[1])
        file = File(self._new_name(path, key), key, path, seen.size, seen.mtime, candidates=candidates)
        file.from_end = not candidates and not self._scanned and not self._from_start
        file.other_path, file.names = seen.real, seen.paths
        self._follow(file)

    def _new_name(self, path: str, key: Key) -> str:
        stream = f"{printable(path)}@{key[1]:x}"
        return f"{stream}.{key[0]:x}" if stream in self._streams else stream

    def _follow(self, file: File) -> None:
        self._moved = True
        self._all[file.key] = file
        self._streams.add(file.stream)
        self._deleted.pop(file.stream, None)
        self.ready[file] = None

    def _update(self, file: File, seen: Seen) -> None:
        if len(file.names) != len(seen.paths):
            self._moved = True
        file.names = seen.paths
        if file.path not in seen.paths:
            path = min(seen.paths, key=_plainest)
            self._log.debug("source.renamed", path=printable(path), was=printable(file.path))
            file.path = path
            self._moved = True
        if file.gone is not None:
            file.gone, file.doubtful, file.unseen = None, False, False
            self._moved = True
        if (seen.size, seen.mtime) != (file.size, file.mtime):
            file.size, file.mtime, file.changed, file.at_end = seen.size, seen.mtime, monotonic(), False
            self.ready[file] = None

    @staticmethod
    def note(file: File, stat: os.stat_result) -> bool:
        """Take note of how large a file is and when it was written to; tell whether that is news."""
        if (stat.st_size, stat.st_mtime_ns) == (file.size, file.mtime):
            return False
        file.size, file.mtime, file.changed, file.at_end = stat.st_size, stat.st_mtime_ns, monotonic(), False
        return True

    async def _lose(self, file: File) -> None:
        """Take note that the file has no name that matches any more."""
        if file.gone is not None:
            return
        file.names = ()
        file.gone = monotonic()
        self._moved = True
        self._active[file] = None
        if file.reader:
            self.ready[file] = None
        else:
            await self._pursue(file)

    async def _pursue(self, file: File) -> None:
        """Look for a file that is not open under the name it has been given, or for a compressed copy of it."""
        path = await to_thread.run_sync(beside, file.path, file.key[1])
        if path is None or (file.doubtful and path == file.path):
            self.drop(file, file.position, deleted=False)
            if file.position and file.position.offset < file.size:
                await self._find_packed(file.path)
            return
        file.path, file.doubtful = path, True
        self.ready[file] = None

    async def _find_renamed(self) -> None:
        """Look for files that were not read to their end and have been renamed while nothing ran."""
        for stream, position in self._known.unfinished():
            if stream not in self._known:
                continue
            path = await to_thread.run_sync(beside, unprintable(position.path), position.inode)
            if path:
                await self._follow_doubtful(path)
            else:
                await self._find_packed(unprintable(position.path))

    async def _find_packed(self, path: str) -> None:
        """Look for copies that rotation has compressed under names that do not match."""
        for copy in await to_thread.run_sync(packed_beside, path):
            if not self._patterns.may_match(copy):
                await self._follow_doubtful(copy)

    async def _follow_doubtful(self, path: str) -> None:
        """Follow a file that matches no pattern, if it is what is left of one that did."""
        try:
            stat = await to_thread.run_sync(os.stat, path)
        except OSError:
            return
        key = (stat.st_dev, stat.st_ino)
        if key in self._all or self._claims.setdefault(key, self.name) != self.name:
            return
        file = File(self._new_name(path, key), key, path, stat.st_size, stat.st_mtime_ns, gone=monotonic())
        file.candidates, file.doubtful, file.unseen = self._known.take(key[1]), True, True
        self._active[file] = None
        self._follow(file)

    async def _poll(self) -> None:
        """Look at those files alone in which something is to be expected."""
        now = monotonic()
        for file in [file for file in self._active if file.gone is None and now - file.grown >= _ACTIVE]:
            del self._active[file]
        # One that was found by its inode alone is known by what it was when it had its name, until it is opened.
        files = [file for file in {**self._active, **self.waiting} if not file.doubtful]
        looks = [(file.path, file.reader, file.gone is not None) for file in files]
        stats = await to_thread.run_sync(_stats, looks) if looks else []
        for file, stat in zip(files, stats, strict=True):
            if stat is None:
                self._scan_at = min(self._scan_at, self._may_scan_at)
                self.ready[file] = None
            elif self.note(file, stat) or self.is_over(file):
                self.ready[file] = None
        self.ready.update(self.waiting)
        self.waiting.clear()
        self._poll_at = monotonic() + self.pace.poll


def _plainest(path: str) -> tuple[int, str]:
    """The name to call a file by is the shortest, whatever the order of the folder."""
    return len(path), path


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
