"""The commit: one snapshot of the engine's state and all positions, which a kill at any moment leaves whole.

It is written aside, synced, renamed and its folder synced. Some generations are kept: one that is torn is passed over.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, time
from typing import TYPE_CHECKING, Final

import anyio
import structlog
from anyio import to_thread

from tracegist.errors import SnapshotError
from tracegist.snapshot import decode_snapshot, encode_snapshot
from tracegist.sources._base import Progress

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from tracegist.pipeline import Pipeline

__all__ = ["Committer", "Cost", "Fallback"]

_NAME: Final = re.compile(r"snapshot-(\d{1,20})\.tgs")
_ASIDE: Final = ".snapshot.tmp"
_REST: Final = 9
"""Times as long as a commit took that the next one waits: commits take a tenth of the time at most."""
_AT_ONCE: Final = 8 << 20
"""Bytes that are written and synced at once: what is out of date meanwhile need not be written to its end."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What the last commit took: the bytes of the file, and the seconds from the copying of the state on."""

    bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Fallback:
    """The start was not from the newest snapshot.

    :param generation: the one it was from; 0 if none could be used
    :param written_at: of that one, in seconds since the epoch; None if there was none
    :param passed_over: the files that could not be used, the newest first, each with the reason
    """

    generation: int
    written_at: float | None
    passed_over: tuple[str, ...]

    def __str__(self) -> str:
        """Say it in a sentence."""
        newest = self.passed_over[0]
        if self.written_at is None:
            return f"started afresh, for no snapshot could be used: {newest}"
        when = datetime.fromtimestamp(self.written_at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        return f"went back to the state of {when}: {newest}; what came since is read again as far as it is still there"


class _OutOfDate(Exception):
    """Raised in the middle of writing what is no longer wanted."""


class Committer:
    """Writes snapshots into a folder, and reads the newest that is whole.

    :param folder: made if it is not there; belongs to one daemon at a time
    :param keep: generations kept
    """

    def __init__(self, folder: Path | str, *, keep: int = 3) -> None:
        self._folder = os.path.abspath(folder)
        self._keep = max(1, keep)
        self._generation = 0
        self._failure = ""
        self._fallback: Fallback | None = None
        self._cost: Cost | None = None
        self._written_at: float | None = None
        self._last = threading.Event()
        self._committed = 0
        self._tried = anyio.Event()
        self._log: FilteringBoundLogger = structlog.get_logger()

    @property
    def generation(self) -> int:
        """The newest that was written or read; 0 if there is none."""
        return self._generation

    @property
    def written_at(self) -> float | None:
        """When this process wrote the newest, in seconds since the epoch; None before its first."""
        return self._written_at

    @property
    def failure(self) -> str:
        """Why the last commit failed; empty if it did not."""
        return self._failure

    @property
    def keep(self) -> int:
        """Generations kept."""
        return self._keep

    @property
    def cost(self) -> Cost | None:
        """What the last commit took; None before this process' first."""
        return self._cost

    @property
    def fallback(self) -> Fallback | None:
        """Said if :meth:`load` could not use the newest."""
        return self._fallback

    def load(self, restore: Callable[[bytes], None] | None = None) -> tuple[bytes, dict[str, Progress], int] | None:
        """Read the newest snapshot that is whole, passing over those that are not.

        :param restore: given the state, such as ``engine.restore``; a snapshot it refuses is passed over too
        :return: state, progress and generation; None if there is none
        """
        passed_over: list[str] = []
        for generation in reversed(self._generations()):
            # Numbers of damaged ones are not used again.
            self._generation = max(self._generation, generation)
            path = self._path(generation)
            try:
                written_at = os.stat(path).st_mtime
                state, progress = decode_snapshot(Path(path).read_bytes())
                if restore:
                    restore(state)
            except (OSError, SnapshotError) as error:
                self._log.warning("commit.passed_over", path=path, reason=_reason(error))
                passed_over.append(f"{os.path.basename(path)}: {_reason(error)}")
                continue
            self._fell_back(Fallback(generation, written_at, tuple(passed_over)))
            return state, progress, generation
        self._fell_back(Fallback(0, None, tuple(passed_over)))
        return None

    def _fell_back(self, fallback: Fallback) -> None:
        if fallback.passed_over:
            self._fallback = fallback
            self._log.warning(
                "commit.fell_back", path=self._folder, generation=fallback.generation, reason=str(fallback)
            )

    def write(self, state: Sequence[bytes], progress: Mapping[str, Progress]) -> int:
        """Write the next generation, and remove what is older than those kept.

        :param state: in as many pieces as there are
        :param progress: that belongs to it
        :return: its number
        :raises OSError: if the disk does not take it; the snapshots that are there stay, unless they had to make room
        """
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        there = self._generations()
        generation = max([self._generation, *there]) + 1
        parts = encode_snapshot(generation, state, progress)
        try:
            self._replace(generation, parts)
        except OSError:
            older = there[:-1]
            if not older:
                raise
            # The disk may be full: the newest alone is enough to start from.
            self._remove(older)
            self._replace(generation, parts)
        self._generation = generation
        self._written_at = time()
        self._remove([*there, generation][: -self._keep])
        return generation

    async def wait(self) -> None:
        """Wait until the next commit has been made, or has failed."""
        await self._tried.wait()

    def hurry(self) -> None:
        """Leave what is being written: the last commit, when :meth:`run` is cancelled, makes up for it."""
        self._last.set()

    async def commit(self, pipeline: Pipeline) -> bool:
        """Write what the pipeline has come to, and tell its sources.

        :return: whether it was written; if not, :attr:`failure` says why, and the next commit makes up for it
        """
        version = pipeline.version
        began = monotonic()
        state, progress = await pipeline.snapshot()
        written = await self._try(state, progress)
        if written:
            self._cost = Cost(sum(map(len, state)), monotonic() - began)
            self._committed = version
            await self._tell(pipeline, progress)
        self._tried.set()
        self._tried = anyio.Event()
        return written

    async def _try(self, state: Sequence[bytes], progress: Mapping[str, Progress]) -> bool:
        try:
            await to_thread.run_sync(self.write, state, progress)
        except _OutOfDate:
            return False
        except OSError as error:
            if not self._failure:
                self._log.error("commit.failed", path=self._folder, reason=_reason(error))
            self._failure = f"state is not saved: {self._folder}: {_reason(error)}"
            return False
        if self._failure:
            self._log.info("commit.recovered", path=self._folder)
        self._failure = ""
        return True

    async def _tell(self, pipeline: Pipeline, progress: Mapping[str, Progress]) -> None:
        """Tell each source what is durable of its streams, and drop those it has no more use for."""
        for source in pipeline.sources:
            own = {stream: known for stream, known in progress.items() if known.source == source.name}
            try:
                forgotten = await source.committed(own)
            except OSError as error:
                self._log.warning("source.not_tidied", source=source.name, reason=_reason(error))
                continue
            pipeline.forget({stream: own[stream] for stream in forgotten if stream in own})

    async def run(self, pipeline: Pipeline, interval: float = 1.0) -> None:
        """Commit whenever there is news, at most once an interval, until the sources end; once more when cancelled.

        :param interval: seconds; longer if a commit takes more than a tenth of it
        """
        self._last.clear()
        self._committed = pipeline.version
        try:
            while True:
                if not self._failure:
                    await pipeline.news(self._committed)
                if self._last.is_set():
                    # The last one is about to be asked for.
                    await anyio.sleep_forever()
                began = monotonic()
                await self.commit(pipeline)
                if pipeline.finished and pipeline.version == self._committed:
                    return
                await anyio.sleep(max(interval, _REST * (monotonic() - began)))
        except anyio.get_cancelled_exc_class():
            self._last.clear()
            if pipeline.version > self._committed:
                with anyio.CancelScope(shield=True):
                    await self.commit(pipeline)
            raise

    def _generations(self) -> list[int]:
        try:
            names = os.listdir(self._folder)
        except OSError:
            return []
        return sorted(int(match[1]) for match in map(_NAME.fullmatch, names) if match)

    def _path(self, generation: int) -> str:
        return os.path.join(self._folder, f"snapshot-{generation}.tgs")

    def _replace(self, generation: int, parts: Sequence[bytes]) -> None:
        aside = os.path.join(self._folder, _ASIDE)
        try:
            with open(aside, "wb", opener=_private) as file:
                behind = 0
                for piece in _pieces(parts):
                    if behind + len(piece) > _AT_ONCE:
                        file.flush()
                        os.fdatasync(file.fileno())
                        behind = 0
                    self._check()
                    behind += file.write(piece)
                file.flush()
                self._check()
                os.fsync(file.fileno())
            os.rename(aside, self._path(generation))
        except (OSError, _OutOfDate):
            with suppress(OSError):
                os.unlink(aside)
            raise
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _check(self) -> None:
        if self._last.is_set():
            raise _OutOfDate

    def _remove(self, generations: list[int]) -> None:
        for generation in generations:
            try:
                os.unlink(self._path(generation))
            except OSError:
                # Tried again at the next commit.
                continue


def _pieces(parts: Sequence[bytes]) -> Iterator[memoryview]:
    for part in parts:
        for start in range(0, len(part), _AT_ONCE):
            yield memoryview(part)[start : start + _AT_ONCE]


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _reason(error: OSError | SnapshotError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
