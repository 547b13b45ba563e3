"""A tail source run again and again over one folder, as a daemon would that is stopped and started."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from tracegist.sources import Progress, TailSource

__all__ = ["Rig", "record", "records"]


def record(number: int | str) -> bytes:
    """A record that is known again."""
    return f'{{"level":"info","msg":"record {number}"}}\n'.encode()


def records(*numbers: int) -> bytes:
    """Several of them."""
    return b"".join(map(record, numbers))


class Rig:
    """Runs a source again and again over one folder, and keeps what it yields as the pipeline would."""

    def __init__(self, folder: Path, *patterns: str, **options: object) -> None:
        self.patterns = [str(folder / pattern) for pattern in patterns or ("*.log",)]
        self.options = {"scan_interval": 0.05, "poll_interval": 0.05, "linger": 0.1, **options}
        self.data: dict[str, bytes] = {}
        self.progress: dict[str, Progress] = {}
        self.news = anyio.Event()
        self.source = self.make()

    def make(self) -> TailSource:
        """A source as it is made when the daemon starts."""
        return TailSource("tail", self.patterns, **self.options)  # type: ignore[arg-type]

    @property
    def lines(self) -> list[bytes]:
        """All records so far, in no particular order of files."""
        return b"".join(self.data.values()).splitlines(keepends=True)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the source for a while."""
        self.source = self.make()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._collect)
            yield
            tasks.cancel_scope.cancel()

    async def _collect(self) -> None:
        async with self.source:
            async for chunk in self.source.chunks(self.progress):
                self.data[chunk.stream] = self.data.get(chunk.stream, b"") + chunk.data
                for stream in chunk.replaces:
                    self.progress.pop(stream, None)
                self.progress[chunk.stream] = Progress(
                    source=chunk.source, position=chunk.position, finished=chunk.finished
                )
                self.news.set()
                self.news = anyio.Event()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what is to come."""
        with anyio.fail_after(10):
            while not condition():
                await self.news.wait()

    async def expect(self, *numbers: int) -> None:
        """Wait until there are as many records, and see that they are those."""
        await self.until(lambda: len(self.lines) >= len(numbers))
        assert Counter(self.lines) == Counter(map(record, numbers))
