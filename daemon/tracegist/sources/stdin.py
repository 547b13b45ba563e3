"""Standard input, read to its end. A pipe cannot be read again: what it gave is safe once a commit covers it.

What is compressed (gzip, zstd, xz, bzip2) is read as what is in it.
"""

from __future__ import annotations

import os
import stat as modes
from collections.abc import AsyncGenerator, Collection, Mapping
from time import time_ns
from typing import TYPE_CHECKING, Final, Protocol, Self

import anyio
import structlog
from anyio import to_thread
from anyio.lowlevel import checkpoint

from tracegist._engine import boundary, detect
from tracegist.sources._base import Chunk, Progress
from tracegist.sources._compressed import DamagedError, Decompressor, EndsEarlyError, coding_of, may_become_coded
from tracegist.sources._content import Content, Plain, unpack
from tracegist.sources._identity import Fingerprint, recognise
from tracegist.sources._reader import BLOCK, HEAD, MAX_RECORD

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

__all__ = ["StdinSource"]

_MORE: Final = 4 << 20
"""Bytes read at once of a record that is longer than a block: what is read, unpacked and put together is there thrice."""

_PATIENCE: Final = 0.05
_NAME: Final = "standard input"


class _Input(Protocol):
    """What standard input is."""

    @property
    def damage(self) -> str:
        """Why it ended where it did, if it was compressed and cut off or damaged."""

    async def read(self, size: int) -> bytes:
        """Read up to so many bytes of what is in it; none at the end."""

    async def head(self, data: bytes) -> bytes:
        """The beginning of it, given the first bytes that were read this time."""


class StdinSource:
    """Read a descriptor to its end, as one stream that has the source's name.

    :param name: the source's name in the configuration
    :param format: the format of the records, None to tell it by content
    :param descriptor: what is read
    :param block: bytes handed on at once
    :param max_record: bytes after which a record without an end is no longer waited for
    """

    def __init__(
        self,
        name: str = "stdin",
        *,
        format: str | None = None,
        descriptor: int = 0,
        block: int = BLOCK,
        max_record: int = MAX_RECORD,
    ) -> None:
        self.name = name
        self._format = format
        self._descriptor = descriptor
        self._block = block
        self._max_record = max_record
        self._fingerprint = Fingerprint()
        self._rest = b""
        self._log: FilteringBoundLogger = structlog.get_logger().bind(source=name)

    async def __aenter__(self) -> Self:
        """Do nothing: it is open."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Do nothing: it is not ours to close."""

    async def chunks(self, progress: Mapping[str, Progress]) -> AsyncGenerator[Chunk, None]:
        """Yield whole records as they come; a file given as standard input goes on where it was read to."""
        stat = await to_thread.run_sync(os.fstat, self._descriptor)
        regular = modes.S_ISREG(stat.st_mode)
        known = progress.get(self.name)
        source: _Input = await to_thread.run_sync(self._open, known) if regular else _Pipe(self._descriptor)
        wanted = self._block
        told = self._format
        while True:
            data = self._rest + await source.read(wanted)
            finished = len(data) == len(self._rest)
            # Where records end depends on the format, so that is told first.
            told = told or detect(await source.head(data), whole=finished)
            length = boundary(data, format=told, max_record=self._max_record) if told else 0
            if finished:
                length = len(data)
            self._rest = data[length:]
            if not length and not finished:
                wanted = max(self._block, min(len(data), _MORE))
                continue
            wanted = self._block
            self._fingerprint.advance(data[:length])
            if finished and source.damage:
                self._log.warning("source.damaged", reason=source.damage)
            yield Chunk(
                source=self.name,
                stream=self.name,
                data=data[:length],
                position=self._fingerprint.position("-", stat),
                received=stat.st_mtime_ns if regular else time_ns(),
                format=self._format,
                finished=finished,
            )
            if finished:
                return

    async def committed(self, progress: Mapping[str, Progress]) -> Collection[str]:  # noqa: ARG002
        """Keep the position: the same file may be given again."""
        return ()

    def _open(self, known: Progress | None) -> _File:
        """Go on in a file where it was read to, or where whoever read of it before has left it."""
        start = os.lseek(self._descriptor, 0, os.SEEK_CUR)
        plain = Plain(self._descriptor)
        # Of what is compressed nothing can be understood from the middle on.
        content = plain if start else unpack(plain, _NAME)
        found = recognise(content, content.stat().st_ino, known.position) if known else None
        if found is None or found.offset < start:
            found = Fingerprint.at(content, start)
        self._fingerprint, self._rest = found, b""
        return _File(content, start, found.offset)


class _File:
    """A regular file."""

    def __init__(self, content: Content, start: int, offset: int) -> None:
        self._content = content
        self._start = start
        self._offset = offset

    @property
    def damage(self) -> str:
        return self._content.damage

    async def read(self, size: int) -> bytes:
        data = await to_thread.run_sync(self._content.read, size, self._offset)
        self._offset += len(data)
        self._content.release(self._offset)
        return data

    async def head(self, data: bytes) -> bytes:  # noqa: ARG002 - there may have been more before
        return await to_thread.run_sync(self._content.read, HEAD, self._start)


class _Pipe:
    """Anything else: it gives what comes."""

    def __init__(self, descriptor: int) -> None:
        self.damage = ""
        self._descriptor = descriptor
        self._input = b""
        self._begun = False
        self._decompressor: Decompressor | None = None

    async def read(self, size: int) -> bytes:
        if not self._begun:
            await self._begin(size)
        if self._decompressor:
            return await self._unpack(self._decompressor, size)
        return self._take(size) if self._input else await self._receive(size)

    async def head(self, data: bytes) -> bytes:
        return data

    async def _begin(self, size: int) -> None:
        """Wait for the first bytes, and tell by them whether it is compressed; nobody waits for more than that takes."""
        self._begun = True
        while may_become_coded(self._input) and (data := await self._receive(size)):
            self._input += data
        coding = coding_of(self._input)
        if coding:
            self._decompressor = Decompressor(self._take, coding, _NAME)

    async def _unpack(self, decompressor: Decompressor, size: int) -> bytes:
        """Decompress what there is, and wait for more of it only where that gives nothing."""
        while not self.damage:
            cut_off = ""
            try:
                data = await to_thread.run_sync(decompressor.read, size)
            except EndsEarlyError as error:
                data, cut_off = b"", str(error)
            except DamagedError as error:
                data, self.damage = b"", str(error)
            if data or self.damage:
                return data
            self._input = await self._receive(size)
            if not self._input:
                self.damage = cut_off
                break
        return b""

    def _take(self, size: int) -> bytes:
        taken, self._input = self._input[:size], self._input[size:]
        return taken

    async def _receive(self, size: int) -> bytes:
        """Receive up to `size` bytes, all that come within a moment; empty at the end."""
        found = bytearray()
        while len(found) < size:
            # A pipe holds 64 KiB: without a little patience every block would be that small.
            with anyio.move_on_after(_PATIENCE if found else None):
                await self._readable()
                data = os.read(self._descriptor, size - len(found))
                found += data
                if data:
                    continue
            break
        return bytes(found)

    async def _readable(self) -> None:
        try:
            await anyio.wait_readable(self._descriptor)
        except PermissionError:
            # Such as /dev/null, which cannot be waited for and never makes anybody wait.
            await checkpoint()
