"""The spool folder: each file once, whole, and then out of the way."""

from __future__ import annotations

import bz2
import errno
import gzip
import json
import lzma
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from structlog.testing import capture_logs

from tracegist._engine import Engine
from tracegist.commit import Committer
from tracegist.pipeline import Pipeline
from tracegist.sources import SpoolSource
from tracegist.sources._drops import SpoolFolder
from tracegist.sources._reader import OverwrittenError, Reading, RecordReader

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The daemon runs on asyncio."""
    return "asyncio"


def records(*numbers: int) -> bytes:
    """Records that can be decoded."""
    return b"".join(
        b'{"time":"2026-11-01T00:00:00Z","level":"info","service":"shop","msg":"record %d"}\n' % one for one in numbers
    )


class Rig:
    """A daemon with a spool folder alone."""

    def __init__(self, folder: Path, **options: object) -> None:
        self.spool = folder / "spool"
        self.state = folder / "state"
        self.options = {"scan_interval": 0.02, "settle": 0.02, "rested": 3600.0, **options}
        self.start()

    def start(self) -> None:
        """Begin as after a start of the daemon."""
        self.engine = Engine()
        self.committer = Committer(self.state)
        loaded = self.committer.load(self.engine.restore)
        self.source = SpoolSource("spool", self.spool, **self.options)  # type: ignore[arg-type]
        self.pipeline = Pipeline(self.engine, [self.source], progress=loaded[1] if loaded else None, retry=0.01)

    @asynccontextmanager
    async def running(self, *, commits: bool = True) -> AsyncIterator[None]:
        """Run it for a while."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.pipeline.run)
            if commits:
                tasks.start_soon(self.committer.run, self.pipeline, 0.01)
            yield
            tasks.cancel_scope.cancel()

    def drop(self, name: str, data: bytes, *, folder: str = "") -> Path:
        """Drop a file as one should: written aside, then renamed."""
        self.spool.mkdir(exist_ok=True)
        path = self.spool / folder / name
        aside = path.with_name("." + name)
        aside.write_bytes(data)
        aside.rename(path)
        return path

    @property
    def streams(self) -> list[str]:
        """Files of which there is progress."""
        return [stream for stream in self.pipeline.progress if stream != "spool:contents"]

    @property
    def events(self) -> int:
        """All that the engine has counted."""
        events: int = json.loads(self.engine.stats())["ledger"]["events"]
        return events

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what is to come; a move follows the commit, so time passes without news."""
        with anyio.fail_after(10):
            while not condition():
                with anyio.move_on_after(0.05):
                    await self.pipeline.news(self.pipeline.version)


async def test_spool__dropped__ingested_once_and_done(tmp_path: Path) -> None:
    """A file is counted, moved to done/ and forgotten."""
    rig = Rig(tmp_path)
    rig.drop("a.json", records(1, 2))
    async with rig.running():
        await rig.until((rig.spool / "done" / "a.json").exists)
        await rig.until(lambda: rig.streams == [])
    assert rig.events == 2
    rig.start()
    assert rig.events == 2


async def test_spool__written_in_place__taken_once_it_rests(tmp_path: Path) -> None:
    """A file that still grows is left alone until two looks find the same."""
    rig = Rig(tmp_path, settle=0.3)
    rig.spool.mkdir()
    async with rig.running():
        with (rig.spool / "slow.json").open("wb", buffering=0) as file:
            for number in range(5):
                file.write(records(number))
                await anyio.sleep(0.1)
                assert rig.events == 0
        await rig.until((rig.spool / "done" / "slow.json").exists)
    assert rig.events == 5


async def test_spool__old_file__taken_at_the_first_look(tmp_path: Path) -> None:
    """A file that nobody has written to for a while need not be watched first."""
    rig = Rig(tmp_path, rested=10.0, settle=3600.0, scan_interval=3600.0)
    os.utime(rig.drop("old.json", records(1)), (1, 1))
    async with rig.running():
        await rig.until((rig.spool / "done" / "old.json").exists)
    assert rig.events == 1


async def test_spool__unfinished_names_and_folders__ignored(tmp_path: Path) -> None:
    """What begins with a dot or ends in .tmp or .part is being written; folders are not looked into."""
    rig = Rig(tmp_path)
    (rig.spool / "sub").mkdir(parents=True)
    for name in (".hidden", "a.tmp", "b.json.part", "sub/c.json"):
        (rig.spool / name).write_bytes(records(1))
    rig.drop("d.json", records(2))
    async with rig.running():
        await rig.until((rig.spool / "done" / "d.json").exists)
        (rig.spool / "a.tmp").rename(rig.spool / "a.json")
        await rig.until((rig.spool / "done" / "a.json").exists)
    assert rig.events == 2
    assert sorted(path.name for path in rig.spool.iterdir()) == [".hidden", "b.json.part", "done", "failed", "sub"]


async def test_spool__nothing_decoded__failed_with_the_reason(tmp_path: Path) -> None:
    """A file in which nothing could be read lies in failed/, and beside it stands what was found."""
    rig = Rig(tmp_path)
    rig.drop("rubbish.bin", bytes(range(256)) * 10)
    async with rig.running():
        await rig.until((rig.spool / "failed" / "rubbish.bin").exists)
    reason = (rig.spool / "failed" / "rubbish.bin.reason").read_text()
    assert reason.startswith(str(rig.spool / "rubbish.bin"))
    assert "could be decoded" in reason
    assert "binary" in reason


async def test_spool__some_decoded__done(tmp_path: Path) -> None:
    """One bad record does not make a file a failure; it stands in the ledger."""
    rig = Rig(tmp_path)
    rig.drop("a.json", records(1) + b'{"level":\n' + records(2))
    async with rig.running():
        await rig.until((rig.spool / "done" / "a.json").exists)
    assert rig.events >= 2


async def test_spool__empty__done(tmp_path: Path) -> None:
    """An empty file says nothing, and that is no failure."""
    rig = Rig(tmp_path)
    rig.drop("empty.json", b"")
    async with rig.running():
        await rig.until((rig.spool / "done" / "empty.json").exists)
    assert rig.events == 0


async def test_spool__no_last_newline__last_record_counted(tmp_path: Path) -> None:
    """A whole file needs no newline at its end."""
    rig = Rig(tmp_path)
    rig.drop("a.json", records(1, 2)[:-1])
    async with rig.running():
        await rig.until((rig.spool / "done" / "a.json").exists)
    assert rig.events == 2


async def test_spool__symlink_and_pipe__failed(tmp_path: Path) -> None:
    """What is no file is not opened: a link could lead to what its maker may not read, a pipe keep us waiting."""
    rig = Rig(tmp_path)
    secret = tmp_path / "secret"
    secret.write_bytes(records(1))
    rig.spool.mkdir()
    (rig.spool / "link.json").symlink_to(secret)
    os.mkfifo(rig.spool / "pipe.json")
    async with rig.running():
        for name in ("link.json", "pipe.json"):
            await rig.until((rig.spool / "failed" / f"{name}.reason").exists)
    assert rig.events == 0
    assert secret.exists()
    assert "not a regular file" in (rig.spool / "failed" / "pipe.json.reason").read_text()
    assert "link" in (rig.spool / "failed" / "link.json.reason").read_text()


async def test_spool__unreadable__failed_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that may not be read is put aside with the reason; the others are read."""
    rig = Rig(tmp_path)
    rig.drop("closed.json", records(1))
    rig.drop("open.json", records(2))
    real = os.open

    def guarded(path: str, flags: int, *rest: int, **options: int) -> int:
        if str(path).endswith("/spool/closed.json"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return real(path, flags, *rest, **options)

    monkeypatch.setattr(os, "open", guarded)
    async with rig.running():
        await rig.until((rig.spool / "failed" / "closed.json").exists)
        await rig.until((rig.spool / "done" / "open.json").exists)
    assert "Permission denied" in (rig.spool / "failed" / "closed.json.reason").read_text()
    assert rig.events == 1


async def test_spool__same_name_again__both_counted_and_kept(tmp_path: Path) -> None:
    """A name may come again: the second file is another, and lies beside the first under a name of its own."""
    rig = Rig(tmp_path)
    async with rig.running():
        for number in range(3):
            rig.drop("a.json", records(number))
            await rig.until(lambda: not (rig.spool / "a.json").exists())
    assert rig.events == 3
    assert sorted(path.name for path in (rig.spool / "done").iterdir()) == ["a.2.json", "a.3.json", "a.json"]


async def test_spool__killed_between_commit_and_move__not_counted_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is covered by a commit and still lies there is only moved."""
    rig = Rig(tmp_path)
    rig.drop("a.json", records(1, 2))
    with monkeypatch.context() as patch:
        patch.setattr(SpoolFolder, "move", lambda *_: False)
        async with rig.running():
            await rig.until(lambda: any(known.finished for known in rig.pipeline.progress.values()))
            await rig.until(lambda: rig.committer.generation > 0)
    assert (rig.spool / "a.json").exists()
    rig.start()
    assert rig.events == 2
    async with rig.running():
        await rig.until((rig.spool / "done" / "a.json").exists)
    assert rig.events == 2


async def test_spool__killed_in_the_middle__goes_on_there(tmp_path: Path) -> None:
    """A file that was committed in part is read on from there."""
    rig = Rig(tmp_path, block=1024)
    rig.drop("a.json", records(*range(200)))
    async with rig.running(commits=False):
        await rig.until(lambda: bool(rig.pipeline.progress))
        await rig.committer.commit(rig.pipeline)
    rig.start()
    before = rig.events
    assert 0 < before <= 200
    async with rig.running():
        await rig.until((rig.spool / "done" / "a.json").exists)
    assert rig.events == 200


async def test_spool__replaced_after_the_commit__other_file_counted(tmp_path: Path) -> None:
    """Another file under the name of one that was never moved is another file."""
    rig = Rig(tmp_path)
    rig.drop("a.json", records(1, 2))
    async with rig.running(commits=False):
        await rig.until(lambda: any(known.finished for known in rig.pipeline.progress.values()))
        await rig.pipeline.snapshot()
        rig.drop("a.json", records(3, 4, 5))
        await rig.committer.commit(rig.pipeline)
    rig.start()
    async with rig.running():
        await rig.until((rig.spool / "done" / "a.json").exists)
    assert rig.events == 5


async def test_spool__not_movable__counted_once_and_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be moved a file stays where it is, is not read again, and that is said once."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    rig = Rig(tmp_path)
    rig.drop("a.json", records(1))
    with capture_logs() as logs, monkeypatch.context() as patch:
        patch.setattr(os, "rename", refuse)
        patch.setattr(Committer, "_replace", lambda *_: None)
        async with rig.running(commits=False):
            await rig.until(lambda: any(known.finished for known in rig.pipeline.progress.values()))
            for _ in range(3):
                await rig.committer.commit(rig.pipeline)
    assert [entry["event"] for entry in logs] == ["spool.not_moved"]
    assert rig.events == 1
    assert rig.pipeline.progress


async def test_spool__folder_taken_away__made_again(tmp_path: Path) -> None:
    """Without its folder the source fails and is tried again, which makes the folder."""
    rig = Rig(tmp_path)
    async with rig.running():
        await rig.until((rig.spool / "done").exists)
        (rig.spool / "done").rmdir()
        (rig.spool / "failed").rmdir()
        rig.spool.rmdir()
        await rig.until((rig.spool / "done").exists)
        rig.drop("a.json", records(1))
        await rig.until((rig.spool / "done" / "a.json").exists)
        await rig.until(lambda: not rig.pipeline.failures)
    assert rig.events == 1


async def test_spool__same_content_under_another_name__counted_once(tmp_path: Path) -> None:
    """A file dropped again is told by what is in it, also after a restart, and lies in done/ like the first."""
    rig = Rig(tmp_path)
    rig.drop("a.json", records(1, 2))
    async with rig.running():
        await rig.until((rig.spool / "done" / "a.json").exists)
        with capture_logs() as logs:
            rig.drop("b.json", records(1, 2))
            await rig.until((rig.spool / "done" / "b.json").exists)
    assert [entry["event"] for entry in logs] == ["spool.repeated", "spool.done"]
    assert rig.source.figures == {"repeated_files": 1}
    assert rig.events == 2
    rig.start()
    rig.drop("c.json", records(1, 2))
    rig.drop("d.json", records(1, 2, 3))
    async with rig.running():
        await rig.until((rig.spool / "done" / "c.json").exists)
        await rig.until((rig.spool / "done" / "d.json").exists)
    assert rig.events == 5


async def test_spool__two_copies_at_once__one_waits_for_the_other(tmp_path: Path) -> None:
    """While the first of two is being read the second waits, and is moved when that one counts."""
    rig = Rig(tmp_path, block=1024)
    for name in ("a.json", "b.json", "c.json"):
        rig.drop(name, records(*range(200)))
    async with rig.running():
        for name in ("a.json", "b.json", "c.json"):
            await rig.until((rig.spool / "done" / name).exists)
    assert rig.events == 200


async def test_spool__repeats_wanted__counted_again(tmp_path: Path) -> None:
    """Where files are meant to repeat, each counts."""
    rig = Rig(tmp_path, repeats=True)
    for name in ("a.json", "b.json"):
        rig.drop(name, records(1))
    async with rig.running():
        for name in ("a.json", "b.json"):
            await rig.until((rig.spool / "done" / name).exists)
    assert rig.events == 2


async def test_spool__same_content_as_a_failure__tried_again(tmp_path: Path) -> None:
    """What could not be read counts for nothing: the same file may be tried again."""
    rig = Rig(tmp_path)
    async with rig.running():
        for name in ("a.bin", "b.bin"):
            rig.drop(name, bytes(range(256)) * 10)
            await rig.until((rig.spool / "failed" / name).exists)
    assert not list((rig.spool / "done").iterdir())


async def test_spool__more_contents_than_remembered__oldest_forgotten(tmp_path: Path) -> None:
    """What is remembered is bounded, and no file is left lying for it."""
    rig = Rig(tmp_path, remembered=2)
    async with rig.running():
        for number in range(4):
            rig.drop(f"{number}.json", records(number))
        for number in range(4):
            await rig.until((rig.spool / "done" / f"{number}.json").exists)
        assert len(rig.pipeline.progress["spool:contents"].position.cursor.split()) == 2
    assert rig.events == 4


async def test_spool__killed_at_any_commit__each_content_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever the process is gone, what is in two files of one content counts once, and both are out of the way in the end."""
    (tmp_path / "spool").mkdir()
    for name, data in (("a.json", records(1, 2, 3)), ("b.json", records(1, 2, 3)), ("other.json", records(7))):
        (tmp_path / "spool" / name).write_bytes(data)
    for commits in range(1, 7):
        rig = Rig(tmp_path, rested=0.0)
        # A move that is not carried out is what a kill before it leaves behind.
        with monkeypatch.context() as patch:
            patch.setattr(SpoolFolder, "move", lambda *_: False)
            async with rig.running(commits=False):
                for _ in range(commits):
                    with anyio.move_on_after(0.1):
                        await rig.pipeline.news(rig.pipeline.version)
                    await rig.committer.commit(rig.pipeline)
    rig = Rig(tmp_path, rested=0.0)
    async with rig.running():
        for name in ("a.json", "b.json", "other.json"):
            await rig.until((rig.spool / "done" / name).exists)
        await rig.until(lambda: rig.streams == [])
    assert rig.events == 4


COMPRESS = pytest.mark.parametrize(
    "compress", [gzip.compress, zstd.compress, lzma.compress, bz2.compress], ids=["gzip", "zstd", "xz", "bzip2"]
)


@COMPRESS
async def test_spool__compressed__read_as_what_is_in_it_and_moved_as_it_is(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    """What is compressed is told by its bytes, whatever its name."""
    rig = Rig(tmp_path, block=1024)
    packed = compress(records(*range(300))) + compress(records(*range(300, 400)))
    rig.drop("a.json", packed)
    async with rig.running():
        await rig.until((rig.spool / "done" / "a.json").exists)
    assert rig.events == 400
    assert (rig.spool / "done" / "a.json").read_bytes() == packed


@COMPRESS
async def test_spool__compressed_and_killed_in_the_middle__goes_on_there(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    """A compressed file that was committed in part is read on from there, and counts what it would have."""
    rig = Rig(tmp_path, block=1024)
    rig.drop("a.gz", compress(records(*range(200))))
    for _ in range(3):
        async with rig.running(commits=False):
            await rig.until(lambda: bool(rig.streams))
            await rig.committer.commit(rig.pipeline)
        rig.start()
    async with rig.running():
        await rig.until((rig.spool / "done" / "a.gz").exists)
    assert rig.events == 200
    engine = Engine()
    received = (rig.spool / "done" / "a.gz").stat().st_mtime_ns
    stream = next(iter(json.loads(rig.engine.stats())["streams"]), None)
    assert stream is not None
    engine.ingest("x", records(*range(200)), received=received)
    assert json.loads(engine.stats())["ledger"] == json.loads(rig.engine.stats())["ledger"]


@pytest.mark.parametrize("killed", [False, True], ids=["at once", "killed in the middle"])
@pytest.mark.parametrize(("damage", "reason"), [("cut", "cut off"), ("overwritten", "cannot be read near byte")])
async def test_spool__compressed_and_damaged__failed_and_what_came_before_counts(
    tmp_path: Path, damage: str, reason: str, *, killed: bool
) -> None:
    """Where the damage is stands beside the file, and how much counts; the same if the process was killed on the way."""
    first = gzip.compress(records(*range(200)), mtime=0)
    data = bytearray(first + gzip.compress(records(*range(200, 300)), mtime=0))
    if damage == "cut":
        del data[len(first) + 5 :]
    else:
        data[len(first) :] = b"rubbish"
    rig = Rig(tmp_path, block=1024)
    rig.drop("a.gz", bytes(data))
    if killed:
        async with rig.running(commits=False):
            await rig.until(lambda: bool(rig.streams))
            await rig.committer.commit(rig.pipeline)
        rig.start()
    async with rig.running():
        await rig.until((rig.spool / "failed" / "a.gz").exists)
        text = (rig.spool / "failed" / "a.gz.reason").read_text()
        # Dropped again, it counts no more than before.
        rig.drop("b.gz", bytes(data))
        await rig.until(lambda: not (rig.spool / "b.gz").exists())
    assert reason in text
    assert "(the 200 events before count)" in text
    assert rig.events == 200
    assert (rig.spool / "failed" / "a.gz").read_bytes() == data


async def test_spool__compressed_and_written_to_while_read__told(tmp_path: Path) -> None:
    """A file that changes while it is read is no longer what it was, and is read anew."""
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(records(*range(500))))
    reader = await RecordReader.open(str(path), Reading(block=1024), {})
    assert await reader.read()
    path.write_bytes(gzip.compress(records(*range(3))))
    with pytest.raises(OverwrittenError):
        await reader.read()
    reader.rewind()
    assert await reader.read(last=True) == records(*range(3))
    await reader.aclose()
