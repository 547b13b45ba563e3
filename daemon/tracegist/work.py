"""One stretch of work under one configuration: the sources it names, the pipeline that reads them, and the commits."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio
import structlog

from tracegist.commit import Committer
from tracegist.config import Config, Dialect, Journald, Push, SourceConfig, Spool, Stdin, Tail
from tracegist.errors import SourceError
from tracegist.pipeline import Pipeline
from tracegist.sources import (
    Journal,
    JournaldSource,
    Progress,
    PushSource,
    Source,
    SpoolSource,
    StdinSource,
    TailSource,
)

if TYPE_CHECKING:
    from tracegist._engine import Engine

__all__ = ["Work"]

_JOURNALS: Final = "journal"
_RETRY: Final = 30.0


class Work:
    """Reads the sources of a configuration until it is told to stop.

    :param engine: what it feeds, in the state that belongs to `progress`
    :param config: whose sources are read
    :param committer: writes snapshots
    :param progress: what became of every stream until now
    :param extra: further sources, which no configuration names
    """

    def __init__(
        self,
        engine: Engine,
        config: Config,
        committer: Committer,
        *,
        progress: Mapping[str, Progress],
        extra: Sequence[Source] = (),
    ) -> None:
        self.config = config
        self.committer = committer
        self._engine = engine
        self._progress = progress
        self._extra = extra
        self._pipeline: Pipeline | None = None
        self._journals: dict[str, Journal] = {}
        self._failures: dict[str, str] = {}
        self._log = structlog.stdlib.get_logger(__name__)

    @property
    def progress(self) -> Mapping[str, Progress]:
        """What has become of every stream up to now."""
        return self._progress if self._pipeline is None else self._pipeline.progress

    @property
    def kinds(self) -> dict[str, str]:
        """The type of each source, by its name."""
        configured = {source.name: str(source.__struct_config__.tag) for source in self.config.sources}
        return {**configured, **{source.name: "sample" for source in self._extra}}

    @property
    def failures(self) -> dict[str, str]:
        """Sources that cannot be read at present, and why."""
        return {**self._failures, **(self._pipeline.failures if self._pipeline is not None else {})}

    @property
    def waiting(self) -> int:
        """Bytes read and not yet ingested."""
        return self._pipeline.waiting if self._pipeline is not None else 0

    def figures(self, name: str) -> dict[str, int]:
        """What there is to say of a source beside its streams."""
        journal = self._journals.get(name)
        if journal is not None:
            return journal.figures
        sources = self._pipeline.sources if self._pipeline is not None else ()
        return next((one.figures for one in sources if isinstance(one, SpoolSource) and one.name == name), {})

    def journal(self, name: str) -> Journal | None:
        """Find what takes the pushes of a source: the journal of that name, or the first there is.

        :raises SourceError: if there should be one and is none at the moment
        """
        found = self._journals.get(name) or next(iter(self._journals.values()), None)
        if found is None and any(isinstance(source, Push) for source in self.config.sources):
            reasons = "; ".join(self._failures.values()) or "the daemon is starting, stopping or reloading"
            msg = f"pushes cannot be taken at the moment: {reasons}"
            raise SourceError(msg)
        return found

    async def run(self, over: anyio.Event) -> None:
        """Read until `over`, or until there is reason to begin anew; finish what is being ingested then, and commit it."""
        async with AsyncExitStack() as stack:
            sources = [*await self._open(stack), *self._extra]
            stack.callback(self._journals.clear)
            dialects = {source.name: source.dialect() for source in self.config.sources if isinstance(source, Dialect)}
            overload = {
                one.name: one.overload for one in self.config.sources if isinstance(one, Tail | Stdin | Journald)
            }
            pipeline = self._pipeline = Pipeline(
                self._engine, sources, progress=self._progress, dialects=dialects, overload=overload
            )
            interval = self.config.state.commit_interval.seconds
            async with anyio.create_task_group() as committing:
                committing.start_soon(self.committer.run, pipeline, interval, name="commit")
                async with anyio.create_task_group() as reading:
                    reading.start_soon(pipeline.run, name="pipeline")
                    await self._until(over)
                    self.committer.hurry()
                    reading.cancel_scope.cancel()
                committing.cancel_scope.cancel()

    async def _until(self, over: anyio.Event) -> None:
        """Wait for the end, or for a journal that could not be opened: then it is worth beginning anew."""
        while self._failures:
            with anyio.move_on_after(_RETRY):
                await over.wait()
                return
            for name in self._failures:
                with contextlib.suppress(OSError):
                    async with Journal(self._folder(name)):
                        return
        await over.wait()

    def _folder(self, name: str) -> Path:
        return self.config.state.folder / _JOURNALS / name

    async def _open(self, stack: AsyncExitStack) -> list[Source]:
        """Make the sources; one whose journal cannot be opened is left out, and the others are read."""
        sources: list[Source] = []
        claims: dict[tuple[int, int], str] = {}
        for source in self.config.sources:
            if not isinstance(source, Push):
                sources.append(_make(source, self._engine.watermark, int(self.config.engine.max_record), claims))
                continue
            folder = self._folder(source.name)
            try:
                journal = await stack.enter_async_context(
                    Journal(
                        folder,
                        max_bytes=int(source.max_journal),
                        producers=source.producers,
                        sources=source.max_sources,
                    )
                )
            except OSError as error:
                self._failures[source.name] = f"{folder}: {error.strerror}"
                self._log.error("source.failed", source=source.name, reason=self._failures[source.name])
                continue
            self._journals[source.name] = journal
            max_record = int(self.config.engine.max_record)
            sources.append(
                PushSource(
                    source.name, journal, format=source.reads, max_record=max_record, keep=self.config.state.keep
                )
            )
        return sources


def _make(
    source: SourceConfig,
    watermark: Callable[[str], int | None],
    max_record: int,
    claims: MutableMapping[tuple[int, int], str],
) -> Source:
    """Make a source; `claims` says which of them has a file that several match."""
    if isinstance(source, Journald):
        return JournaldSource(
            source.name,
            units=source.units,
            directory=source.directory,
            from_start=source.from_start,
            max_record=max_record,
        )
    options: dict[str, Any] = {"format": source.reads, "max_record": max_record}
    match source:
        case Tail():
            return TailSource(
                source.name,
                source.paths,
                source.exclude,
                from_start=source.from_start,
                watermark=watermark,
                claims=claims,
                **options,
            )
        case Spool():
            return SpoolSource(
                source.name,
                source.folder,
                repeats=source.repeats,
                remembered=source.remembered,
                watermark=watermark,
                **options,
            )
        case Stdin():
            return StdinSource(source.name, **options)
        case Push():
            raise TypeError(source)
