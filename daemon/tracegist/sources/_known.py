"""Streams whose files are not to be seen: kept for a while, in case a file comes back or a copy of it appears."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import TypeVar

from tracegist.sources._base import Position, Progress
from tracegist.sources._identity import first_path, unprintable

__all__ = ["Absent", "Known"]

_K = TypeVar("_K")


@dataclass(frozen=True, slots=True)
class Absent:
    """What is known of a stream, and since when its file has not been seen."""

    progress: Progress
    since: float

    @property
    def position(self) -> Position:
        """Where it was read to."""
        return self.progress.position


class Known:
    """What was read before, found by the inode it had or the path it was seen at last.

    A position without an inode is of what a file held before it was written anew: it is found by its path alone.

    :param source: name of the source
    """

    def __init__(self, source: str, progress: Mapping[str, Progress]) -> None:
        self._source = source
        self._absent: dict[str, Absent] = {}
        self._by_inode: dict[int, set[str]] = {}
        self._by_path: dict[str, set[str]] = {}
        for stream, known in progress.items():
            if known.position.inode or (known.source == source and known.position.head_length):
                self._add(stream, known)

    def __contains__(self, stream: str) -> bool:
        return stream in self._absent

    def keep(self, stream: str, position: Position) -> Progress:
        """Keep what is known of a file that is not to be seen any more."""
        known = Progress(source=self._source, position=position, finished=True)
        self._add(stream, known)
        return known

    def forget(self, stream: str) -> None:
        """Keep a stream no longer."""
        absent = self._absent.pop(stream, None)
        if absent:
            _discard(self._by_inode, absent.position.inode, stream)
            for path in _paths(stream, absent.position):
                _discard(self._by_path, path, stream)

    def take(self, inode: int) -> dict[str, Position]:
        """Hand over, and keep no longer, the streams whose files had an inode."""
        found = {stream: self._absent[stream].position for stream in sorted(self._by_inode.get(inode, ()))}
        for stream in found:
            self.forget(stream)
        return found

    def at(self, path: str) -> Iterator[tuple[str, Position]]:
        """The streams whose files were first or last seen at a path."""
        return ((stream, self._absent[stream].position) for stream in sorted(self._by_path.get(path, ())))

    def unfinished(self) -> list[tuple[str, Position]]:
        """Those of this source's own streams that were not read to their end."""
        return [
            (stream, absent.position)
            for stream, absent in self._absent.items()
            if absent.progress.source == self._source and not absent.progress.finished
        ]

    def older(self, seconds: float) -> set[str]:
        """Those of this source's own streams that have been kept for longer."""
        since = monotonic() - seconds
        return {
            stream
            for stream, absent in self._absent.items()
            if absent.progress.source == self._source and absent.since < since
        }

    def _add(self, stream: str, known: Progress) -> None:
        self._absent[stream] = Absent(known, monotonic())
        if known.position.inode:
            self._by_inode.setdefault(known.position.inode, set()).add(stream)
        for path in _paths(stream, known.position):
            self._by_path.setdefault(path, set()).add(stream)


def _paths(stream: str, position: Position) -> set[str]:
    return {first_path(stream), unprintable(position.path)}


def _discard(index: dict[_K, set[str]], key: _K, stream: str) -> None:
    streams = index.get(key, set())
    streams.discard(stream)
    if not streams:
        index.pop(key, None)
