"""Standard input, read to its end. A pipe cannot be read again: what it gave is safe once a commit covers it."""

from __future__ import annotations

import os
import stat as modes
from collections.abc import AsyncGenerator, Collection, Mapping
from time import time_ns
from typing import Final, Self

import anyio
from anyio import to_thread
from anyio.lowlevel import checkpoint

from tracegist._engine import boundary, detect
from tracegist.sources._base import Chunk, Progress
from tracegist.sources._content import Plain
from tracegist.sources._identity import Fingerprint, recognise
from tracegist.sources._reader import BLOCK, HEAD, MAX_RECORD

__all__ = ["StdinSource"]

_PATIENCE: Final = 0.05


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
        self._start = 0

    async def __aenter__(self) -> Self:
        """Do nothing: it is open."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Do nothing: it is not ours to close."""

    async def chunks(self, progress: Mapping[str, Progress]) -> AsyncGenerator[Chunk, None]:
        """Yield whole records as they come; a file given as standard input goes on where it was read to."""
        stat = await to_thread.run_sync(os.fstat, self._descriptor)
        regular = modes.S_ISREG(stat.st_mode)
        if regular:
            await to_thread.run_sync(self._find_place, progress.get(self.name))
        wanted = self._block
        told = self._format
        while True:
            data = self._rest + await self._read(wanted, regular=regular)
            finished = len(data) == len(self._rest)
            # Where records end depends on the format, so that is told first.
            told = told or detect(await to_thread.run_sync(self._head) if regular else data, whole=finished)
            length = boundary(data, format=told, max_record=self._max_record) if told else 0
            if finished:
                length = len(data)
            self._rest = data[length:]
            if not length and not finished:
                wanted = max(self._block, len(data))
                continue
            wanted = self._block
            self._fingerprint.advance(data[:length])
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

    def _head(self) -> bytes:
        """Read the beginning of a file that is standard input."""
        return os.pread(self._descriptor, HEAD, self._start)

    def _find_place(self, known: Progress | None) -> None:
        """Go on in a file where it was read to, or where whoever read of it before has left it."""
        start = os.lseek(self._descriptor, 0, os.SEEK_CUR)
        content = Plain(self._descriptor)
        found = recognise(content, content.stat().st_ino, known.position) if known else None
        self._start = start
        if found is None or found.offset < start:
            found = Fingerprint.at(content, start)
        os.lseek(self._descriptor, found.offset, os.SEEK_SET)
        self._fingerprint, self._rest = found, b""

    async def _read(self, size: int, *, regular: bool) -> bytes:
        """Read up to `size` bytes, all that come within a moment; empty at the end."""
        if regular:
            return await to_thread.run_sync(os.read, self._descriptor, size)
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
