"""Compressed files as what is in them: gzip, zstd, xz and bzip2, told by their first bytes and never by their names.

Members and frames that follow one another are one text, as for the commands of these names. Compressed bytes are taken in
pieces, decompressed ones given out in pieces: nothing in a file can make the memory grow beyond its format's own window.
"""

from __future__ import annotations

import bz2
import lzma
import sys
import zlib
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias

from tracegist.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = [
    "HEAD",
    "Coding",
    "DamagedError",
    "Decompressor",
    "EndsEarlyError",
    "coding_of",
    "may_become_coded",
    "reading",
]

Coding: TypeAlias = Literal["gzip", "zstd", "xz", "bzip2"]

HEAD: Final = 6
"""Bytes of a file that :func:`coding_of` has to see."""

_MAGIC: Final[dict[Coding, tuple[bytes, ...]]] = {
    "gzip": (b"\x1f\x8b\x08",),
    # Frames that are to be skipped come first in what pzstd writes, and last in what can be sought in.
    "zstd": (b"\x28\xb5\x2f\xfd", *(bytes([0x50 + number]) + b"\x2a\x4d\x18" for number in range(16))),
    "xz": (b"\xfd7zXZ\0",),
    "bzip2": (b"BZh",),
}
_PADDED: Final = ("gzip", "xz")
# Pieces are of one size, so that a damaged file gives the same bytes whenever it is read: what a piece gives is lost with it.
_PACKED: Final = 16 << 10
_UNPACKED: Final = 64 << 10
_WINDOW_LOG: Final = 27
"""128 MiB of what came before may be referred to: all levels of xz and zstd, but not ``zstd --long=28`` and beyond."""
_DAMAGE: Final = (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError, zstd.ZstdError)


class DamagedError(SourceError):
    """Raised when compressed bytes cannot be read any further, now or ever; those before were given out."""


class EndsEarlyError(SourceError):
    """Raised when a file ends in the middle of what was compressed: it is still being written, or was cut off."""


class _Stream(Protocol):
    """One member or frame; what the decompressors of :mod:`lzma`, :mod:`bz2` and :mod:`compression.zstd` have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


def coding_of(head: bytes) -> Coding | None:
    """Tell how a file is compressed by its first :data:`HEAD` bytes; None if it is not, or by none of those known."""
    return next((coding for coding, magics in _MAGIC.items() if head.startswith(magics)), None)


def may_become_coded(head: bytes) -> bool:
    """Tell whether bytes, fewer than :data:`HEAD` of them, may be the beginning of a compressed file, or of any other."""
    return any(magic.startswith(head) for magics in _MAGIC.values() for magic in magics)


def reading(read: Callable[[int], bytes], name: str) -> Callable[[int], bytes]:
    """Look at the first bytes, and read all of it: decompressed if it is compressed, and as it is if not.

    :param read: gives so many of the next bytes, fewer only at the end
    :param name: of the file, for messages
    :return: the same, of the decompressed bytes; raises what :meth:`Decompressor.read` does
    :raises OSError: if nothing can be read
    """
    head = read(HEAD)

    def whole(size: int) -> bytes:
        nonlocal head
        begun, head = head[:size], head[size:]
        return begun + read(size - len(begun)) if begun else read(size)

    coding = coding_of(head)
    return Decompressor(whole, coding, name).read if coding else whole


class Decompressor:
    """Reads what was compressed, from a function that reads compressed bytes. It blocks: for worker threads.

    :param read: gives up to so many of the next compressed bytes, none at the end for now, as ``file.read`` does
    :param coding: how they are compressed
    :param name: of the file, for messages
    """

    def __init__(self, read: Callable[[int], bytes], coding: Coding, name: str) -> None:
        self.coding = coding
        self.offset = 0
        """Decompressed bytes given out."""
        self.packed = 0
        """Compressed bytes read."""
        self._read = read
        self._name = name
        self._stream: _Stream | None = None
        self._begun = False
        self._input = b""
        self._output = bytearray()
        self._error: SourceError | None = None

    def read(self, size: int) -> bytes:
        """Read so many decompressed bytes; fewer before the end, none at it.

        :raises DamagedError: once all that could be read before the damage was given out; and ever after
        :raises EndsEarlyError: once all that there is was given out. When the file has grown, reading goes on
        :raises OSError: if the compressed bytes cannot be read
        """
        while len(self._output) < size and self._error is None:
            try:
                piece = self._decompress()
            except SourceError as error:
                self._error = error
                break
            if not piece:
                break
            self._output += piece
        data = bytes(self._output[:size])
        del self._output[:size]
        self.offset += len(data)
        if data or self._error is None or not size:
            return data
        reason = self._error
        if isinstance(reason, EndsEarlyError):
            self._error = None
        raise reason

    def skip(self, offset: int) -> None:
        """Go on to an offset among the decompressed bytes, or to the end if there are fewer; see `offset` for which.

        :raises DamagedError: if it cannot be reached
        :raises EndsEarlyError: if it is not there yet
        :raises OSError: if the compressed bytes cannot be read
        """
        while self.offset < offset:
            if not self.read(min(offset - self.offset, 1 << 20)):
                return

    def _decompress(self) -> bytes:
        """Decompress the next piece; empty at the end."""
        while True:
            if self._stream is None and not self._begin():
                return b""
            stream = self._stream
            if stream is None:
                raise AssertionError
            if stream.needs_input and not self._input and not self._fill():
                msg = (
                    f"{self._name}: ends in the middle of its {self.coding} data, after {self.packed} bytes: "
                    "it is still being written, or was cut off"
                )
                raise EndsEarlyError(msg)
            data, self._input = self._input, b""
            try:
                piece = stream.decompress(data, _UNPACKED)
            except _DAMAGE as error:
                raise self._damaged(str(error)) from error
            if stream.eof:
                self._input, self._stream = stream.unused_data, None
            if piece:
                return piece

    def _begin(self) -> bool:
        """Begin the next member, if one follows; nothing else may."""
        while True:
            if self._begun and self.coding in _PADDED:
                self._input = self._input.lstrip(b"\0")
            head = self._input[:HEAD]
            if head.startswith(_MAGIC[self.coding]):
                break
            if head and not any(magic.startswith(head) for magic in _MAGIC[self.coding]):
                raise self._damaged(f"what follows is not {self.coding}" if self._begun else f"not {self.coding}")
            if not self._fill():
                if not head and self._begun:
                    return False
                msg = f"{self._name}: ends where {self.coding} data should begin: it is still being written, or was cut off"
                raise EndsEarlyError(msg)
        self._stream, self._begun = _STREAMS[self.coding](), True
        return True

    def _fill(self) -> bool:
        data = self._read(_PACKED)
        self.packed += len(data)
        self._input += data
        return bool(data)

    def _damaged(self, reason: str) -> DamagedError:
        told = self.offset + len(self._output)
        msg = (
            f"{self._name}: its {self.coding} data cannot be read near byte {self.packed - len(self._input)} "
            f"(the {told} decompressed bytes before count): {reason}; compress the original anew"
        )
        return DamagedError(msg)


class _Gzip:
    """A member of gzip, with the interface of the others."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._more = False

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        return not self._more

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        found = self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)
        # All input may be taken while there is output still to come.
        self._more = len(found) == max_length
        return found


def _zstd() -> _Stream:
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG})


def _xz() -> _Stream:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=1 << (_WINDOW_LOG + 1))


_STREAMS: Final[dict[Coding, Callable[[], _Stream]]] = {
    "gzip": _Gzip,
    "zstd": _zstd,
    "xz": _xz,
    "bzip2": bz2.BZ2Decompressor,
}
