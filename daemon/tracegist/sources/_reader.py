"""One open file, read in blocks that end at record boundaries; the common half of `tail` and `spool`.

What it gives is UTF-8 as far as the file is text; what it counts are bytes of the file, or of what is packed in it. The
methods that are not coroutines block: they are for worker threads, one call for all that has to be done there.
"""

from __future__ import annotations

import os
import stat as modes
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import anyio
from anyio import to_thread

from tracegist._engine import boundary, detect
from tracegist.errors import SourceError
from tracegist.sources._content import Content, Plain, unpack
from tracegist.sources._identity import Fingerprint, recognise
from tracegist.sources._text import Transcoded, padding, utf16

if TYPE_CHECKING:
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
    """An open file and how far it has been read. Use :meth:`open` or :meth:`begin`, and close it when done."""

    def __init__(self, content: Content, recognised: tuple[str, Fingerprint] | None, reading: Reading) -> None:
        self.content = content
        self.stat = content.stat()
        self.stream: str | None
        self.stream, self.fingerprint = recognised or (None, Fingerprint())
        self.ended = False
        self._reading = reading
        self._format = reading.format

    @classmethod
    def begin(cls, path: str, reading: Reading, known: Mapping[str, Position], *, follow: bool = True) -> Self:
        """Open a file where it was read to, or at its beginning if it is none of those that are known.

        :param known: positions in files it might be, by stream; which one it is stands in `stream` then, or None
        :param follow: whether the path may be a symbolic link
        :raises SourceError: if it is not a regular file
        :raises OSError: if it cannot be opened
        """
        # Not blocking, for the path may have become a pipe since it was looked at.
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
        plain = Plain(os.open(path, flags))
        content: Content = plain
        try:
            stat = plain.stat()
            _check_regular(path, stat)
            content = unpack(plain, path)
            found = ((stream, recognise(content, stat.st_ino, position)) for stream, position in known.items())
            same = [(stream, fingerprint) for stream, fingerprint in found if fingerprint]
            return cls(content, max(same, key=lambda one: one[1].offset, default=None), reading)
        except BaseException:
            content.close()
            raise

    @classmethod
    async def open(cls, path: str, reading: Reading, known: Mapping[str, Position], *, follow: bool = True) -> Self:
        """Do what :meth:`begin` does on a worker thread."""
        return await to_thread.run_sync(lambda: cls.begin(path, reading, known, follow=follow))

    @property
    def offset(self) -> int:
        """Bytes read so far: where the next record begins."""
        return self.fingerprint.offset

    def position(self, path: str) -> Position:
        """Say what to remember of the file, found at `path`."""
        return self.fingerprint.position(path, self.stat)

    def rewind(self) -> None:
        """Begin again at the beginning."""
        self.move(Fingerprint())
        self._format = self._reading.format

    def move(self, fingerprint: Fingerprint) -> None:
        """Go on behind what has been read of the same bytes in another file."""
        self.fingerprint = fingerprint
        self.ended = False

    def skip(self) -> None:
        """Move to the last record boundary before the end, without reading what is before."""
        size = self.content.size()
        start = max(0, size - self._reading.block)
        block = self.content.read(size - start, start)
        encoding = utf16(self.content.read(2, 0))
        newline = "\n".encode(encoding or "ascii")
        end = block.rfind(newline)
        while encoding and end >= 0 and (start + end) % 2:
            end = block.rfind(newline, 0, end)
        self.move(Fingerprint.at(self.content, size if end < 0 < start else start + end + len(newline) * (end >= 0)))

    @property
    def damage(self) -> str:
        """Why it ends where it does, if it is packed and cut off or damaged; empty if not."""
        return self.content.damage if self.ended else ""

    def look(self) -> os.stat_result:
        """Look at the open file."""
        return self.content.stat()

    async def read(self, *, last: bool = False) -> bytes:
        """Do what :meth:`next` does on a worker thread."""
        return await to_thread.run_sync(lambda: self.next(last=last))

    def next(self, *, last: bool = False) -> bytes:
        """Read the next block of whole records, and move behind it; empty if none is complete yet.

        Whether that was the end of the file for now stands in `ended`; after that the file is looked at anew first.

        :param last: whether what follows the last boundary is taken too, once the block reaches the end
        :raises OverwrittenError: if the file has become shorter than what was read, or what was read has changed
        """
        if self.ended or self.content.packed:
            self._check()
        size = self._reading.block
        while True:
            block = self._next(size)
            self.ended = len(block) < size
            padded = padding(block)
            if padded:
                self.fingerprint.advance(block[:padded])
                block = block[padded:]
            data, length = self._records(block, last=last and self.ended)
            if length or self.ended or size > self._reading.max_record + self._reading.block:
                self.fingerprint.advance(block[:length])
                self.content.release(self.offset - len(self.fingerprint.tail))
                return data
            size *= 2

    def close(self) -> None:
        """Let the file go."""
        self.content.close()

    async def aclose(self) -> None:
        """Let the file go, which no thread reads from."""
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(self.close)

    def _records(self, block: bytes, *, last: bool) -> tuple[bytes, int]:
        """Take the whole records of a block, and tell how many of its bytes that is."""
        encoding = utf16(self.fingerprint.head or block)
        if encoding:
            text = Transcoded.of(block, encoding, first=not self.offset, last=last)
            return text.cut(self._boundary(text.data, last=last))
        length = self._boundary(block, last=last)
        return block[:length], length

    def _boundary(self, data: bytes, *, last: bool) -> int:
        if self._format is None:
            self._format = detect((self._head() if self.offset else b"") or data, whole=last)
        if last:
            return len(data)
        return boundary(data, format=self._format, max_record=self._reading.max_record) if self._format else 0

    def _head(self) -> bytes:
        """The beginning of the file, by which the engine tells the format: that decides where records end."""
        head = self.content.read(HEAD, 0)
        encoding = utf16(head)
        return Transcoded.of(head, encoding, first=True, last=False).data if encoding else head[padding(head) :]

    def _check(self) -> None:
        stat = self.content.stat()
        if (stat.st_size, stat.st_mtime_ns) != (self.stat.st_size, self.stat.st_mtime_ns):
            self.content.renew()
        self.stat = stat
        head = self.fingerprint.head
        if self.content.read(len(head), 0) != head:
            raise OverwrittenError

    def _next(self, size: int) -> bytes:
        # What was read before is read again with what follows: one read, so nothing can come between check and use.
        tail = self.fingerprint.tail
        found = self.content.read(len(tail) + size, self.offset - len(tail))
        if not found.startswith(tail):
            raise OverwrittenError
        return found[len(tail) :]


def _check_regular(path: str, stat: os.stat_result) -> None:
    if not modes.S_ISREG(stat.st_mode):
        msg = f"{path}: not a regular file"
        raise SourceError(msg)
