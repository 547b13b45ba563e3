"""The journal of systemd, as journalctl writes it: one JSON object a line, followed from the entry that was read last.

What was read is known by the cursor of its last entry. Without one, it begins ten minutes ago, or with the oldest entry.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import time_ns
from typing import IO, Any, Final, Self

import anyio
import msgspec
from anyio import to_thread
from anyio.abc import ByteReceiveStream, Process

from tracegist._engine import boundary
from tracegist.errors import SourceError
from tracegist.sources._base import Chunk, Gap, Position, Progress
from tracegist.sources._reader import BLOCK, MAX_RECORD

__all__ = ["JournaldSource"]

_OWN_UNIT: Final = "tracegist.service"
_SINCE: Final = "-10min"
_GONE: Final = Gap(reason="the journald entry read last is gone, and what followed it may be")
_PATIENCE: Final = 0.05
_GRACE: Final = 5.0
_LONGEST_REASON: Final = 1000
# What this process writes comes after this; an older entry with its number is another process's, such as before a boot.
_STARTED: Final = time_ns() // 1000


class _Entry(
    msgspec.Struct,
    rename={"cursor": "__CURSOR", "time": "__REALTIME_TIMESTAMP", "pid": "_PID", "unit": "_SYSTEMD_UNIT"},
):
    """What has to be known of an entry; a field that was given twice, or in no UTF-8, is an array."""

    cursor: str = ""
    time: str = "0"
    pid: Any = None
    unit: Any = None


_ENTRY: Final = msgspec.json.Decoder(_Entry)


class JournaldSource:
    """Read the journal as one stream that has the source's name. The daemon's own entries are left out.

    :param name: the source's name in the configuration
    :param units: names or patterns of the units whose entries are read; none for all entries
    :param directory: the folder of the journal's files; None for the system's journal
    :param from_start: whether to begin with the oldest entry rather than ten minutes ago, where nothing was read yet
    :param block: bytes handed on at once
    :param max_record: bytes after which an entry without an end is no longer waited for
    """

    def __init__(
        self,
        name: str = "journald",
        *,
        units: Sequence[str] = (),
        directory: Path | None = None,
        from_start: bool = False,
        block: int = BLOCK,
        max_record: int = MAX_RECORD,
    ) -> None:
        self.name = name
        self._units = tuple(units)
        self._directory = directory
        self._from_start = from_start
        self._block = block
        self._max_record = max_record
        self._own_pid = str(os.getpid())

    async def __aenter__(self) -> Self:
        """Do nothing: journalctl is started when it is known where to begin."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Do nothing: journalctl has ended when the chunks have."""

    async def chunks(self, progress: Mapping[str, Progress]) -> AsyncGenerator[Chunk, None]:
        """Yield the entries behind the last one that was read, and then those that come.

        :raises SourceError: if journalctl is not installed, or ends; the message is what it said
        """
        known = progress.get(self.name)
        offset, cursor = (known.position.offset, known.position.cursor) if known else (0, "")
        sought = cursor
        with tempfile.TemporaryFile() as errors:
            async with self._journalctl(cursor, errors) as (process, output):
                rest = b""
                while True:
                    found = await self._read(output)
                    if not found:
                        # It does not end while it follows, unless something is wrong or somebody has ended it.
                        status = await process.wait()
                        raise SourceError(await to_thread.run_sync(_explain, status, errors))
                    data = rest + found
                    length = boundary(data, format="json", max_record=self._max_record)
                    data, rest = data[:length], data[length:]
                    gap = None
                    if sought and data:
                        gap, sought = (_GONE if _cursor(data) not in {"", sought} else None), ""
                    kept, last = await to_thread.run_sync(self._sift, data, cursor)
                    offset += length
                    if kept or last != cursor:
                        cursor = last
                        yield Chunk(
                            source=self.name,
                            stream=self.name,
                            data=kept,
                            position=Position(offset=offset, cursor=cursor),
                            received=time_ns(),
                            format="json",
                            gap=gap,
                        )

    async def committed(self, progress: Mapping[str, Progress]) -> Collection[str]:  # noqa: ARG002
        """Keep the position: the next start goes on behind it."""
        return ()

    def _command(self, cursor: str) -> list[str]:
        # --all: without it a field of more than 4 KiB is null. --merge: without it --follow shows the current boot alone,
        # and what was written before a reboot and not read yet would be lost; it adds the journals of containers, and
        # those received from other hosts. --no-tail: without it --follow begins ten entries before the end.
        command = ["journalctl", "--output=json", "--follow", "--no-tail", "--all", "--merge", "--quiet", "--no-pager"]
        if cursor:
            # If the entry is no longer in the journal, this goes on from the next one there is. --after-cursor would
            # then leave out that one, taking it for the one of the cursor; therefore the entry itself is asked for too.
            command.append(f"--cursor={cursor}")
        elif not self._from_start:
            command.append(f"--since={_SINCE}")
        if self._directory:
            command.append(f"--directory={self._directory}")
        return command + [f"--unit={unit}" for unit in self._units]

    @asynccontextmanager
    async def _journalctl(
        self, cursor: str, errors: IO[bytes]
    ) -> AsyncGenerator[tuple[Process, ByteReceiveStream], None]:
        """Run journalctl; it is gone when this is over, whatever happened."""
        try:
            process = await anyio.open_process(
                self._command(cursor),
                stdin=subprocess.DEVNULL,
                stderr=errors,
                # Ctrl-C in a terminal is for the daemon, which ends journalctl when it is done with it.
                start_new_session=True,
            )
        except FileNotFoundError:
            msg = "journalctl is not installed, or not on the PATH: it belongs to systemd"
            raise SourceError(msg) from None
        output = process.stdout
        assert output is not None  # noqa: S101 - it was asked for
        try:
            yield process, output
        finally:
            with anyio.CancelScope(shield=True):
                await _end(process, output)

    async def _read(self, output: ByteReceiveStream) -> bytes:
        """Read up to a block, all that comes within a moment; empty at the end."""
        found = bytearray()
        try:
            found += await output.receive(self._block)
            # A pipe holds 64 KiB: without a little patience every block would be that small.
            with anyio.move_on_after(_PATIENCE):
                while len(found) < self._block:
                    found += await output.receive(self._block - len(found))
        except anyio.EndOfStream:
            pass
        return bytes(found)

    def _sift(self, data: bytes, cursor: str) -> tuple[bytes, str]:
        """Leave out the entry at `cursor`, which was read before, and the daemon's own: they would tell of telling.

        :return: the other lines, and the last cursor
        """
        kept, last = [], cursor
        for line in data.splitlines(keepends=True):
            try:
                entry = _ENTRY.decode(line)
                mine = entry.unit == _OWN_UNIT or (entry.pid == self._own_pid and int(entry.time) >= _STARTED)
            except (msgspec.MsgspecError, ValueError):
                # The engine rejects it, and says why.
                kept.append(line)
                continue
            last = entry.cursor or last
            if not mine and (not cursor or entry.cursor != cursor):
                kept.append(line)
        return b"".join(kept), last


async def _end(process: Process, output: ByteReceiveStream) -> None:
    """End a process, and read what it has written already: a full pipe would never be seen to close."""
    if process.returncode is None:
        process.terminate()
    with anyio.move_on_after(_GRACE):
        await _drain(output)
        await process.wait()
    if process.returncode is None:
        process.kill()
        await _drain(output)
    await process.aclose()


async def _drain(output: ByteReceiveStream) -> None:
    async for _ in output:
        pass


def _cursor(data: bytes) -> str:
    """The cursor of the first entry; empty if it cannot be read."""
    try:
        return _ENTRY.decode(data.split(b"\n", 1)[0]).cursor
    except msgspec.MsgspecError:
        return ""


def _explain(status: int, errors: IO[bytes]) -> str:
    errors.seek(0, os.SEEK_END)
    errors.seek(max(0, errors.tell() - _LONGEST_REASON))
    said = " ".join(errors.read().decode(errors="replace").split())
    return f"journalctl has ended (status {status}){': ' if said else ''}{said}"
