"""Copies that rotation makes of files: compressed ones, and those of copytruncate. What was read is not read again.

A copy has a name derived from that of its original, and begins with the same bytes. Neither alone is enough: two services
may begin their logs alike. What a copy holds beyond what was read of the original is read from the copy, unless the
original is still there to be read itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from tracegist.sources._content import SUFFIXES, Content, Plain
from tracegist.sources._identity import HEAD, Fingerprint, agrees, begins_alike, shared_head
from tracegist.sources._scan import around

if TYPE_CHECKING:
    from tracegist.sources._base import Position
    from tracegist.sources._reader import RecordReader
    from tracegist.sources._scan import Key

__all__ = ["Original", "UnclearError", "copies", "find_original", "origins", "packed_beside"]

_ROTATION: Final = re.compile(r"[._-](?:\d[\dTZ:+_-]*|old|bak|orig|save|prev)(?=\.|$)")
_ROTATIONS: Final = 64
_NUMBER: Final = re.compile(r"(.+\.)(\d{1,9})")


class UnclearError(Exception):
    """Raised when it cannot be told yet whether a file is a copy: there has to be more of it, or of its original."""


class Followed(Protocol):
    """A file that is followed, as far as it matters here."""

    key: Key
    path: str
    at_end: bool
    position: Position | None
    reader: RecordReader | None

    @property
    def candidates(self) -> Mapping[str, Position]:
        """What was read of it before a restart, perhaps."""

    @property
    def offset(self) -> int:
        """Bytes read so far."""


@dataclass(frozen=True, slots=True)
class Original:
    """What a file may be a copy of: one that is followed, or what is known of one that is not to be seen."""

    stream: str
    known: Position | None = None
    file: Followed | None = None

    @property
    def position(self) -> Position | None:
        """Where it has been read to; None if nothing was read of it."""
        if not self.file:
            return self.known
        return self.file.reader.position(self.file.path) if self.file.reader else self.file.position

    @property
    def unsettled(self) -> Collection[Position]:
        """What was read of it, or of what had its inode before: that can be told when it is opened."""
        return self.file.candidates.values() if self.file else ()

    @property
    def offset(self) -> int:
        """Bytes read of it."""
        if self.file:
            return self.file.offset
        return self.known.offset if self.known else 0

    def read(self, length: int, offset: int) -> bytes:
        """Read of what is there of it; empty if it is not there any more."""
        if not self.file:
            return b""
        if self.file.reader:
            content = self.file.reader.content
            return b"" if content.packed else content.read(length, offset)
        try:
            plain = Plain(os.open(self.file.path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC))
        except OSError:
            return b""
        try:
            stat = plain.stat()
            return plain.read(length, offset) if (stat.st_dev, stat.st_ino) == self.file.key else b""
        except OSError:
            return b""
        finally:
            plain.close()


def origins(path: str) -> list[str]:
    """Name the paths of those files that rotation may have made `path` of, the likeliest first."""
    folder, _, name = path.rpartition("/")
    names: list[str] = []
    packed = name.endswith(SUFFIXES)
    if packed:
        name = name[: name.rindex(".")]
        names.append(name)
        numbered = _NUMBER.fullmatch(name)
        if numbered:
            # Compressed some rotations after it was last seen, under the number it had then.
            number = int(numbered[2])
            names += [f"{numbered[1]}{lower}" for lower in range(number - 1, max(0, number - _ROTATIONS), -1)]
    names += [name[: match.start()] + name[match.end() :] for match in _ROTATION.finditer(name) if match.start()]
    # logrotate's `olddir` is mostly a folder in that of the log.
    folders = (folder, folder.rpartition("/")[0])
    return [f"{one}/{name}" for one in folders for name in dict.fromkeys(names) if f"{one}/{name}" != path]


def copies(path: str, *, packed: bool) -> list[str]:
    """Give examples of the names that copies of a file get, of all or of compressed ones alone."""
    stem, ending = os.path.splitext(path)
    plain = [f"{path}.1", f"{path}-20380119", f"{stem}-20380119{ending}"]
    return [*([] if packed else plain), *(f"{one}{suffix}" for one in (path, *plain) for suffix in SUFFIXES)]


def packed_beside(path: str) -> list[str]:
    """Find compressed files, around a file that is gone, that may have been made of it. Blocks."""
    there = []
    for folder in around(path):
        with suppress(OSError):
            there += [f"{folder}/{name}" for name in os.listdir(folder) if name.endswith(SUFFIXES)]
    return sorted(one for one in there if path in origins(one))


def find_original(
    content: Content, originals: Sequence[Original], *, patient: bool
) -> tuple[Original, Fingerprint] | None:
    """Tell which of the originals a file is a copy of, and where what was not read begins in it.

    :param patient: whether the file may still be in the making
    :raises UnclearError: if that cannot be told yet
    """
    found = []
    unclear = None
    for original in originals:
        try:
            fingerprint = _compare(content, original, patient=patient)
        except UnclearError as error:
            unclear = error
        else:
            if fingerprint:
                found.append((original, fingerprint))
    if unclear:
        raise unclear
    return max(found, key=lambda one: one[1].offset, default=None)


def _compare(content: Content, original: Original, *, patient: bool) -> Fingerprint | None:
    """Tell where a file goes on behind what was read of one original; None if it is no copy of it."""
    head, position = content.read(HEAD, 0), original.position
    if not head and (patient or not content.whole):
        raise UnclearError
    if head and any(known.offset and begins_alike(content, known) for known in original.unsettled):
        raise UnclearError
    if not position or not position.offset or not begins_alike(content, position):
        theirs = original.read(len(head), 0)
        if theirs and head.startswith(theirs):
            # It has not been read yet, or not since it was written anew.
            raise UnclearError
        return None
    if not head or not _has_head(content, original, position, head):
        return None
    found = agrees(content, position)
    if not found:
        shorter = not content.read(1, position.offset - 1)
        return _cover(content, original, patient=patient) if shorter else None
    beyond = content.read(1, position.offset) or not content.whole
    if original.file and beyond and (patient or not original.file.at_end):
        raise UnclearError
    return found


def _has_head(content: Content, original: Original, position: Position, head: bytes) -> bool:
    """Tell whether a file that is too short for the hash of the head has the first part of it."""
    if shared_head(content, position):
        return True
    if not content.whole:
        raise UnclearError
    return original.read(len(head), 0) == head


def _cover(content: Content, original: Original, *, patient: bool) -> Fingerprint | None:
    """Tell whether a file was made when there was less of the original than has been read by now: then it is all read."""
    if not content.whole or (patient and (original.file or not content.packed)):
        raise UnclearError
    size = content.size()
    length = min(HEAD, size)
    theirs = original.read(length, size - length)
    if theirs and theirs != content.read(length, size - length):
        return None
    return Fingerprint.at(content, size)
