"""From sources to the engine: a task for each source, held back by bytes; state and positions are always in step."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from time import monotonic
from typing import TYPE_CHECKING, Final

import anyio
import structlog
from anyio import to_thread

from tracegist.backlog import Backlog, Overload
from tracegist.errors import SourceError
from tracegist.sources._base import Chunk, Gap, Progress, Source

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from tracegist._engine import Dialect, Engine

__all__ = ["Pipeline"]

_LEAST_SHARE: Final = 2 << 20
_SILENCE: Final = 60.0
"""Seconds between two mentions of one kind of gap in the log; the ledger counts them all."""


class Pipeline:
    """Reads sources and feeds the engine.

    What was ingested and how far the streams were read changes together: a snapshot never holds one without the other.
    Every source has an equal share of `max_bytes`, so that one which never ends does not keep others waiting.

    :param engine: restored to the state that belongs to `progress`
    :param sources: not entered yet; their names differ
    :param progress: what became of every stream until the last commit
    :param dialects: how sources write, by their names; the others in the plain way, in the zone of this host
    :param overload: what becomes of what a source, by its name, reads faster than the engine takes it; ``wait`` if not given
    :param max_bytes: read and not yet ingested, of all sources together
    :param retry: seconds after which a source that failed is tried again, doubled each time up to a minute
    """

    def __init__(
        self,
        engine: Engine,
        sources: Sequence[Source],
        *,
        progress: Mapping[str, Progress] | None = None,
        dialects: Mapping[str, Dialect] | None = None,
        overload: Mapping[str, Overload] | None = None,
        max_bytes: int = 32 << 20,
        retry: float = 1.0,
    ) -> None:
        self._engine = engine
        self._sources = tuple(sources)
        self._progress = dict(progress or {})
        self._dialects = dict(dialects or {})
        self._owners: dict[str, str] = {}
        self._failures: dict[str, str] = {}
        self._share = max(_LEAST_SHARE, max_bytes // max(1, len(self._sources)))
        self._retry = retry
        self._lively: set[str] = set()
        self._overload = dict(overload or {})
        self._backlogs: dict[str, Backlog] = {}
        self._told: dict[str, float] = {}
        self._version = 0
        self._changed = anyio.Event()
        self._finished = anyio.Event()
        self._gate = _Gate()
        self._log: FilteringBoundLogger = structlog.get_logger()

    @property
    def sources(self) -> Sequence[Source]:
        """Those it reads."""
        return self._sources

    @property
    def progress(self) -> Mapping[str, Progress]:
        """What has become of every stream up to now; for show, use :meth:`snapshot` for what is to be kept."""
        return self._progress

    @property
    def failures(self) -> Mapping[str, str]:
        """Sources that cannot be read at present, and why."""
        return self._failures

    @property
    def waiting(self) -> int:
        """Bytes read and not yet ingested."""
        return sum(backlog.taken for backlog in self._backlogs.values())

    @property
    def version(self) -> int:
        """A number that grows whenever anything was ingested or read."""
        return self._version

    @property
    def finished(self) -> bool:
        """Whether all sources have come to their end."""
        return self._finished.is_set()

    async def news(self, after: int) -> int:
        """Wait until there is more than at version `after`, or nothing more can come.

        :return: the version now
        """
        while self._version <= after and not self.finished:
            await self._changed.wait()
        return self._version

    async def run(self) -> None:
        """Read all sources until every one of them has ended, or until cancelled."""
        async with anyio.create_task_group() as tasks:
            for source in self._sources:
                tasks.start_soon(self._keep_reading, source, name=f"source {source.name}")
        self._finished.set()
        self._notify()

    async def snapshot(self) -> tuple[list[bytes], dict[str, Progress]]:
        """Take the engine's state, in pieces, and the progress that belongs to it."""
        # Reading waits while the state is copied, not while the copy becomes bytes.
        async with self._gate.alone():
            progress = dict(self._progress)
            capture = await to_thread.run_sync(self._engine.capture)
        return await to_thread.run_sync(capture.encode), progress

    def forget(self, progress: Mapping[str, Progress]) -> None:
        """Drop streams that are no more, except those of which there is news since `progress`."""
        for stream, known in progress.items():
            if self._progress.get(stream) == known:
                del self._progress[stream]
                self._owners.pop(stream, None)

    async def _keep_reading(self, source: Source) -> None:
        delay = self._retry
        while True:
            self._lively.discard(source.name)
            try:
                await self._read(source)
            except* (SourceError, OSError) as group:
                reason = _reason(group)
                self._failures[source.name] = reason
                self._log.warning("source.failed", source=source.name, reason=reason, retry_s=delay)
            else:
                self._failures.pop(source.name, None)
                return
            self._notify()
            await anyio.sleep(delay)
            delay = self._retry if source.name in self._lively else min(2 * delay, 60.0)

    async def _read(self, source: Source) -> None:
        """Read ahead of the engine, within the source's share."""
        backlog = Backlog(source.name, self._share, self._overload.get(source.name, "wait"))
        self._backlogs[source.name] = backlog
        async with source, anyio.create_task_group() as tasks:

            async def read() -> None:
                async with aclosing(source.chunks(dict(self._progress))) as chunks:
                    async for chunk in chunks:
                        self._recover(source)
                        await backlog.put(chunk)
                backlog.end()

            async def recover() -> None:
                await anyio.sleep(self._retry)
                self._recover(source)

            tasks.start_soon(read)
            if source.name in self._failures:
                tasks.start_soon(recover)
            while (chunk := await backlog.get()) is not None:
                await self._ingest(chunk)
                backlog.done(chunk)
            tasks.cancel_scope.cancel()

    def _recover(self, source: Source) -> None:
        self._lively.add(source.name)
        if self._failures.pop(source.name, None) is not None:
            self._log.info("source.recovered", source=source.name)
            self._notify()

    async def _ingest(self, chunk: Chunk) -> None:
        if self._owners.setdefault(chunk.stream, chunk.source) != chunk.source:
            # Two sources lead to the same file: it counts once, for the one that was first.
            return
        async with self._gate.together():
            events, rejected, reason = 0, 0, ""
            if chunk.data or chunk.gap:
                events, rejected, reason = await to_thread.run_sync(self._feed, chunk)
            # Nothing is awaited between the engine's return and this.
            for stream in chunk.replaces:
                self._progress.pop(stream, None)
            before = self._progress.get(chunk.stream)
            self._progress[chunk.stream] = Progress(
                source=chunk.source,
                position=chunk.position,
                events=events + (before.events if before else 0),
                rejected=rejected + (before.rejected if before else 0),
                reason=(before.reason if before else "") or reason,
                finished=chunk.finished,
            )
        self._notify()

    def _feed(self, chunk: Chunk) -> tuple[int, int, str]:
        if chunk.gap:
            self._miss(chunk, chunk.gap)
        if not chunk.data:
            return 0, 0, ""
        dialect = self._dialects.get(chunk.source)
        return self._engine.ingest(
            chunk.stream,
            chunk.data,
            received=chunk.received,
            format=chunk.format,
            dialect=dialect,
            source=chunk.origin,
        )

    def _miss(self, chunk: Chunk, gap: Gap) -> None:
        """Enter in the ledger what is missing, and say so once in a while."""
        self._engine.missed(gap.reason, bytes=gap.bytes, lines=gap.lines)
        now = monotonic()
        if now - self._told.get(gap.reason, -_SILENCE) >= _SILENCE:
            self._told[gap.reason] = now
            self._log.warning(
                "source.gap", source=chunk.source, stream=chunk.stream, reason=gap.reason, bytes=gap.bytes
            )

    def _notify(self) -> None:
        self._version += 1
        self._changed.set()
        self._changed = anyio.Event()


class _Gate:
    """Many may pass together, or one alone; who wants to be alone is not passed by those who come later."""

    def __init__(self) -> None:
        self._turn = anyio.Lock()
        self._inside = 0
        self._empty = anyio.Event()

    @asynccontextmanager
    async def together(self) -> AsyncGenerator[None, None]:
        async with self._turn:
            self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
            if not self._inside:
                self._empty.set()

    @asynccontextmanager
    async def alone(self) -> AsyncGenerator[None, None]:
        async with self._turn:
            while self._inside:
                self._empty = anyio.Event()
                await self._empty.wait()
            yield


def _reason(group: BaseExceptionGroup[SourceError | OSError]) -> str:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
