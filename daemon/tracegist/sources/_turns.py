"""Turns: of the files that are ready, those that are furthest behind are opened, placed and read. Blocks: for worker threads.

What a turn has come to stands in it; what follows from that is decided elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic, time_ns
from typing import Final

from tracegist.errors import SourceError
from tracegist.sources._base import Position
from tracegist.sources._content import SUFFIXES
from tracegist.sources._copies import Original, UnclearError, find_original
from tracegist.sources._file import File
from tracegist.sources._reader import OverwrittenError, Reading, RecordReader

__all__ = ["NoRoomError", "Turn", "Turns"]

_SETTLED: Final = 1_000_000_000
"""Nanoseconds since it was last written to after which a compressed file is opened."""


class NoRoomError(Exception):
    """Raised when a file cannot be opened before another is let go."""


@dataclass(slots=True, eq=False)
class Turn:
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
    :param damage: why it ends for good where it does, if it is packed and damaged
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
    damage: str = ""
    failure: Exception | None = None


class Turns:
    """The files that are open, and the reading of them: one block of one, or many small ones.

    :param reading: how files are read
    :param from_start: whether files that were never read before are read from their beginning
    :param max_open: files held open
    :param linger: seconds since it last changed for which a file may still be in the making
    :param watermark: time of the newest event of a stream, to read on where it is furthest behind
    """

    def __init__(
        self,
        reading: Reading,
        *,
        from_start: bool,
        max_open: int,
        linger: float,
        watermark: Callable[[str], int | None] | None,
    ) -> None:
        self._reading = reading
        self._from_start = from_start
        self._max_open = max_open
        self._linger = linger
        self._watermark = watermark
        # Read last, open last: the one to be closed first is the first.
        self._open: dict[File, None] = {}

    @property
    def hurried(self) -> list[File]:
        """Those that others wait for: they are let go as soon as they have been read to their end."""
        return [file for file in self._open if file.hurried]

    def close(self) -> None:
        """Let all files go."""
        for file in list(self._open):
            self._close(file)

    def take(self, turns: list[Turn]) -> None:
        """Take as many turns as make up a block."""
        left = self._reading.block
        for turn in self._furthest_behind_first(turns):
            turn.taken = True
            try:
                self._take(turn)
            except (UnclearError, NoRoomError, OSError, SourceError) as failure:
                turn.failure = failure
            left -= len(turn.data)
            # What a file was found to be has to be known before copies of it are looked at.
            news = turn.before or turn.original or (turn.opened and turn.file.candidates and not turn.stream)
            if left <= 0 or news or (turn.data and not turn.ended):
                break

    def _furthest_behind_first(self, turns: list[Turn]) -> list[Turn]:
        watermark = self._watermark
        if watermark is None or len(turns) < 2:  # noqa: PLR2004 - one is in order
            return turns

        def time(turn: Turn) -> int:
            newest = watermark(turn.file.stream) if turn.file.offset else 0
            # Events without a time of their own have that of the file.
            return turn.file.mtime if newest is None else newest

        return sorted(turns, key=time)

    def _take(self, turn: Turn) -> None:
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
        if turn.ended and reader.content.whole:
            turn.damage = reader.damage
        if turn.ended and (turn.last or (reader.content.packed and reader.content.whole)):
            self._close(file)

    def _begin(self, turn: Turn) -> RecordReader:
        """Open a file where it was left."""
        file = turn.file
        known = {file.stream: file.position} if file.position else file.candidates
        patient = monotonic() - file.changed < self._linger
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

    def _place(self, reader: RecordReader, turn: Turn, *, settled: bool, patient: bool) -> None:
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
                raise NoRoomError
            self._close(idle)

    def _close(self, file: File) -> None:
        reader, file.reader = file.reader, None
        self._open.pop(file, None)
        if reader:
            file.position = reader.position(file.path)
            reader.close()


def _is_same(file: File, reader: RecordReader) -> bool:
    """Tell whether a file found under a name that does not match is the one that was followed, by more than its inode."""
    if file.position or file.candidates:
        return reader.offset > 0
    return not file.unseen and (reader.stat.st_size, reader.stat.st_mtime_ns) == (file.size, file.mtime)
