"""Pushes: durable before they are acknowledged, counted once, and gone from the disk when they are committed."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from structlog.testing import capture_logs

from tracegist.errors import SourceError
from tracegist.sources import Journal, JournalFull, Progress, PushSource

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The daemon runs on asyncio."""
    return "asyncio"


class Reader:
    """Reads a journal as the pipeline would."""

    def __init__(self, **options: int) -> None:
        self.options = options
        self.data: dict[str, bytes] = {}
        self.progress: dict[str, Progress] = {}
        self.received: list[int] = []
        self.gaps: list[str] = []
        self.news = anyio.Event()

    @asynccontextmanager
    async def reading(self, journal: Journal) -> AsyncIterator[PushSource]:
        """Read for a while."""
        source = PushSource("push", journal, **self.options)  # type: ignore[arg-type]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._collect, source)
            yield source
            tasks.cancel_scope.cancel()

    async def _collect(self, source: PushSource) -> None:
        async with source:
            async for chunk in source.chunks(self.progress):
                self.progress[chunk.stream] = Progress(source="push", position=chunk.position)
                if chunk.gap:
                    self.gaps.append(f"{chunk.gap.reason}, {chunk.gap.bytes} bytes")
                    continue
                assert chunk.data.endswith(b"\n")
                self.data[chunk.stream] = self.data.get(chunk.stream, b"") + chunk.data
                self.received.append(chunk.received)
                self.news.set()
                self.news = anyio.Event()

    async def expect(self, **data: bytes) -> None:
        """Wait until this was read of each pusher, and see that no more was."""
        wanted = {f"push/{name}": lines for name, lines in data.items()}
        with anyio.fail_after(10):
            while sum(map(len, self.data.values())) < sum(map(len, wanted.values())):
                await self.news.wait()
        assert self.data == wanted


async def test_push__appended__read_by_pusher(tmp_path: Path) -> None:
    """Each pusher is a stream of its own, in the order of its pushes; a missing newline is added."""
    reader = Reader()
    async with Journal(tmp_path) as journal, reader.reading(journal):
        await journal.append("a", b"1\n2")
        await journal.append("b", b"3\n", "text")
        await journal.append("a", b"4\n")
        await journal.append("a", b"")
        await reader.expect(a=b"1\n2\n4\n", b=b"3\n")


async def test_push__killed_after_the_answer__nothing_lost_or_doubled(tmp_path: Path) -> None:
    """What was acknowledged is read by the next process, from where the commit says."""
    reader = Reader()
    async with Journal(tmp_path) as journal, reader.reading(journal):
        await journal.append("a", b"1\n")
        await reader.expect(a=b"1\n")
    async with Journal(tmp_path) as journal:
        await journal.append("a", b"2\n")
        await journal.append("b", b"3\n")
    async with Journal(tmp_path) as journal:
        await journal.append("a", b"4\n")
        async with reader.reading(journal):
            await reader.expect(a=b"1\n2\n4\n", b=b"3\n")


async def test_push__read_again__same_times(tmp_path: Path) -> None:
    """The time of a push is kept with it: reading it again gives the same state."""
    first, second = Reader(), Reader()
    async with Journal(tmp_path) as journal:
        for number in range(3):
            await journal.append("a", b"%d\n" % number)
        for reader in (first, second):
            async with reader.reading(journal):
                await reader.expect(a=b"0\n1\n2\n")
    assert first.received == second.received


async def test_push__many_at_once__one_fsync_for_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pushes that come while the disk is busy become durable together."""
    syncs = 0
    real = os.fdatasync

    def count(descriptor: int) -> None:
        nonlocal syncs
        syncs += 1
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", count)
    reader = Reader()
    async with Journal(tmp_path) as journal:
        async with anyio.create_task_group() as tasks:
            for number in range(200):
                tasks.start_soon(journal.append, f"p{number}", b"x\n")
        async with reader.reading(journal):
            await reader.expect(**{f"p{number}": b"x\n" for number in range(200)})
    assert syncs < 20


async def test_push__large__in_blocks_at_record_boundaries(tmp_path: Path) -> None:
    """A push larger than a block comes in several, and a restart in between goes on behind the last."""
    data = b"".join(b"record %d\n" % number for number in range(1000))
    reader = Reader(block=256)
    async with Journal(tmp_path) as journal:
        await journal.append("a", data)
        source = PushSource("push", journal, block=256)
        read = b""
        async for chunk in source.chunks({}):
            read += chunk.data
            reader.data[chunk.stream] = read
            reader.progress[chunk.stream] = Progress(source="push", position=chunk.position)
            if len(read) > 1000:
                break
        assert data.startswith(read)
        assert read.endswith(b"\n")
        async with reader.reading(journal):
            await reader.expect(a=data)


async def test_push__committed__segments_removed_and_pushers_forgotten(tmp_path: Path) -> None:
    """The journal shrinks as commits cover it, and holds no more than the last segment in the end."""
    reader = Reader()
    async with Journal(tmp_path, segment_bytes=1000) as journal, reader.reading(journal) as source:
        await journal.append("early", b"x\n")
        data = b""
        for number in range(50):
            line = b"%d %s\n" % (number, b"y" * 100)
            data += line
            await journal.append("a", line)
        await reader.expect(early=b"x\n", a=data)
        assert len(list(tmp_path.iterdir())) > 3
        assert await source.committed({}) == set()
        assert len(list(tmp_path.iterdir())) > 3
        assert await source.committed(reader.progress) == {"push/early"}
        assert len(list(tmp_path.iterdir())) == 1
        assert journal.size < 2000


async def test_push__nothing_left_and_restarted__new_pushes_are_new(tmp_path: Path) -> None:
    """After the journal was taken away, positions in it do not hide what is pushed later; that it is gone is told, once."""
    reader = Reader()
    async with Journal(tmp_path) as journal, reader.reading(journal):
        await journal.append("a", b"1\n2\n3\n")
        await reader.expect(a=b"1\n2\n3\n")
    for segment in tmp_path.iterdir():
        segment.unlink()
    async with Journal(tmp_path) as journal, reader.reading(journal):
        await journal.append("a", b"4\n")
        await reader.expect(a=b"1\n2\n3\n4\n")
    async with Journal(tmp_path) as journal, reader.reading(journal):
        await journal.append("a", b"5\n")
        await reader.expect(a=b"1\n2\n3\n4\n5\n")
    assert reader.gaps == ["segments of the journal are gone, and with them pushes, 0 bytes"]


async def test_push__segment_taken_away__told_once(tmp_path: Path) -> None:
    """A hole in the numbers of the segments is a gap, whether it is found at the start or on the way."""
    reader = Reader()
    for number in range(3):
        async with Journal(tmp_path) as journal:
            await journal.append("a", b"%d\n" % number)
    sorted(tmp_path.iterdir())[1].unlink()
    for _ in range(2):
        async with Journal(tmp_path) as journal, reader.reading(journal):
            await reader.expect(a=b"0\n2\n")
    assert len(reader.gaps) == 1


async def test_push__covered_by_one_commit__kept_for_the_ones_before(tmp_path: Path) -> None:
    """A segment goes when every snapshot that is kept covers it: one that is gone back to finds what it wants."""
    reader = Reader(keep=3)
    async with Journal(tmp_path, segment_bytes=100) as journal, reader.reading(journal) as source:
        await journal.append("a", b"x" * 200 + b"\n")
        await reader.expect(a=b"x" * 200 + b"\n")
        old = dict(reader.progress)
        assert await source.committed({}) == set()
        for _ in range(2):
            assert await source.committed(old) == set()
            assert len(list(tmp_path.iterdir())) == 1
        assert await source.committed(old) == {"push/a"}
        assert len(list(tmp_path.iterdir())) == 1
        assert journal.size == 0


async def test_push__half_full__newest_commit_is_enough(tmp_path: Path) -> None:
    """Room for pushes counts more than what an older snapshot might want."""
    reader = Reader(keep=3)
    async with Journal(tmp_path, max_bytes=20_000) as journal, reader.reading(journal) as source:
        line = b"z" * 1000 + b"\n"
        for _ in range(15):
            await journal.append("a", line)
        await reader.expect(a=line * 15)
        await source.committed(reader.progress)
        assert journal.size < 10_000


@pytest.mark.parametrize("name", ["", "a/b", "..\n", "ü", "x" * 65, "a b"])
async def test_push__bad_name__refused(tmp_path: Path, name: str) -> None:
    """A name that could not be a stream's is refused, and the message shows it."""
    async with Journal(tmp_path) as journal:
        with pytest.raises(SourceError, match="source name"):
            await journal.append(name, b"x\n")


async def test_push__full__refused_until_committed(tmp_path: Path) -> None:
    """The disk used is bounded: pushes are refused until a commit has made room."""
    reader = Reader()
    async with Journal(tmp_path, max_bytes=20_000) as journal, reader.reading(journal) as source:
        line = b"z" * 1000 + b"\n"
        data = line * 15
        for _ in range(15):
            await journal.append("a", line)
        with pytest.raises(JournalFull, match="push again later"):
            await journal.append("a", line * 5)
        with pytest.raises(SourceError, match="push it in pieces"):
            await journal.append("a", line * 20)
        await reader.expect(a=data)
        await source.committed(reader.progress)
        await journal.append("a", line)
        await reader.expect(a=data + line)


async def test_push__disk_full__refused_whole_and_recovered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A push that could not be kept leaves nothing behind, and the next one that can be is."""
    reader = Reader()
    real = os.fdatasync

    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async with Journal(tmp_path) as journal, reader.reading(journal):
        await journal.append("a", b"1\n")
        monkeypatch.setattr(os, "fdatasync", refuse)
        with capture_logs() as logs, pytest.raises(OSError, match="No space left"):
            await journal.append("a", b"2\n")
        monkeypatch.setattr(os, "fdatasync", real)
        await journal.append("a", b"3\n")
        await reader.expect(a=b"1\n3\n")
    assert [entry["event"] for entry in logs] == ["journal.write_failed"]
    again = Reader()
    async with Journal(tmp_path) as journal, again.reading(journal):
        await again.expect(a=b"1\n3\n")


@pytest.mark.parametrize("cut", [1, 5, 20, 40, 120, 150])
async def test_push__torn_at_the_end__what_was_acknowledged_is_read(tmp_path: Path, cut: int) -> None:
    """A process killed while it appended leaves half a frame, which is no damage: nobody was told that it is kept."""
    reader = Reader()
    async with Journal(tmp_path) as journal:
        await journal.append("a", b"1\n")
        await journal.append("a", b"2 " + b"x" * 100 + b"\n")
    (segment,) = tmp_path.iterdir()
    whole = segment.read_bytes().rindex(b"TGJ1")
    os.truncate(segment, segment.stat().st_size - cut)
    with capture_logs() as logs:
        async with Journal(tmp_path) as journal:
            assert segment.stat().st_size == whole
            await journal.append("a", b"3\n")
            async with reader.reading(journal) as source:
                await reader.expect(a=b"1\n3\n")
                await source.committed(reader.progress)
            assert len(list(tmp_path.iterdir())) == 1
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("journal.torn", "info")]
    assert not reader.gaps


async def test_push__cancelled_while_waiting__others_served(tmp_path: Path) -> None:
    """A client that leaves does not keep another from being answered."""
    reader = Reader()
    async with Journal(tmp_path) as journal, reader.reading(journal):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(journal.append, "a", b"1\n")
            await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
        await journal.append("b", b"2\n")
        await reader.expect(a=b"1\n", b=b"2\n")


async def test_push__more_names_than_there_may_be__counted_as_others(tmp_path: Path) -> None:
    """A flood of names costs no memory and no event; those that were there keep theirs, and one push counts once."""
    reader = Reader()
    async with Journal(tmp_path, sources=2) as journal, reader.reading(journal):
        with capture_logs() as logs:
            for turn in range(2):
                await journal.append("a", b"%d\n" % turn)
                await journal.append("b", b"%d\n" % turn)
                for name in ("c", "d", "e"):
                    await journal.append(name, b"%d\n" % turn, producer=name, sequence=1)
        await reader.expect(a=b"0\n1\n", b=b"0\n1\n", **{"(other)": b"0\n0\n0\n"})
        assert journal.figures["names"] == 2
        assert journal.figures["shared_pushes"] == 3
        assert journal.figures["duplicates"] == 3
    assert [entry["event"] for entry in logs] == ["journal.names_shared"]


async def test_push__other_names_in_several_formats__each_told_by_itself(tmp_path: Path) -> None:
    """What shares a stream is not taken for what the first of it was."""
    formats = []
    async with Journal(tmp_path, sources=1) as journal:
        await journal.append("a", b"1\n")
        await journal.append("b", b'{"time":1,"msg":"x"}\n')
        await journal.append("c", b'{"resourceSpans":[]}\n')
        await journal.append("d", b"plain words\n", "text")
        async with PushSource("push", journal) as source:
            async for chunk in source.chunks({}):
                if chunk.stream == "push/(other)":
                    formats.append(chunk.format)
                if len(formats) == 3:
                    break
    assert formats == ["json", "otlp", "text"]


async def test_push__silent_names__make_room_once_committed(tmp_path: Path) -> None:
    """A name goes when it was silent for longer than a segment; who pushes time and again stays, after a restart too."""
    reader = Reader()
    line = b"x" * 200 + b"\n"
    expected = dict.fromkeys(("a", "b", "c", "(other)"), b"")

    async def push(journal: Journal, source: PushSource, name: str, taken_as: str, *, commit: bool = True) -> None:
        await journal.append(name, line)
        expected[taken_as] += line
        await reader.expect(**{name: data for name, data in expected.items() if data})
        if commit:
            await source.committed(reader.progress)

    async with Journal(tmp_path, segment_bytes=500, sources=2) as journal, reader.reading(journal) as source:
        await push(journal, source, "a", "a", commit=False)
        await push(journal, source, "b", "b")
        await push(journal, source, "c", "(other)", commit=False)
        await push(journal, source, "b", "b")
        await push(journal, source, "c", "c")
        await push(journal, source, "b", "b")
        assert journal.figures["names"] == 2
    async with Journal(tmp_path, sources=2) as journal:
        await journal.append("b", line)
        await journal.append("c", line)
    async with Journal(tmp_path, sources=2) as journal, reader.reading(journal):
        expected["b"] += line
        expected["c"] += line
        await reader.expect(**{name: data for name, data in expected.items() if data})
        await journal.append("a", line)
        expected["(other)"] += line
        await reader.expect(**{name: data for name, data in expected.items() if data})
