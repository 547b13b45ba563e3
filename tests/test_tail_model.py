"""A model of what may happen to log files, driven beside the real source: which records are lost, and which counted twice."""

from __future__ import annotations

import gzip
import os
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from tracegist.sources import Chunk, Progress, TailSource, _copies, _identity

pytestmark = pytest.mark.anyio

NAMES = ("app.log", "web.log")
STEPS = (
    "settle",
    "append",
    "append",
    "append",
    "half",
    "rotate",
    "rotate and shift",
    "truncate",
    "copytruncate",
    "compress",
    "delete",
    "recreate",
    "link",
    "settle",
    "block",
    "commit",
    "crash",
    "stop",
)


@pytest.fixture
def anyio_backend() -> str:
    """The daemon runs on asyncio."""
    return "asyncio"


@dataclass
class Model:
    """The files, what was written to them, and what the source has made of it.

    :param content: by inode, the records of each file that is there, the last one perhaps in half
    :param fragile: records that were read and not committed, and can not be read again
    :param copied: inodes of files of which there is a copy, and which have not been read and committed since
    :param noticed: those of them that have been read
    :param excused: records that were destroyed before they could be read and committed
    """

    folder: Path
    pattern: str
    number: int = 0
    links: int = 0
    content: dict[int, list[int]] = field(default_factory=dict)
    half: dict[int, bytes] = field(default_factory=dict)
    written: set[int] = field(default_factory=set)
    excused: set[int] = field(default_factory=set)
    fragile: set[int] = field(default_factory=set)
    seen: Counter[int] = field(default_factory=Counter)
    progress: dict[str, Progress] = field(default_factory=dict)
    saved_seen: Counter[int] = field(default_factory=Counter)
    saved_progress: dict[str, Progress] = field(default_factory=dict)
    copied: set[int] = field(default_factory=set)
    deleted: set[int] = field(default_factory=set)
    noticed: set[int] = field(default_factory=set)
    read: list[Chunk] = field(default_factory=list)
    idle: int = 0
    source: TailSource = field(init=False)

    def start(self) -> None:
        """Begin as after a start of the daemon."""
        self.source = TailSource(
            "tail", [str(self.folder / self.pattern)], block=128, scan_interval=0.0, linger=0.0, max_open=2
        )
        self.source._files.reset(self.progress)
        self.read = []

    async def stop(self) -> None:
        """Let the files go."""
        await self.source._close_all()

    def path(self, name: str) -> Path:
        """Where a file is."""
        return self.folder / name

    def append(self, name: str) -> None:
        """Write a few whole records, completing one that was left in half."""
        path = self.path(name)
        with path.open("ab") as file:
            inode = os.fstat(file.fileno()).st_ino
            file.write(self.half.pop(inode, b""))
            for _ in range(3):
                self.number += 1
                self.written.add(self.number)
                self.content.setdefault(inode, []).append(self.number)
                file.write(b"%d %s %d\n" % (self.number, b"x" * (self.number % 50), self.number))

    def write_half(self, name: str) -> None:
        """Write the beginning of a record."""
        path = self.path(name)
        with path.open("ab") as file:
            inode = os.fstat(file.fileno()).st_ino
            if inode in self.half:
                return
            self.number += 1
            self.written.add(self.number)
            self.content.setdefault(inode, []).append(self.number)
            whole = b"%d half %d\n" % (self.number, self.number)
            file.write(whole[:-5])
            self.half[inode] = whole[-5:]

    def destroy(self, path: Path) -> None:
        """Take note that what a file holds is about to go."""
        inode = path.stat().st_ino
        numbers = set(self.content.pop(inode, []))
        if self.half.pop(inode, None):
            # A record that nobody completes is none.
            self.written.discard(max(numbers))
        for other in self.folder.iterdir():
            if fnmatch(other.name, self.pattern):
                numbers -= set(self.content.get(other.stat().st_ino, ()))
        self.excused |= {number for number in numbers if not self.seen[number]}
        self.fragile |= {number for number in numbers if not self.saved_seen[number]}

    async def settle(self, blocks: int | None = None) -> None:
        """Let the source look, and read until there is no more, or only so many blocks."""
        files = self.source._files
        self.idle = 0
        await files.scan()
        await files.agenda.poll()
        while blocks is None or blocks > 0:
            if not self.read and files.agenda.ready:
                self.read = await self.source._read()
            elif not self.read and files.agenda.waiting and self.idle < len(NAMES) + 1:
                # What waits may wait for what is only now told.
                self.idle += 1
                await files.agenda.poll()
            elif not self.read:
                break
            for chunk in self.read[:blocks]:
                blocks = None if blocks is None else blocks - 1
                self.idle = 0
                self.take(chunk.data)
                for stream in chunk.replaces:
                    self.progress.pop(stream, None)
                self.progress[chunk.stream] = Progress(source="tail", position=chunk.position, finished=chunk.finished)
                self.read = self.read[1:]
        if not files.agenda.ready:
            self.noticed |= self.copied

    def take(self, data: bytes) -> None:
        """Count records; what a deleted file ended in is taken too, and is none."""
        for line in data.splitlines(keepends=True):
            if line.endswith(b"\n"):
                self.seen[int(line.split()[0])] += 1

    async def commit(self) -> None:
        """Save records and positions together, and let go what the source says is gone."""
        self.saved_seen, self.saved_progress = Counter(self.seen), dict(self.progress)
        self.copied -= self.noticed
        self.fragile -= set(self.seen)
        for stream in await self.source.committed(self.progress):
            if self.progress[stream] == self.saved_progress[stream]:
                del self.progress[stream]

    async def crash(self) -> None:
        """Go back to what was saved."""
        await self.stop()
        self.noticed.clear()
        self.excused |= self.fragile
        self.seen, self.progress = Counter(self.saved_seen), dict(self.saved_progress)
        self.start()

    async def step(self, what: str, name: str) -> None:  # noqa: C901, PLR0912 - a case for each step
        """Do one thing."""
        path = self.path(name)
        match what:
            case "append":
                self.append(name)
            case "half":
                self.write_half(name)
            case "rotate" if path.exists():
                self.rotate(path, self.folder / f"{name}.{self.number + 10}")
            case "rotate and shift" if path.exists():
                for age in (2, 1):
                    older = self.folder / f"{name}.{age}"
                    if older.exists():
                        self.rotate(older, self.folder / f"{name}.{age + 1}")
                self.rotate(path, self.folder / f"{name}.1")
                self.append(name)
            case "truncate" if path.exists():
                self.destroy(path)
                os.truncate(path, 0)
            case "copytruncate" if path.exists():
                await self.copy(path, self.folder / f"{name}.{self.number + 10}")
                self.destroy(path)
                os.truncate(path, 0)
            case "compress":
                rotated = sorted(path for path in self.folder.glob(f"{name}.*") if path.suffix != ".gz")
                if rotated:
                    self.compress(rotated[-1])
            case "delete" if path.exists():
                self.unlink(path)
            case "recreate" if path.exists():
                self.unlink(path)
                self.append(name)
            case "link" if path.exists():
                self.links += 1
                (self.folder / f"linked-{self.links}-{name}").hardlink_to(path)
            case "settle":
                await self.settle()
            case "block":
                await self.settle(1)
            case "commit":
                await self.commit()
            case "crash":
                await self.crash()
            case "stop":
                await self.commit()
                await self.crash()

    def rotate(self, path: Path, target: Path) -> None:
        """Rename a file, over another perhaps; not right after it was copied, which no rotation does."""
        if path.stat().st_ino in self.copied:
            return
        if target.exists():
            if target.samefile(path):
                return
            self.unlink(target)
        if not fnmatch(target.name, self.pattern):
            self.hide(path)
        path.rename(target)

    async def copy(self, path: Path, target: Path) -> None:
        """Copy a file, as `cp` does; half a record at its end stays half in the copy.

        A log is there for a while before it is rotated: it has been seen under its name, whether read or not. And a copy
        is there for a while before the next is made, long enough for a commit.
        """
        inode = path.stat().st_ino
        if target.exists() or inode in self.copied:
            return
        self.copied.add(inode)
        self.noticed.discard(inode)
        await self.source._files.scan()
        shutil.copyfile(path, target)
        whole = self.content.get(inode, [])[: -1 if inode in self.half else None]
        self.content[target.stat().st_ino] = list(whole)

    def compress(self, path: Path) -> None:
        """Compress a file that was written long ago, as gzip does: its time is kept, and it is deleted at last.

        gzip leaves files alone that have other names too.
        """
        target = path.with_name(f"{path.name}.gz")
        if target.exists() or path.stat().st_nlink > 1:
            return
        with gzip.open(target, "wb") as packed:
            packed.write(path.read_bytes())
        self.content[target.stat().st_ino] = list(self.content.get(path.stat().st_ino, ()))
        os.utime(target, ns=(0, 0))
        if not fnmatch(target.name, self.pattern):
            self.hide(path)
        self.unlink(path)

    def hide(self, path: Path) -> None:
        """Take note that a file gets a name that does not match: it is known as long as something was read of it."""
        inode = path.stat().st_ino
        numbers = self.content.get(inode, [])
        held = any(key[1] == inode and file.reader for key, file in self.source._files._all.items())
        if not held and not any(self.seen[number] for number in numbers):
            self.excused |= {number for number in numbers if not self.seen[number]}
        if not any(self.saved_seen[number] for number in numbers):
            self.fragile |= {number for number in numbers if not self.saved_seen[number]}

    def unlink(self, path: Path) -> None:
        """Delete a name, and with the last one the file; right after it was copied that would be a rename."""
        stat = path.stat()
        if stat.st_nlink == 1:
            self.destroy(path)
            self.deleted.add(stat.st_ino)
        elif stat.st_ino in self.copied:
            return
        path.unlink()


@pytest.mark.parametrize("pattern", ["*.log*", "*.log"])
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.sampled_from(NAMES)), min_size=25, max_size=80))
@settings(deadline=None, max_examples=100)
async def test_tail__whatever_happens__each_record_counted_once(pattern: str, steps: list[tuple[str, str]]) -> None:
    """No record is counted twice, and none is lost but those destroyed before they could be read."""
    folder = Path(tempfile.mkdtemp())
    try:
        model = Model(folder, pattern)
        model.start()
        with capture_logs(), pytest.MonkeyPatch.context() as patch:
            # A few records are as long as this already, and stand for the megabytes that rotated files have.
            for module in (_identity, _copies):
                patch.setattr(module, "HEAD", 16)
            for what, name in steps:
                await model.step(what, name)
            for name in NAMES:
                if model.path(name).exists():
                    model.append(name)
            await model.settle()
            await model.stop()
        halves = {max(model.content[inode]) for inode in model.half}
        lost = model.written - set(model.seen) - model.excused - halves
        doubled = {number for number, times in model.seen.items() if times > 1}
        assert (lost, doubled) == (set(), set()), "; ".join(map(" ".join, steps))
    finally:
        shutil.rmtree(folder)
