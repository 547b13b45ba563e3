"""One compressed file, read as what is in it in blocks that end at record boundaries: for `spool`, whose files are complete."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Final, Self

import anyio
from anyio import to_thread

from tracegist._engine import boundary, detect
from tracegist.sources._compressed import HEAD, Coding, DamagedError, Decompressor, EndsEarlyError, coding_of
from tracegist.sources._identity import Fingerprint, printable
from tracegist.sources._reader import OverwrittenError

if TYPE_CHECKING:
    from tracegist.sources._base import Position
    from tracegist.sources._reader import Reading

__all__ = ["PackedReader"]

_LOOK: Final = 64 << 10


class PackedReader:
    """A compressed file and how far it has been read; offsets count decompressed bytes. Use :meth:`open`.

    Its calls are those of :class:`tracegist.sources._reader.RecordReader`.
    """

    def __init__(self, file: io.FileIO, path: str, coding: Coding, reading: Reading) -> None:
        self.stat = os.fstat(file.fileno())
        self.ended = False
        self.damage = ""
        """Why it cannot be read to its end; empty if it can, or could so far."""
        self._file = file
        self._path = path
        self._coding = coding
        self._reading = reading
        self.rewind()

    @classmethod
    async def open(cls, path: str, reading: Reading, known: Position | None) -> Self | None:
        """Open a file where it was read to; None if it is not compressed.

        :param known: where it was read to, if it is the same
        :raises OSError: if it cannot be opened
        """
        # Shielded, lest what has been opened is lost.
        with anyio.CancelScope(shield=True):
            found = await to_thread.run_sync(cls._begin, path, reading, known)
        return found  # noqa: RET504 - behind the scope, which may swallow what is raised in it

    @property
    def offset(self) -> int:
        """Decompressed bytes read so far: where the next record begins."""
        return self._fingerprint.offset

    def position(self, path: str) -> Position:
        """Say what to remember of the file, found at `path`."""
        return self._fingerprint.position(path, self.stat)

    def rewind(self) -> None:
        """Begin again at the beginning."""
        self._file.seek(0)
        self._decompressor = Decompressor(
            lambda size: self._file.read(size) or b"", self._coding, printable(self._path)
        )
        self._fingerprint = Fingerprint()
        self._format = self._reading.format
        self._rest = b""
        self.ended, self.damage = False, ""

    async def read(self, *, last: bool = False) -> bytes:
        """Read the next block of whole records, and move behind it.

        :param last: whether what follows the last boundary is taken too, at the end or before what is damaged
        :raises OverwrittenError: if the file is another than when it was opened
        """
        return await to_thread.run_sync(self._read, last)

    async def aclose(self) -> None:
        """Let the file go."""
        self._file.close()

    @classmethod
    def _begin(cls, path: str, reading: Reading, known: Position | None) -> Self | None:
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | os.O_NOFOLLOW
        file = io.FileIO(os.open(path, flags))
        try:
            coding = coding_of(file.read(HEAD) or b"") if file.seekable() else None
            if coding is None:
                file.close()
                return None
            reader = cls(file, path, coding, reading)
            if known and not reader._skip(known):
                reader.rewind()
        except BaseException:
            file.close()
            raise
        return reader

    def _read(self, last: bool) -> bytes:  # noqa: FBT001 - to_thread passes no keywords
        stat = os.fstat(self._file.fileno())
        if (stat.st_size, stat.st_mtime_ns) != (self.stat.st_size, self.stat.st_mtime_ns):
            self.stat = stat
            raise OverwrittenError
        size = self._reading.block
        while True:
            block = self._rest + self._unpack(size - len(self._rest))
            self.ended = len(block) < size
            if self._format is None:
                self._format = detect(block[:_LOOK], whole=self.ended)
            limit = self._reading.max_record
            length = len(block) if last and self.ended else boundary(block, format=self._format, max_record=limit)
            self._rest = block[length:]
            if length or self.ended:
                self._fingerprint.advance(block[:length])
                return block[:length]
            size *= 2

    def _unpack(self, size: int) -> bytes:
        """Decompress so many bytes; fewer at the end, or before what is damaged."""
        data = b""
        try:
            while len(data) < size and (more := self._decompressor.read(size - len(data))):
                data += more
        except (DamagedError, EndsEarlyError) as error:
            self.damage = str(error)
        return data

    def _skip(self, known: Position) -> bool:
        """Go on where it was read to; tell whether it holds there what it held then."""
        step = self._reading.block
        while self.offset < known.offset:
            data = self._unpack(min(step, known.offset - self.offset))
            if not data:
                return False
            if self._format is None and not self.offset:
                self._format = detect(data[:_LOOK], whole=False)
            self._fingerprint.advance(data)
        there = self.position(known.path)
        return (there.head_hash, there.tail_hash) == (known.head_hash, known.tail_hash)
