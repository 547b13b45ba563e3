"""Segments of the journal: files of frames, one written at a time, the others waiting to be removed. All calls block.

They are numbered without a hole, so that it shows where one was taken away, from the time on at which the first was begun:
also if somebody takes them all away, numbers only grow. A restart always begins a new one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from time import time_ns
from typing import Final

__all__ = ["Segment", "Segments"]

_SUFFIX: Final = ".journal"
_SMALL: Final = 64 << 10


@dataclass(slots=True)
class Segment:
    """One file of the journal.

    :param size: bytes that are durable
    :param ends: for each stream, the end of its last frame read so far
    :param seen: bytes read so far
    :param sealed: whether nothing more is appended
    """

    number: int
    path: str
    size: int = 0
    ends: dict[str, int] = field(default_factory=dict)
    seen: int = 0
    sealed: bool = False


class Segments:
    """The folder they lie in; nobody else writes to it.

    :param folder: made by :meth:`find`
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.all: tuple[Segment, ...] = ()
        """Those that are there, oldest first."""
        self._file: int | None = None
        # One thread appends, another removes.
        self._lock = Lock()

    @property
    def open(self) -> bool:
        """Whether the newest can be appended to."""
        return self._file is not None

    @property
    def size(self) -> int:
        """Bytes of all together."""
        return sum(segment.size for segment in self.all)

    def find(self) -> None:
        """Find what an earlier process has left.

        :raises OSError: if the folder cannot be made or read
        """
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        found = []
        for name in sorted(os.listdir(self.folder)):
            stem, suffix = os.path.splitext(name)
            if suffix == _SUFFIX and stem.isdecimal():
                path = os.path.join(self.folder, name)
                found.append(Segment(int(stem), path, os.path.getsize(path), sealed=True))
        self.all = tuple(found)

    def begin(self) -> None:
        """Begin the next one.

        :raises OSError: if it cannot be made; the one before stays as it is
        """
        newest = self.all[-1] if self.all else None
        if newest and not newest.size and not newest.sealed:
            # Nothing could be written to it: a disk that stays full must not collect such files.
            self.close()
            self._file = os.open(newest.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
            return
        number = newest.number + 1 if newest else time_ns()
        path = os.path.join(self.folder, f"{number:020}{_SUFFIX}")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self.close()
        self._file = descriptor
        with self._lock:
            for segment in self.all:
                segment.sealed = True
            self.all = (*self.all, Segment(number, path))
        _sync_folder(self.folder)

    def append(self, parts: list[bytes]) -> None:
        """Write behind what is durable in the newest, and sync; on failure nothing of it is left to be read.

        :raises OSError: if the disk does not take it; the next has to be begun then
        """
        segment, descriptor = self.all[-1], self._file
        if descriptor is None:
            raise AssertionError
        try:
            for part in _joined(parts):
                _write_all(descriptor, part)
            os.fdatasync(descriptor)
        except OSError:
            # What a failed fsync has left behind is unknown: the segment ends where it was durable last.
            self.close()
            with suppress(OSError):
                os.truncate(segment.path, segment.size)
            raise
        segment.size += sum(map(len, parts))

    def cut(self, segment: Segment, size: int) -> None:
        """Let the end of one go that was never acknowledged.

        :raises OSError: if the disk does not take it
        """
        descriptor = os.open(segment.path, os.O_WRONLY)
        try:
            os.ftruncate(descriptor, size)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        segment.size = size

    def read(self, segment: Segment, start: int, size: int) -> bytes:
        """Read up to `size` durable bytes of a segment from an offset on."""
        with open(segment.path, "rb") as file:
            file.seek(start)
            return file.read(max(0, min(segment.size - start, size)))

    def remove(self, segment: Segment) -> None:
        """Remove one."""
        Path(segment.path).unlink(missing_ok=True)
        with self._lock:
            self.all = tuple(one for one in self.all if one is not segment)

    def close(self) -> None:
        """Append no more; what was appended is durable already, whatever the system says to this."""
        descriptor, self._file = self._file, None
        if descriptor is not None:
            with suppress(OSError):
                os.close(descriptor)


def _joined(parts: list[bytes]) -> Iterator[bytes]:
    """Join small parts, for each that is written by itself is a call of the system."""
    small: list[bytes] = []
    for part in parts:
        if len(part) < _SMALL:
            small.append(part)
            continue
        yield b"".join(small)
        small.clear()
        yield part
    yield b"".join(small)


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
