"""What the bytes of a file are before they are UTF-8: UTF-16 with a byte order mark, or padding of NUL bytes.

UTF-16 is what PowerShell and many a Windows service write. NUL bytes are what a file has where nothing was ever written:
behind copytruncate, when the writer goes on at its old offset, and after a power failure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

__all__ = ["Transcoded", "padding", "utf16"]

_MARKS: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_UNIT: Final = 2
# No format begins a record with as many: a length in front of one has up to three.
_PADDING: Final = 8


def utf16(head: bytes) -> str | None:
    """Tell by the first bytes of a file which UTF-16 it is in; None if in none."""
    return _MARKS.get(head[:_UNIT])


def padding(block: bytes) -> int:
    """Count the NUL bytes in front of a block, if they are too many to be of a record."""
    if not block.startswith(bytes(_PADDING)):
        return 0
    return len(block) - len(block.lstrip(b"\0"))


@dataclass(frozen=True, slots=True)
class Transcoded:
    """The whole characters of a block of UTF-16, as UTF-8.

    What is no character becomes U+FFFD, which takes one code unit as the half of a pair that it stands for did.

    :param data: as UTF-8
    :param start: bytes of the block in front of it: the byte order mark
    :param end: bytes of the block up to its end
    """

    data: bytes
    encoding: str
    start: int
    end: int

    @classmethod
    def of(cls, block: bytes, encoding: str, *, first: bool, last: bool) -> Self:
        """Transcode.

        :param first: whether the byte order mark is in front
        :param last: whether half a character at the end is all there will be of it
        """
        start = min(_UNIT if first else 0, len(block))
        end = len(block)
        if not last:
            end -= (end - start) % _UNIT
            unit = block[max(start, end - _UNIT) : end]
            if unit and 0xD8 <= unit[encoding == "utf-16-le"] <= 0xDB:  # noqa: PLR2004 - the first half of a pair
                end -= _UNIT
        return cls(block[start:end].decode(encoding, "replace").encode(), encoding, start, end)

    def cut(self, length: int) -> tuple[bytes, int]:
        """Take the first `length` bytes, or less if that would cut a character; and tell how many of the block they are."""
        if length >= len(self.data):
            return self.data, self.end
        while length and self.data[length] & 0xC0 == 0x80:  # noqa: PLR2004 - a byte that goes on with a character
            length -= 1
        taken = self.data[:length]
        return taken, self.start + len(taken.decode().encode(self.encoding)) if length else 0
