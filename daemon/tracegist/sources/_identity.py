"""How a file is known again: not by its path but by device, inode, and hashes of its head and of what was read last."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from tracegist.sources._base import Position

if TYPE_CHECKING:
    from tracegist.sources._content import Content

__all__ = [
    "HEAD",
    "Fingerprint",
    "agrees",
    "begins_alike",
    "first_path",
    "printable",
    "recognise",
    "shared_head",
    "unprintable",
]

HEAD: Final = 1024
"""Bytes of the head, and of what lies before the offset, that a file is known by."""

_STEPS: Final = (64, 128, 256, 512)
_ESCAPE: Final = re.compile(rb"\\x([89a-f][0-9a-f])")


@dataclass(slots=True)
class Fingerprint:
    """An offset in a file, and what the file is known by: up to 1 KiB of its head and up to 1 KiB before the offset."""

    offset: int = 0
    head: bytes = b""
    tail: bytes = b""

    def advance(self, data: bytes) -> None:
        """Move behind `data`, which begins at the offset."""
        if self.offset < HEAD:
            self.head = (self.head + data[:HEAD])[:HEAD]
        self.tail = data[-HEAD:] if len(data) >= HEAD else (self.tail + data)[-HEAD:]
        self.offset += len(data)

    def position(self, path: str, stat: os.stat_result) -> Position:
        """Put it as a position that can be kept."""
        return Position(
            offset=self.offset,
            path=printable(path),
            device=stat.st_dev,
            inode=stat.st_ino,
            head_length=len(self.head),
            head_hash=" ".join(_hash(self.head[:length]) for length in (*_steps(len(self.head)), len(self.head))),
            tail_length=len(self.tail),
            tail_hash=_hash(self.tail),
        )

    @classmethod
    def at(cls, content: Content, offset: int) -> Fingerprint:
        """Take the fingerprint of an open file at an offset in it, or at its end if that comes first."""
        length = min(HEAD, offset)
        return cls(offset, content.read(length, 0), content.read(length, offset - length))


def recognise(content: Content, inode: int, position: Position) -> Fingerprint | None:
    """Tell whether an open file is the one that `position` speaks of, and has not been written anew since.

    The device is no part of it, as its number may change when the host starts again.

    :return: the fingerprint at that position, or None if it is another file
    """
    return agrees(content, position) if inode == position.inode else None


def agrees(content: Content, position: Position) -> Fingerprint | None:
    """Tell whether what was read up to `position`, of whatever file, is what this one begins with.

    :return: the fingerprint at that position, or None if it is not
    """
    if not begins_alike(content, position):
        return None
    found = Fingerprint.at(content, position.offset)
    same = _hash(found.tail[len(found.tail) - position.tail_length :]) == position.tail_hash
    return found if same and len(found.tail) == min(HEAD, position.offset) else None


def begins_alike(content: Content, position: Position) -> bool:
    """Tell whether a file has the head, as far as `position` knows it, or less than that of it."""
    return shared_head(content, position) is not None


def shared_head(content: Content, position: Position) -> int | None:
    """Tell how many of the first bytes are known to be the same; none are where a file has too few, None if they differ."""
    head = content.read(position.head_length, 0)
    lengths = (*_steps(position.head_length), position.head_length)
    # What an older version kept has the last of them alone.
    hashes = dict(zip(reversed(lengths), reversed(position.head_hash.split()), strict=False))
    known = max((length for length in hashes if length <= len(head)), default=0)
    return known if _hash(head[:known]) == hashes.get(known, "") else None


def printable(path: str) -> str:
    r"""Write a path as valid UTF-8, each byte that is not as ``\xff``."""
    return os.fsencode(path).decode(errors="backslashreplace")


def first_path(stream: str) -> str:
    """Find the path that the file of a tailed stream was first seen at, in the stream's name."""
    return unprintable(stream.rpartition("@")[0])


def unprintable(path: str) -> str:
    """Find the path that :func:`printable` has written."""
    return os.fsdecode(_ESCAPE.sub(lambda match: bytes.fromhex(match[1].decode()), path.encode()))


def _steps(length: int) -> list[int]:
    """The lengths at which a head is hashed apart: a copy may be shorter than what has been read of its original by now."""
    return [step for step in _STEPS if step < length]


def _hash(data: bytes) -> str:
    return blake2b(data, digest_size=8).hexdigest() if data else ""
