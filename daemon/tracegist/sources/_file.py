"""One file that is followed: what is known of it, and where it has been read to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

from tracegist.sources._base import Position
from tracegist.sources._identity import first_path, unprintable
from tracegist.sources._scan import Key

if TYPE_CHECKING:
    from tracegist.sources._reader import RecordReader

__all__ = ["File", "Pace"]


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

    def note(self, stat: os.stat_result) -> bool:
        """Take note of how large it is and when it was written to; tell whether that is news."""
        return self.noted(stat.st_size, stat.st_mtime_ns)

    def noted(self, size: int, mtime: int) -> bool:
        """Do the same with a size in bytes and a time in nanoseconds since the epoch."""
        if (size, mtime) == (self.size, self.mtime):
            return False
        self.size, self.mtime, self.changed, self.at_end = size, mtime, monotonic(), False
        return True
