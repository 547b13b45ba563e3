"""One open file, read in blocks that end at record boundaries; the common half of `tail` and `spool`."""

from __future__ import annotations

import os
import stat as modes
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import aiofiles
import anyio
from anyio import to_thread

from tracegist._engine import boundary, detect
from tracegist.errors import SourceError
from tracegist.sources._identity import Fingerprint, recognise

if TYPE_CHECKING:
    from aiofiles.threadpool.binary import AsyncFileIO

    from tracegist.sources._base import Position

__all__ = ["BLOCK", "HEAD", "MAX_RECORD", "OverwrittenError", "Reading", "RecordReader"]

BLOCK: Final = 1 << 20
MAX_RECORD: Final = 16 << 20
HEAD: Final = 64 << 10


class OverwrittenError(Exception):
    """Raised when the bytes before the position are no longer those that were read: the file has to be read anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How files are read.

    :param format: the format of the records, None to tell it by content
    :param block: bytes read at once
    :param max_record: bytes after which a record without an end is no longer waited for
    """

    format: str | None = None
    block: int = BLOCK
    max_record: int = MAX_RECORD


class RecordReader:
    """An open file and how far it has been read. Use :meth:`open`, and :meth:`aclose` when done."""

    def __init__(
        self,
        handle: AsyncFileIO,
        stat: os.stat_result,
        recognised: tuple[str, Fingerprint] | None,
        reading: Reading,
    ) -> None:
        self.stat = stat
        self.stream: str | None
        self.stream, self.fingerprint = recognised or (None, Fingerprint())
        self.ended = False
        self._handle = handle
        self._reading = reading
        self._format = reading.format

    @classmethod
    async def open(cls, path: str, reading: Reading, known: Mapping[str, Position], *, follow: bool = True) -> Self:
        """Open a file where it was read to, or at its beginning if it is none of those that are known.

        :param known: positions in files it might be, by stream; which one it is stands in `stream` then, or None
        :param follow: whether the path may be a symbolic link
        :raises SourceError: if it is not a regular file
        :raises OSError: if it cannot be opened
        """

        def opener(name: str, flags: int) -> int:
            # Not blocking, for the path may have become a pipe since it was looked at.
            return os.open(name, flags | os.O_NONBLOCK | os.O_NOCTTY | (0 if follow else os.O_NOFOLLOW))

        def examine(descriptor: int) -> tuple[os.stat_result, tuple[str, Fingerprint] | None]:
            stat = os.fstat(descriptor)
            if not modes.S_ISREG(stat.st_mode):
                msg = f"{path}: not a regular file"
                raise SourceError(msg)
            found = ((stream, recognise(descriptor, position)) for stream, position in known.items())
            same = [(stream, fingerprint) for stream, fingerprint in found if fingerprint]
            return stat, max(same, key=lambda one: one[1].offset, default=None)

        # Shielded, lest a descriptor that another thread still reads from is closed and given to another file.
        with anyio.CancelScope(shield=True):
            handle = await aiofiles.open(path, "rb", buffering=0, opener=opener)
            try:
                stat, recognised = await to_thread.run_sync(examine, handle.fileno())
            except BaseException:
                await handle.close()
                raise
        return cls(handle, stat, recognised, reading)

    @property
    def offset(self) -> int:
        """Bytes read so far: where the next record begins."""
        return self.fingerprint.offset

    def position(self, path: str) -> Position:
        """Say what to remember of the file, found at `path`."""
        return self.fingerprint.position(path, self.stat)

    def rewind(self) -> None:
        """Begin again at the beginning."""
        self.fingerprint = Fingerprint()
        self.ended = False
        self._format = self._reading.format

    async def skip(self) -> None:
        """Move to the last record boundary before the end, without reading what is before."""

        def end() -> Fingerprint:
            descriptor = self._handle.fileno()
            size = os.fstat(descriptor).st_size
            start = max(0, size - self._reading.block)
            newline = os.pread(descriptor, size - start, start).rfind(b"\n")
            return Fingerprint.at(descriptor, size if newline < 0 < start else start + newline + 1)

        self.fingerprint = await to_thread.run_sync(end)

    def look(self) -> os.stat_result:
        """Look at the open file, on a worker thread."""
        return os.fstat(self._handle.fileno())

    async def read(self, *, last: bool = False) -> bytes:
        """Read the next block of whole records, and move behind it; empty if none is complete yet.

        Whether that was the end of the file for now stands in `ended`; after that the file is looked at anew first.

        :param last: whether what follows the last boundary is taken too, once the block reaches the end
        :raises OverwrittenError: if the file has become shorter than what was read, or what was read has changed
        """
        if self.ended:
            await self._check()
        size = self._reading.block
        while True:
            block = await self._next(size)
            self.ended = len(block) < size
            if self._format is None:
                self._format = await self._detect(block, whole=last and self.ended)
            told = self._format is not None
            length = boundary(block, format=self._format, max_record=self._reading.max_record) if told else 0
            if last and self.ended:
                length = len(block)
            if length or self.ended or size > self._reading.max_record + self._reading.block:
                data = block[:length]
                self.fingerprint.advance(data)
                return data
            size *= 2

    async def aclose(self) -> None:
        """Let the file go."""
        with anyio.CancelScope(shield=True):
            await self._handle.close()

    async def _detect(self, block: bytes, *, whole: bool) -> str | None:
        """Tell by the beginning of the file what the engine takes it for, since that decides where records end."""
        head = block if not self.offset else await to_thread.run_sync(os.pread, self._handle.fileno(), HEAD, 0)
        return detect(head, whole=whole)

    async def _check(self) -> None:
        self.stat, head = await to_thread.run_sync(self._look)
        if self.stat.st_size < self.offset or head != self.fingerprint.head:
            raise OverwrittenError

    def _look(self) -> tuple[os.stat_result, bytes]:
        descriptor = self._handle.fileno()
        return os.fstat(descriptor), os.pread(descriptor, len(self.fingerprint.head), 0)

    async def _next(self, size: int) -> bytes:
        # What was read before is read again with what follows: one read, so nothing can come between check and use.
        tail = self.fingerprint.tail
        with anyio.CancelScope(shield=True):
            await self._handle.seek(self.offset - len(tail))
            found = await self._handle.read(len(tail) + size)
        if not found.startswith(tail):
            raise OverwrittenError
        return found[len(tail) :]
