"""What is due: which files are ready to be read, which are looked at soon, and when all are looked for.

A scan finds everything; files that were active lately are looked at more often; notifications shorten the wait.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from math import inf
from time import monotonic, time_ns
from typing import TYPE_CHECKING, Final

import anyio
from anyio import to_thread

if TYPE_CHECKING:
    from tracegist.sources._file import File, Pace
    from tracegist.sources._reader import RecordReader

__all__ = ["Agenda"]

_ACTIVE: Final = 60.0
_MOST_LOOKED_AT: Final = 512
_LARGEST_GAP: Final = 20


class Agenda:
    """The files by what is to be done with them.

    :param ready: those to be read
    :param waiting: those of which it cannot be told yet what they are
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self.ready: dict[File, None] = {}
        self.waiting: dict[File, None] = {}
        self._active: dict[File, None] = {}
        self._blocked: set[File] = set()
        self._news = anyio.Event()
        self._scan_at = self._poll_at = self._may_scan_at = 0.0

    @property
    def scan_is_due(self) -> bool:
        """Whether all files are to be looked for."""
        return monotonic() >= self._scan_at

    @property
    def poll_is_due(self) -> bool:
        """Whether those are to be looked at in which something is expected."""
        return monotonic() >= self._poll_at

    async def rest(self) -> None:
        """Wait until something is due, or there is a hint."""
        due = min(self._scan_at, self._poll_at if self._active or self.waiting else inf)
        with anyio.move_on_after(max(0.0, due - monotonic())):
            await self._news.wait()
        self._news = anyio.Event()

    def hint(self, files: Iterable[File], *, moved: bool) -> None:
        """Take a hint: these were written to, and others may have come or gone."""
        for file in files:
            if file.gone is None:
                self.ready[file] = None
                self._news.set()
        if moved:
            self.scan_soon()
            self._news.set()

    def scan_soon(self) -> None:
        """Look for all files as soon as that was not done just now."""
        self._scan_at = min(self._scan_at, self._may_scan_at)

    def scanned(self, began: float) -> None:
        """Take note that all were looked for; it is not done all the time where it takes long."""
        self.ready.update(dict.fromkeys(self._blocked))
        now = monotonic()
        self._scan_at = now + self._pace.scan
        self._may_scan_at = now + _LARGEST_GAP * (now - began)

    def is_over(self, file: File) -> bool:
        """Tell whether nothing more is waited for in a file whose name is gone."""
        if file.gone is None:
            return False
        return file.hurried or monotonic() - max(file.gone, file.grown) >= self._pace.linger

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

    def expect(self, file: File) -> None:
        """Look at a file more often."""
        self._active[file] = None

    def block(self, file: File) -> None:
        """Try a file again at every scan."""
        self._blocked.add(file)

    def unblock(self, file: File) -> None:
        """Take note that a file could be opened."""
        self._blocked.discard(file)

    def await_more(self, file: File) -> None:
        """Look again at a file of which it cannot be told yet what it is: soon, or at every scan if it has been so for long."""
        if monotonic() - file.changed > _ACTIVE:
            self._blocked.add(file)
            return
        self.waiting[file] = None
        self._poll_at = min(self._poll_at, monotonic() + self._pace.poll)

    def drop(self, file: File) -> None:
        """Do nothing more with a file."""
        self._blocked.discard(file)
        for group in (self.ready, self.waiting, self._active):
            group.pop(file, None)

    async def poll(self) -> None:
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
                self.scan_soon()
                self.ready[file] = None
            elif file.note(stat) or self.is_over(file):
                self.ready[file] = None
        self.ready.update(self.waiting)
        self.waiting.clear()
        self._poll_at = monotonic() + self._pace.poll


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
