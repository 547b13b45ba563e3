"""The bytes an open file holds: its own, or those packed in it. Read at any offset, best onwards. Blocks."""

from __future__ import annotations

import os
from typing import Final, Protocol

from tracegist.sources._compressed import HEAD, Coding, DamagedError, Decompressor, EndsEarlyError, coding_of
from tracegist.sources._identity import printable

__all__ = ["SUFFIXES", "Content", "Packed", "Plain", "unpack"]

SUFFIXES: Final = (".gz", ".zst", ".xz", ".bz2")
"""How the names of packed files end; what they are is told by their bytes."""

_HEAD: Final = 64 << 10
_STEP: Final = 256 << 10
_NEAR: Final = 1024


class Content(Protocol):
    """What a reader reads from."""

    packed: bool
    """Whether it is unpacked on the way."""

    whole: bool
    """Whether what was read up to the end is all there is; not so while a packed file is still being written."""

    damage: str
    """Why it ends where it does, if it is packed and cut off or damaged; empty if not."""

    def stat(self) -> os.stat_result:
        """Look at the file."""

    def read(self, length: int, offset: int) -> bytes:
        """Read `length` bytes, or fewer where it ends or is damaged.

        :raises OSError: if it cannot be read
        """

    def size(self) -> int:
        """How many bytes there are."""

    def release(self, before: int) -> None:
        """Take note that what comes before an offset will hardly be asked for again."""

    def renew(self) -> None:
        """Take note that the file has been written to."""

    def close(self) -> None:
        """Let the file go."""


class Plain:
    """A file as it is."""

    packed = False
    whole = True
    damage = ""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        """Its descriptor."""
        return self._descriptor

    def stat(self) -> os.stat_result:
        """Look at the file."""
        return os.fstat(self._descriptor)

    def read(self, length: int, offset: int) -> bytes:
        """Read at an offset."""
        return os.pread(self._descriptor, length, offset)

    def size(self) -> int:
        """How many bytes there are."""
        return self.stat().st_size

    def release(self, before: int) -> None:
        """Nothing is held."""

    def renew(self) -> None:
        """Nothing is remembered."""

    def close(self) -> None:
        """Let the file go."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1


class Packed:
    """What is packed in a file: unpacked from the beginning again if what was let go is asked for.

    :param path: for messages
    """

    packed = True
    whole: bool
    damage: str
    _ended: bool

    def __init__(self, plain: Plain, coding: Coding, path: str) -> None:
        self._plain = plain
        self._coding = coding
        self._path = path
        self._begin()

    def stat(self) -> os.stat_result:
        """Look at the file that it is packed in."""
        return self._plain.stat()

    def read(self, length: int, offset: int) -> bytes:
        """Read at an offset, unpacking up to it."""
        if offset + length <= len(self._head):
            return self._head[offset : offset + length]
        if offset < self._at:
            self._begin()
        while not self._ended and self._at + len(self._held) < offset + length:
            self._unpack()
            # What lies between is not wanted.
            self.release(offset)
        start = offset - self._at
        return bytes(self._held[start : start + length])

    def size(self) -> int:
        """How many bytes there are, unpacking all of them."""
        while not self._ended:
            self._unpack()
            self.release(self._at + len(self._held) - _NEAR)
        return self._at + len(self._held)

    def release(self, before: int) -> None:
        """Let go what comes before an offset."""
        count = min(before - self._at, len(self._held))
        if count > 0:
            del self._held[:count]
            self._at += count

    def renew(self) -> None:
        """Go on unpacking where it ended, or begin anew: whether what was unpacked is still there is for the reader to tell."""
        goes_on = self._ended and not (self.whole and self.damage) and self.stat().st_size >= self._unpacker.packed
        if goes_on:
            self._ended, self.whole, self.damage = False, False, ""
        else:
            self._begin()

    def close(self) -> None:
        """Let the file go."""
        self._plain.close()

    def _begin(self) -> None:
        descriptor = self._plain.fileno()
        os.lseek(descriptor, 0, os.SEEK_SET)
        self._unpacker = Decompressor(lambda size: os.read(descriptor, size), self._coding, self._path)
        self._head = b""
        self._held = bytearray()
        self._at = 0
        self._ended, self.whole, self.damage = False, False, ""

    def _unpack(self) -> None:
        try:
            data = self._unpacker.read(_STEP)
        except (EndsEarlyError, DamagedError) as error:
            self._ended, self.whole, self.damage = True, isinstance(error, DamagedError), str(error)
            return
        self._ended = self.whole = not data
        if len(self._head) < _HEAD:
            self._head = (self._head + data)[:_HEAD]
        self._held += data


def unpack(plain: Plain, path: str) -> Content:
    """Unpack a file if its first bytes say that it is packed."""
    coding = coding_of(plain.read(HEAD, 0))
    return Packed(plain, coding, printable(path)) if coding else plain
