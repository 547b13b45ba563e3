"""Which files are followed: those that are found, and of each what it was known by before.

A file whose name is gone is looked for under others. What a file was known by, and what it may be a copy of, is handed to
whoever opens it; what it turned out to be is taken note of here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Final

import structlog
from anyio import to_thread

from tracegist.sources._agenda import Agenda
from tracegist.sources._base import Position, Progress
from tracegist.sources._copies import Original, copies, origins, packed_beside
from tracegist.sources._file import File, Pace
from tracegist.sources._identity import printable, unprintable
from tracegist.sources._known import Known
from tracegist.sources._scan import Found, Key, Patterns, Seen, beside
from tracegist.sources._watch import FolderWatch

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

__all__ = ["Files"]

_MOST_DELETED: Final = 256


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
        self._pace = pace
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
        self.agenda = Agenda(self._pace)
        self._foreign: dict[Key, Seen] = {}
        self._streams: set[str] = set()
        self._by_path: dict[str, list[File]] = {}
        self._known = Known(self.name, progress)
        self._deleted: dict[str, None] = {}
        self._scanned = False
        self._moved = True

    def release(self) -> None:
        """Leave all files to other sources."""
        for key in self._all:
            self._claims.pop(key, None)
        self._all.clear()

    def follows(self, file: File) -> bool:
        """Tell whether a file has not been let go meanwhile."""
        return self._all.get(file.key) is file

    async def look(self) -> None:
        """Do what is due."""
        if self.agenda.scan_is_due:
            await self.scan()
        if self.agenda.poll_is_due:
            await self.agenda.poll()

    def warn(self, path: str, reason: str) -> None:
        """Say once what is wrong with a file; it is tried again all the same."""
        if self._told.get(path) != reason:
            self._told[path] = reason
            self._log.warning("source.unreadable", path=printable(path), reason=reason)

    def opened(self, file: File) -> None:
        """Take note that a file could be opened."""
        file.doubtful = False
        self.agenda.unblock(file)
        self._told.pop(file.path, None)

    async def miss(self, file: File) -> None:
        """Take note that a file is not where it was."""
        if file.gone is None:
            # Renamed or deleted since it was seen: a scan tells which.
            self.agenda.scan_soon()
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
        self.agenda.drop(file)
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
        over = {*gone} - {*kept[-_MOST_DELETED:]} | self._known.older(self._pace.forget)
        for stream in over:
            self._deleted.pop(stream, None)
            self._known.forget(stream)
        return over

    def _may_be_copied(self, path: str, *, packed: bool) -> bool:
        return any(self._patterns.may_match(copy) for copy in copies(path, packed=packed))

    # Finding.

    def _hint(self, modified: Iterable[str], moved: Iterable[str] | None) -> None:
        files = [file for path in modified for file in self._by_path.get(path, ())]
        moves = moved is None or any(path in self._by_path or self._patterns.may_match(path) for path in moved)
        self.agenda.hint(files, moved=moves)

    async def scan(self) -> None:
        """Look for all files."""
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
        if not self._scanned:
            await self._find_renamed()
            self._scanned = True
        if self._moved:
            self._index(found)
        self.agenda.scanned(began)

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
        self.agenda.ready[file] = None

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
        if file.noted(seen.size, seen.mtime):
            self.agenda.ready[file] = None

    async def _lose(self, file: File) -> None:
        """Take note that the file has no name that matches any more."""
        if file.gone is not None:
            return
        file.names = ()
        file.gone = monotonic()
        self._moved = True
        self.agenda.expect(file)
        if file.reader:
            self.agenda.ready[file] = None
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
        self.agenda.ready[file] = None

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
        self.agenda.expect(file)
        self._follow(file)


def _plainest(path: str) -> tuple[int, str]:
    """The name to call a file by is the shortest, whatever the order of the folder."""
    return len(path), path
