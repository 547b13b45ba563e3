"""How a file is known again: not by its path but by device, inode, and hashes of its head and of what was read last."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from tracegist.sources._base import Position

__all__ = ["Fingerprint", "printable", "recognise", "unprintable"]

_LENGTH: Final = 1024
_ESCAPE: Final = re.compile(rb"\\x([89a-f][0-9a-f])")


@dataclass(slots=True)
class Fingerprint:
    """An offset in a file, and what the file is known by: up to 1 KiB of its head and up to 1 KiB before the offset."""

    offset: int = 0
    head: bytes = b""
    tail: bytes = b""

    def advance(self, data: bytes) -> None:
        """Move behind `data`, which begins at the offset."""
        if self.offset < _LENGTH:
            self.head = (self.head + data[:_LENGTH])[:_LENGTH]
        self.tail = data[-_LENGTH:] if len(data) >= _LENGTH else (self.tail + data)[-_LENGTH:]
        self.offset += len(data)

    def position(self, path: str, stat: os.stat_result) -> Position:
        """Put it as a position that can be kept."""
        return Position(
            offset=self.offset,
            path=printable(path),
            device=stat.st_dev,
            inode=stat.st_ino,
            head_length=len(self.head),
            head_hash=_hash(self.head),
            tail_length=len(self.tail),
            tail_hash=_hash(self.tail),
        )

    @classmethod
    def at(cls, descriptor: int, offset: int) -> Fingerprint:
        """Take the fingerprint of an open file at an offset in it."""
        length = min(_LENGTH, offset)
        return cls(offset, os.pread(descriptor, length, 0), os.pread(descriptor, length, offset - length))


def recognise(descriptor: int, position: Position) -> Fingerprint | None:
    """Tell whether an open file is the one that `position` speaks of, and has not been written anew since.

    The device is no part of it, as its number may change when the host starts again.

    :return: the fingerprint at that position, or None if it is another file
    """
    stat = os.fstat(descriptor)
    if stat.st_ino != position.inode or stat.st_size < position.offset:
        return None
    found = Fingerprint.at(descriptor, position.offset)
    head, tail = found.head[: position.head_length], found.tail[len(found.tail) - position.tail_length :]
    same = _hash(head) == position.head_hash and _hash(tail) == position.tail_hash
    return found if same else None


def printable(path: str) -> str:
    r"""Write a path as valid UTF-8, each byte that is not as ``\xff``."""
    return os.fsencode(path).decode(errors="backslashreplace")


def unprintable(path: str) -> str:
    """Find the path that :func:`printable` has written."""
    return os.fsdecode(_ESCAPE.sub(lambda match: bytes.fromhex(match[1].decode()), path.encode()))


def _hash(data: bytes) -> str:
    return blake2b(data, digest_size=8).hexdigest() if data else ""
