"""The account of plain files, with no daemon: they are read when somebody asks, and again once they have changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any, Final, TypeAlias

import anyio
import anyio.from_thread
import anyio.to_thread
import msgspec

from tracegist._engine import Engine
from tracegist.config import Config, Dialect
from tracegist.errors import SourceError
from tracegist.mcp.account import Report
from tracegist.offline import ingest_paths
from tracegist.query import facts_as_configured

__all__ = ["FilesAccount"]

_PACE: Final = 0.25
_LOOK: Final = 2.0

Look: TypeAlias = tuple[tuple[int, int, int, int] | None, ...]


class _Text(msgspec.Struct):
    text: str


class FilesAccount:
    """The account of files.

    :param paths: which
    :param config: whose defaults and limits hold
    :param dialect: how the files are written
    """

    def __init__(self, paths: Sequence[str], config: Config, dialect: Dialect) -> None:
        self._paths = paths
        self._config = config
        self._dialect = dialect
        self._engine = Engine()
        self._read: Look | None = None
        self._reading = anyio.Lock()

    async def prepare(self, report: Report, *, anew: bool) -> None:
        """Read the files, if that was not done, or if they have changed and `anew` is asked for.

        :raises SourceError: if none of them can be read
        """
        async with self._reading:
            look = self._look()
            if self._read is None or (anew and look != self._read):
                self._engine = await anyio.to_thread.run_sync(self._ingest, report)
                self._read = look

    async def encoding(self) -> str:
        """Tell whose tokens are counted."""
        return self._config.summary.encoding

    async def summary(self, asked: Mapping[str, Any]) -> bytes:
        """Give a summary."""
        usual = self._config.summary
        options = {
            "budget": usual.budget,
            "encoding": usual.encoding,
            "window": int(usual.window),
            "baseline": int(usual.baseline),
            **asked,
        }
        return await anyio.to_thread.run_sync(lambda: self._engine.summary(**options))

    async def query(self, question: Mapping[str, Any]) -> bytes:
        """Ask the engine."""
        usual = self._config.summary
        asked = facts_as_configured(question, window=usual.window, baseline=usual.baseline)
        return await anyio.to_thread.run_sync(self._engine.query, msgspec.json.encode(asked))

    async def evidence(self, number: int) -> bytes:
        """Give the raw events behind a number."""
        return await anyio.to_thread.run_sync(self._engine.evidence, number)

    async def updates(self) -> AsyncIterator[str]:
        """Yield the summary each time the files have changed."""
        seen: Look | None = None
        while True:
            if self._look() != seen:
                seen = self._look()
                await self.prepare(_unheard, anew=True)
                yield msgspec.json.decode(await self.summary({}), type=_Text).text
            await anyio.sleep(_LOOK)

    def _look(self) -> Look:
        return tuple(_stat(path) for path in self._paths)

    def _ingest(self, report: Report) -> Engine:
        """Read the files into an engine of their own; on a worker thread."""
        paths = [path for path in self._paths if _stat(path) is not None]
        if not paths:
            msg = f"none of the files is there any more: {', '.join(self._paths)[:200]}"
            raise SourceError(msg)
        engine = Engine(host="", **self._config.engine.options(snapshots=False))
        said, told = monotonic(), 0

        def progress(done: int, total: int | None) -> None:
            nonlocal said, told
            # The protocol has it grow each time.
            if monotonic() - said >= _PACE and done > told:
                said, told = monotonic(), done
                anyio.from_thread.run(report, float(done), None if total is None else float(total), "bytes read")

        ingest_paths(engine, paths, format=self._dialect.reads, dialect=self._dialect.dialect(), report=progress)
        return engine


def _stat(path: str) -> tuple[int, int, int, int] | None:
    try:
        stat = Path(path).stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns


async def _unheard(done: float, total: float | None, what: str) -> None:
    """Nobody asked to be told."""
