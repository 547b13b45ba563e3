"""A folder into which whole files are dropped: ingested once, then moved to ``done/``, or ``failed/`` with the reason.

Names that begin with a dot or end in ``.tmp`` or ``.part`` are still being written. Any other file is taken once it has
rested: two looks have found the same size and time, or it has not been written to for a while. It is moved only after
the commit that covers it; a file that was committed and not moved in time is known again and only moved.

A file with the content of one that was read before is only moved, too: what is in it counts once. It goes by the bytes as they
lie there, of the last so many files that counted.

Files compressed with gzip, zstd, xz or bzip2 are read as what is in them, and moved as they are. One that is damaged goes to
``failed/``, and what could be read before the damage counts.
"""

from __future__ import annotations

import errno
import os
import stat as modes
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from time import monotonic, time_ns
from typing import TYPE_CHECKING, Final, Self

import anyio
import structlog
from anyio import to_thread

from tracegist.errors import SourceError
from tracegist.sources._base import Chunk, Position, Progress
from tracegist.sources._contents import Contents, hash_content
from tracegist.sources._drops import Drop, SpoolFolder, failure
from tracegist.sources._identity import printable
from tracegist.sources._reader import BLOCK, MAX_RECORD, OverwrittenError, Reading, RecordReader
from tracegist.sources._watch import FolderWatch

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

__all__ = ["SpoolSource"]

_OPEN: Final = 64
_PASSING: Final = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


class SpoolSource:
    """Ingest the files dropped into a folder.

    :param name: the source's name in the configuration
    :param folder: made if it is not there
    :param format: the format of the records, None to tell it by content
    :param block: bytes read at once
    :param max_record: bytes of the longest record
    :param scan_interval: seconds between looks at the folder
    :param settle: seconds between the two looks that have to find the same
    :param rested: seconds since it was last written to after which a file is taken at the first look
    :param repeats: whether a file counts again though another had the same content
    :param remembered: of how many files it is remembered what was in them
    :param watermark: time of the newest event of a stream, to read on where it is furthest behind
    """

    def __init__(
        self,
        name: str,
        folder: Path | str,
        *,
        format: str | None = None,
        block: int = BLOCK,
        max_record: int = MAX_RECORD,
        scan_interval: float = 5.0,
        settle: float = 1.0,
        rested: float = 10.0,
        repeats: bool = False,
        remembered: int = 1000,
        watermark: Callable[[str], int | None] | None = None,
    ) -> None:
        self.name = name
        self._folder = SpoolFolder(name, os.path.abspath(folder))
        self._reading = Reading(format=format, block=block, max_record=max_record)
        self._scan_interval = scan_interval
        self._settle = settle
        self._rested = rested
        self._repeats = repeats
        self._remembered = remembered
        self._repeated = 0
        # No file's, for those have a path.
        self._memory = f"{name}:contents"
        self._watermark = watermark
        self._log: FilteringBoundLogger = structlog.get_logger().bind(source=name)
        self._watch = FolderWatch(name, self._hint, retry=max(30.0, scan_interval))
        self._stack = AsyncExitStack()
        self._known: dict[str, Progress]
        self._contents: Contents
        self._new_contents: bool
        self._drops: dict[str, Drop]
        self._ready: dict[Drop, None]
        self._news: anyio.Event
        self._scan_at: float
        self._scanned: bool
        self._reset({})

    @property
    def figures(self) -> dict[str, int]:
        """How many files were told to have been read before, since the start."""
        return {"repeated_files": self._repeated}

    async def __aenter__(self) -> Self:
        """Make the folders, and begin to watch."""
        await to_thread.run_sync(self._folder.make)
        async with AsyncExitStack() as stack:
            tasks = await stack.enter_async_context(anyio.create_task_group())
            self._watch.watch([self._folder.path])
            tasks.start_soon(self._watch.run)
            stack.callback(tasks.cancel_scope.cancel)
            stack.callback(self._watch.stop)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Let the files go."""
        await self._close_all()
        await self._stack.aclose()

    async def chunks(self, progress: Mapping[str, Progress]) -> AsyncGenerator[Chunk, None]:
        """Yield the files that have come to rest, those that are furthest behind first."""
        await self._close_all()
        self._reset(progress)
        while True:
            if self._new_contents:
                self._new_contents = False
                yield self._remember()
            if monotonic() >= self._scan_at:
                await self._scan()
            if not self._ready:
                # What a commit has set meanwhile is news as well.
                if not self._new_contents:
                    with anyio.move_on_after(max(0.0, self._scan_at - monotonic())):
                        await self._news.wait()
                    self._news = anyio.Event()
                continue
            chunk = await self._read(self._pick())
            if chunk:
                yield chunk

    async def committed(self, progress: Mapping[str, Progress]) -> Collection[str]:
        """Move the files that are wholly covered out of the folder; those that count, once their contents are remembered."""
        moved = set()
        memory = progress.get(self._memory)
        remembered = Contents(self._remembered, memory.position.cursor if memory else "")
        for stream, known in progress.items():
            if stream == self._memory:
                continue
            drop = self._drops.get(stream)
            if drop is None:
                # Moved before, by this process or one that was killed; or taken away by somebody.
                if self._scanned:
                    moved.add(stream)
            elif known.finished and drop.over:
                if not drop.trouble and await to_thread.run_sync(_size, drop.path) > drop.size:
                    self._log.warning("spool.grown", path=printable(drop.path), offset=known.position.offset)
                    self._known[stream] = known
                    drop.over, drop.content = False, ""
                    self._scan_at = 0.0
                    self._news.set()
                elif drop.content and drop.content not in remembered and (known.events or not failure(drop, known)):
                    self._contents.add(drop.content)
                    self._new_contents = True
                    self._news.set()
                elif await to_thread.run_sync(self._folder.move, drop, known):
                    # A look at the folder may have missed it meanwhile.
                    self._drops.pop(stream, None)
                    moved.add(stream)
        return moved

    def _reset(self, progress: Mapping[str, Progress]) -> None:
        self._known = {stream: known for stream, known in progress.items() if known.source == self.name}
        memory = self._known.pop(self._memory, None)
        self._contents = Contents(self._remembered, memory.position.cursor if memory else "")
        self._new_contents = False
        self._drops = {}
        self._ready = {}
        self._news = anyio.Event()
        self._scan_at = 0.0
        self._scanned = False

    def _hint(self, modified: Collection[str], moved: Collection[str] | None) -> None:
        if moved is None or modified or moved:
            self._scan_at = min(self._scan_at, monotonic() + self._settle / 10)
            self._news.set()

    async def _scan(self) -> None:
        entries = await to_thread.run_sync(self._folder.list)
        now = monotonic()
        restless = False
        for path, stat in entries:
            stream = f"{printable(path)}@{stat.st_ino:x}"
            drop = self._drops.get(stream)
            if drop is None:
                drop = self._drops[stream] = Drop(stream, path, stat.st_ino, stat.st_size, stat.st_mtime_ns, now)
                taken = 0 <= time_ns() - stat.st_mtime_ns > self._rested * 1e9 or not modes.S_ISREG(stat.st_mode)
            elif drop.over:
                taken = False
            elif (drop.size, drop.mtime) != (stat.st_size, stat.st_mtime_ns):
                drop.size, drop.mtime, drop.looked, drop.content = stat.st_size, stat.st_mtime_ns, now, ""
                taken = False
            else:
                taken = now - drop.looked >= self._settle
            if taken or drop.reader:
                self._ready.setdefault(drop)
            restless = restless or not (taken or drop.over)
        present = {f"{printable(path)}@{stat.st_ino:x}" for path, stat in entries}
        for stream in self._drops.keys() - present:
            if not self._drops[stream].reader:
                self._ready.pop(self._drops.pop(stream), None)
        self._scanned = True
        self._scan_at = monotonic() + (min(self._settle, self._scan_interval) if restless else self._scan_interval)

    def _pick(self) -> Drop:
        watermark = self._watermark
        if watermark is None:
            return next(iter(self._ready))
        # Those begun, and as many more as may be open: reading all at once would serve nobody.
        first = [drop for drop, _ in zip(self._ready, range(_OPEN), strict=False)]
        return min(first, key=lambda drop: (watermark(drop.stream) if drop.offset else 0) or 0)

    async def _read(self, drop: Drop) -> Chunk | None:
        try:
            if drop.reader is None:
                if not self._repeats and await self._is_repeat(drop):
                    return None
                drop.reader = await self._open(drop)
            data = await drop.reader.read(last=True)
        except FileNotFoundError:
            self._ready.pop(drop, None)
            self._drops.pop(drop.stream, None)
            return None
        except OverwrittenError:
            self._log.warning("source.overwritten", path=printable(drop.path), offset=drop.offset)
            if drop.reader:
                drop.reader.rewind()
            return None
        except (OSError, SourceError) as error:
            if isinstance(error, OSError) and error.errno in _PASSING:
                raise
            drop.trouble = (error.strerror if isinstance(error, OSError) else None) or str(error)
            return await self._end(drop, b"")
        drop.offset = drop.reader.offset
        if drop.reader.ended:
            return await self._end(drop, data)
        return self._chunk(drop, drop.reader, data, finished=False)

    async def _is_repeat(self, drop: Drop) -> bool:
        """Tell whether a file has the content of another, and move it if that was read, or let it wait if it is being read."""
        drop.content = drop.content or await hash_content(drop.path)
        if not drop.content or drop.stream in self._known:
            # What has been begun is read on, and what was read is moved when it is covered.
            return False
        twin = next((one for one in self._drops.values() if one.content == drop.content and one is not drop), None)
        if twin and (twin.reader or twin.over):
            self._ready.pop(drop, None)
            drop.looked = monotonic()
            return True
        if drop.content not in self._contents:
            return False
        self._log.info(
            "spool.repeated", path=printable(drop.path), reason="a file with the same content was read before"
        )
        self._repeated += 1
        await self._end(drop, b"")
        return True

    def _remember(self) -> Chunk:
        return Chunk(
            source=self.name,
            stream=self._memory,
            data=b"",
            position=Position(offset=0, cursor=self._contents.encode()),
            received=time_ns(),
        )

    async def _open(self, drop: Drop) -> RecordReader:
        known = self._known.pop(drop.stream, None)
        positions = {drop.stream: known.position} if known else {}
        return await RecordReader.open(drop.path, self._reading, positions, follow=False)

    async def _end(self, drop: Drop, data: bytes) -> Chunk | None:
        """Stop reading a file; what cannot even be opened needs no commit to be moved."""
        self._ready.pop(drop, None)
        drop.over = True
        reader, drop.reader = drop.reader, None
        if reader is None:
            if await to_thread.run_sync(self._folder.move, drop, None):
                self._drops.pop(drop.stream, None)
            return None
        drop.size = reader.stat.st_size
        drop.trouble = drop.trouble or reader.damage
        chunk = self._chunk(drop, reader, data, finished=True)
        await reader.aclose()
        return chunk

    def _chunk(self, drop: Drop, reader: RecordReader, data: bytes, *, finished: bool) -> Chunk:
        return Chunk(
            source=self.name,
            stream=drop.stream,
            data=data,
            position=reader.position(drop.path),
            received=reader.stat.st_mtime_ns,
            format=self._reading.format,
            finished=finished,
            origin=self.name,
        )

    async def _close_all(self) -> None:
        for drop in self._drops.values():
            if drop.reader:
                await drop.reader.aclose()
                drop.reader = None


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0
