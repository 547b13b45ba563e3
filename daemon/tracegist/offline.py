"""Files read to their end with no daemon, as fast as the engine takes them: those that are furthest behind first.

Plain blocking reads on one thread, a block ahead of the engine on another. What is compressed is unpacked as it is read.
"""

from __future__ import annotations

import heapq
import os
import resource
import stat as modes
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from time import time_ns
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from tracegist._engine import boundary, detect
from tracegist.errors import SourceError, TraceNotFound
from tracegist.sources._compressed import HEAD, DamagedError, EndsEarlyError, coding_of, reading
from tracegist.sources._identity import printable

if TYPE_CHECKING:
    from tracegist._engine import Dialect

__all__ = ["Ingested", "Ingests", "Report", "ingest_paths"]

_BLOCK: Final = 2 << 20
_MORE: Final = 4 << 20
"""Bytes read at once of a record that is longer than a block: what is read, unpacked and put together is there thrice."""
_MAX_RECORD: Final = 16 << 20
_AHEAD: Final = 64 << 20
_SIDE_BY_SIDE: Final = 128 << 10
_OTHERS: Final = 64

Report: TypeAlias = Callable[[int, "int | None"], None]
"""Called with the bytes read so far, as they lie on disk, and those of all files, or None where that cannot be known."""


class Ingests(Protocol):
    """What blocks are handed to: an engine, or what stands in for one."""

    def ingest(
        self,
        stream: str,
        data: bytes,
        *,
        received: int,
        format: str | None = None,
        dialect: Dialect | None = None,
        size: int | None = None,
    ) -> tuple[int, int, str]:
        """Take the next block of a stream, as :meth:`Engine.ingest` does."""

    def watermark(self, stream: str | None = None) -> int | None:
        """Tell the time of the newest event of a stream, in nanoseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """What has become of a file.

    :param stream: the name the engine knows it by
    :param bytes: ingested, unpacked
    :param reason: the first reason for which a record was rejected; empty if none was
    :param damage: why it could not be decompressed to its end; empty if it could, or is not compressed
    """

    stream: str
    bytes: int
    events: int
    rejected: int
    reason: str
    damage: str = ""


def ingest_paths(
    engine: Ingests,
    paths: Iterable[str | os.PathLike[str]],
    *,
    format: str | None = None,
    dialect: Dialect | None = None,
    report: Report | None = None,
    block: int = _BLOCK,
    max_record: int = _MAX_RECORD,
) -> Sequence[Ingested]:
    """Ingest files whole, all of them side by side: whichever is furthest behind in event time comes next.

    A file named twice, or by two names, counts once.

    :param paths: files, pipes, or ``-`` for standard input
    :param format: the format of the records, None to tell it by content
    :param dialect: how they are written; None for the plain way, in the time zone of this host
    :param report: told of the progress
    :param block: bytes read at once
    :param max_record: bytes after which a record without an end is no longer waited for
    :return: what has become of each file, in the order of `paths`
    :raises TraceNotFound: if a file is not there; nothing was ingested then
    :raises SourceError: if one is a folder or cannot be read; what was read of it counts
    """
    with ExitStack() as stack:
        inputs = _open_all(paths, stack)
        if not inputs:
            return ()
        pool = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="read-ahead"))
        # However many files there are, what is read ahead of them is bounded.
        block = max(64 << 10, min(block, _AHEAD // len(inputs)))
        if len(inputs) > 1:
            # Minutes of one are not read before those of another, so that spans and their log records meet.
            block = min(block, _SIDE_BY_SIDE)
        sizes = [one.size for one in inputs if one.size is not None]
        total = sum(sizes) if len(sizes) == len(inputs) else None
        for one in inputs:
            one.ahead = pool.submit(one.next, block, format, max_record)
        queue = [(0, number) for number in range(len(inputs))]
        try:
            while queue:
                one = inputs[queue[0][1]]
                if one.feed(engine, pool, format=format, dialect=dialect, block=block, max_record=max_record):
                    time = engine.watermark(one.stream)
                    heapq.heapreplace(queue, (one.received if time is None else time, queue[0][1]))
                else:
                    heapq.heappop(queue)
                if report:
                    report(sum(each.done for each in inputs), total)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        return [Ingested(one.stream, one.bytes, one.events, one.rejected, one.reason, one.damage) for one in inputs]


class _Input:
    """A file being read.

    :param size: bytes on disk; None if it is not a regular file
    """

    def __init__(self, path: str, file: BufferedReader, stat: os.stat_result) -> None:
        regular = modes.S_ISREG(stat.st_mode)
        self.path = path
        self.stream = printable(path)
        self.size = stat.st_size if regular else None
        self.received = stat.st_mtime_ns if regular else time_ns()
        self.ahead: Future[tuple[bytes, int]] = Future()
        self.done = self.bytes = self.events = self.rejected = 0
        self.reason = self.damage = ""
        self._raw = file
        self._read: Callable[[int], bytes] = file.read
        self._begun = False
        self._at: int | None = None
        self._rest = b""
        self._format: str | None = None

    def next(self, block: int, format: str | None, max_record: int) -> tuple[bytes, int]:
        """Read the next whole records, about a block of them; none at the end. On the thread that reads ahead.

        :return: bytes, and how many of them are whole records
        """
        try:
            if not self._begun:
                self._begin()
            read = self._pieced if self._at is None else self._placed
            return read(block, format, max_record)
        except OSError as error:
            msg = f"{self.stream}: {error.strerror or error}"
            raise SourceError(msg) from error

    def _begin(self) -> None:
        """Find out how to read it: by places in it, where it has them and they hold what is to be read."""
        start = self._raw.tell() if self.size is not None else 0
        if self.size is not None and coding_of(os.pread(self._raw.fileno(), HEAD, start)) is None:
            self._at = start
        else:
            self._read = reading(self._raw.read, "standard input" if self.path == "-" else self.stream)
        self._begun = True

    def _placed(self, block: int, format: str | None, max_record: int) -> tuple[bytes, int]:
        """Read where the last whole record ended: what was read of the next one is read again, and nothing is put together."""
        at = self._at or 0
        size = block
        while True:
            data = os.pread(self._raw.fileno(), size, at)
            length = self._boundary(data, format, max_record)
            if not length and len(data) < size and not os.pread(self._raw.fileno(), 1, at + len(data)):
                length = len(data)
            if length or not data:
                self.done = self._at = at + length
                return data, length
            size = max(size, 2 * len(data))

    def _pieced(self, block: int, format: str | None, max_record: int) -> tuple[bytes, int]:
        """Read on: behind what was left of the block before."""
        size = block
        while True:
            read = self._piece(size)
            data = self._rest + read if self._rest else read
            # What is damaged says so behind the last bytes that are not.
            length = self._boundary(data, format, max_record) if read else len(data)
            self._rest = data[length:]
            if length or not read:
                return data, length
            size = max(block, min(len(data), _MORE))

    def _piece(self, size: int) -> bytes:
        """Read so much, or what is left."""
        data = b""
        try:
            data = self._read(size)
            # What is compressed gives what it can before it says that it can give no more.
            while len(data) < size and (more := self._read(size - len(data))):
                data += more
        except (DamagedError, EndsEarlyError) as error:
            # What came before counts, and so do the other files.
            self.damage = str(error)
        self.done = self._raw.tell() if self.size is not None else self.done + len(data)
        return data

    def feed(
        self,
        engine: Ingests,
        pool: ThreadPoolExecutor,
        *,
        format: str | None,
        dialect: Dialect | None,
        block: int,
        max_record: int,
    ) -> bool:
        """Hand one block to the engine while the next is read; tell whether there is more."""
        data, size = self.ahead.result()
        if not data:
            return False
        self.ahead = pool.submit(self.next, block, format, max_record)
        events, rejected, reason = engine.ingest(
            self.stream, data, received=self.received, format=format, dialect=dialect, size=size
        )
        self.bytes += size
        self.events += events
        self.rejected += rejected
        self.reason = self.reason or reason
        return True

    def _boundary(self, data: bytes, format: str | None, max_record: int) -> int:
        """Tell where the last record ends. Where records end depends on the format, so that is told first."""
        self._format = format or self._format or detect(data)
        return boundary(data, format=self._format, max_record=max_record) if self._format else 0


def _open_all(paths: Iterable[str | os.PathLike[str]], stack: ExitStack) -> list[_Input]:
    names = [os.fspath(path) for path in paths]
    _allow(len(names) + _OTHERS)
    inputs: list[_Input] = []
    seen: set[tuple[int, int]] = set()
    for path in names:
        file = _open(path)
        if path != "-":
            stack.callback(file.close)
        stat = os.fstat(file.fileno())
        if modes.S_ISDIR(stat.st_mode):
            msg = f"{printable(path)}: a folder; name the files in it"
            raise SourceError(msg)
        if (stat.st_dev, stat.st_ino) not in seen:
            seen.add((stat.st_dev, stat.st_ino))
            inputs.append(_Input(path, file, stat))
    return inputs


def _allow(files: int) -> None:
    """Have as many files open as are read side by side, where the soft limit alone stands against it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files > soft != resource.RLIM_INFINITY:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (files if hard == resource.RLIM_INFINITY else min(files, hard), hard)
        )


def _open(path: str) -> BufferedReader:
    if path == "-":
        return open(0, "rb", closefd=False)
    try:
        return Path(path).open("rb")
    except FileNotFoundError:
        msg = f"{printable(path)}: no such file"
        raise TraceNotFound(msg) from None
    except IsADirectoryError:
        msg = f"{printable(path)}: a folder; name the files in it"
        raise SourceError(msg) from None
    except OSError as error:
        msg = f"{printable(path)}: {error.strerror or error}"
        raise SourceError(msg) from None
