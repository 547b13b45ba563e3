"""The commit: the engine's state and the position of every stream in one file, which a kill at any moment leaves whole.

A file is a head (magic, schema, generation, two lengths), the SHA-256 of all else, the progress as JSON, and the state.
It is written aside, synced, renamed and its folder synced. Some generations are kept: one that is torn is passed over.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic, time
from typing import TYPE_CHECKING, Final

import anyio
import msgspec
import structlog
from anyio import to_thread

from tracegist.errors import SnapshotError
from tracegist.sources._base import Progress

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from tracegist.pipeline import Pipeline

__all__ = ["Committer"]

_MAGIC: Final = b"tgsnap\r\n"
_SCHEMA: Final = 1
_HEAD: Final = struct.Struct("<8sIQQQ")
_CHECKSUM: Final = 32
_NAME: Final = re.compile(r"snapshot-(\d{1,20})\.tgs")
_ASIDE: Final = ".snapshot.tmp"
_REST: Final = 9
"""Times as long as a commit took that the next one waits: commits take a tenth of the time at most."""


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
        self._written_at: float | None = None
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

    def load(self, restore: Callable[[bytes], None] | None = None) -> tuple[bytes, dict[str, Progress], int] | None:
        """Read the newest snapshot that is whole, passing over those that are not.

        :param restore: given the state, such as ``engine.restore``; a snapshot it refuses is passed over too
        :return: state, progress and generation; None if there is none
        """
        for generation in reversed(self._generations()):
            # Numbers of damaged ones are not used again.
            self._generation = max(self._generation, generation)
            path = self._path(generation)
            try:
                state, progress = _decode(Path(path).read_bytes())
                if restore:
                    restore(state)
            except (OSError, SnapshotError) as error:
                self._log.warning("commit.passed_over", path=path, reason=_reason(error))
                continue
            return state, progress, generation
        return None

    def write(self, state: bytes, progress: Mapping[str, Progress]) -> int:
        """Write the next generation, and remove what is older than those kept.

        :return: its number
        :raises OSError: if the disk does not take it; the snapshots that are there stay, unless they had to make room
        """
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        there = self._generations()
        generation = max([self._generation, *there]) + 1
        head, body = _encode(generation, state, progress)
        try:
            self._replace(generation, head, body, state)
        except OSError:
            older = there[:-1]
            if not older:
                raise
            # The disk may be full: the newest alone is enough to start from.
            self._remove(older)
            self._replace(generation, head, body, state)
        self._generation = generation
        self._written_at = time()
        self._remove([*there, generation][: -self._keep])
        return generation

    async def wait(self) -> None:
        """Wait until the next commit has been made, or has failed."""
        await self._tried.wait()

    async def commit(self, pipeline: Pipeline) -> bool:
        """Write what the pipeline has come to, and tell its sources.

        :return: whether it was written; if not, :attr:`failure` says why, and the next commit makes up for it
        """
        version = pipeline.version
        state, progress = await pipeline.snapshot()
        written = await self._try(state, progress)
        if written:
            self._committed = version
            await self._tell(pipeline, progress)
        self._tried.set()
        self._tried = anyio.Event()
        return written

    async def _try(self, state: bytes, progress: Mapping[str, Progress]) -> bool:
        try:
            await to_thread.run_sync(self.write, state, progress)
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
        self._committed = pipeline.version
        try:
            while True:
                if not self._failure:
                    await pipeline.news(self._committed)
                began = monotonic()
                await self.commit(pipeline)
                if pipeline.finished and pipeline.version == self._committed:
                    return
                await anyio.sleep(max(interval, _REST * (monotonic() - began)))
        except anyio.get_cancelled_exc_class():
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

    def _replace(self, generation: int, *parts: bytes) -> None:
        aside = os.path.join(self._folder, _ASIDE)
        try:
            with open(aside, "wb", opener=_private) as file:
                file.writelines(parts)
                file.flush()
                os.fsync(file.fileno())
            os.rename(aside, self._path(generation))
        except OSError:
            Path(aside).unlink(missing_ok=True)
            raise
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _remove(self, generations: list[int]) -> None:
        for generation in generations:
            try:
                os.unlink(self._path(generation))
            except OSError:
                # Tried again at the next commit.
                continue


def _encode(generation: int, state: bytes, progress: Mapping[str, Progress]) -> tuple[bytes, bytes]:
    body = msgspec.json.encode(progress)
    head = _HEAD.pack(_MAGIC, _SCHEMA, generation, len(body), len(state))
    checksum = hashlib.sha256(head)
    checksum.update(body)
    checksum.update(state)
    return head + checksum.digest(), body


def _decode(data: bytes) -> tuple[bytes, dict[str, Progress]]:
    """Take a snapshot apart.

    :raises SnapshotError: if it is torn, damaged, or of another schema
    """
    start = _HEAD.size + _CHECKSUM
    if len(data) < start:
        msg = f"torn: {len(data)} bytes, shorter than its head"
        raise SnapshotError(msg)
    magic, schema, _, length, state_length = _HEAD.unpack_from(data)
    if magic != _MAGIC:
        msg = "not a snapshot"
        raise SnapshotError(msg)
    if schema != _SCHEMA:
        msg = f"schema {schema}: this version reads {_SCHEMA}"
        raise SnapshotError(msg)
    if len(data) != start + length + state_length:
        msg = f"torn: {len(data)} bytes of {start + length + state_length}"
        raise SnapshotError(msg)
    checksum = hashlib.sha256(data[: _HEAD.size])
    checksum.update(memoryview(data)[start:])
    if checksum.digest() != data[_HEAD.size : start]:
        msg = "damaged: its checksum is another"
        raise SnapshotError(msg)
    try:
        progress = msgspec.json.decode(data[start : start + length], type=dict[str, Progress])
    except msgspec.MsgspecError as error:
        msg = f"its progress cannot be read: {error}"
        raise SnapshotError(msg) from error
    return data[start + length :], progress


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _reason(error: OSError | SnapshotError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
