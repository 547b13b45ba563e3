"""The journal's frames under damage, and pushes that come again: nothing is lost but what is damaged, nothing counts twice."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from tracegist.errors import SourceError
from tracegist.sources import Journal, Progress, PushSource
from tracegist.sources._frames import Damage, Frame, Origin, encode_frame, scan_frames, torn_at
from tracegist.sources._producers import WINDOW, Producers

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The daemon runs on asyncio."""
    return "asyncio"


pushes = st.lists(st.binary(max_size=60) | st.just(b"TGJ1" * 9), min_size=1, max_size=8)


def encoded(pushed: list[bytes]) -> list[bytes]:
    """Frames of pushes, each with its number."""
    return [b"".join(encode_frame(Origin("a", number), data)) for number, data in enumerate(pushed)]


def whole_frames(data: bytes) -> dict[int, bytes]:
    """The frames that are found, by their numbers; all between them is damage, without gap or overlap."""
    found, at = {}, 0
    for one in scan_frames(data, 0, whole=True):
        if isinstance(one, Damage):
            assert one.start == at
            assert one.end > at
        else:
            found[one.origin.received] = one.data
        at = one.end
    assert at == len(data)
    return found


@given(pushes, st.data())
def test_frames__any_bit_flipped__only_that_frame_is_lost(pushed: list[bytes], data: st.DataObject) -> None:
    """A flipped bit anywhere costs the frame it is in, and is told."""
    frames = encoded(pushed)
    hit = data.draw(st.integers(0, len(frames) - 1))
    at = sum(map(len, frames[:hit])) + data.draw(st.integers(0, len(frames[hit]) - 1))
    damaged = bytearray(b"".join(frames))
    damaged[at] ^= 1 << data.draw(st.integers(0, 7))
    found = whole_frames(bytes(damaged))
    assert found == {number: one for number, one in enumerate(pushed) if number != hit}


@given(pushes, st.data())
def test_torn__cut_anywhere__where_the_frame_begins_that_was_being_written(
    pushed: list[bytes], data: st.DataObject
) -> None:
    """What a process that was killed has left ends anywhere; frames before are whole, whatever their bytes look like."""
    frames = encoded(pushed)
    cut = data.draw(st.integers(0, sum(map(len, frames))))
    left = b"".join(frames)[:cut]
    begins = [sum(map(len, frames[:number])) for number in range(len(frames) + 1)]
    expected = None if cut in begins else max(begin for begin in begins if begin < cut)
    assert torn_at(left, [*scan_frames(left, 0, whole=True)]) == expected


@given(pushes, st.data())
def test_torn__whole_with_any_bit_flipped__damage(pushed: list[bytes], data: st.DataObject) -> None:
    """A frame that was written to its end is not taken for one that was not, also if its lengths are damaged."""
    frames = encoded(pushed)
    hit = data.draw(st.integers(0, len(frames) - 1))
    at = sum(map(len, frames[:hit])) + data.draw(st.integers(0, len(frames[hit]) - 1))
    damaged = bytearray(b"".join(frames))
    damaged[at] ^= 1 << data.draw(st.integers(0, 7))
    assert torn_at(bytes(damaged), [*scan_frames(bytes(damaged), 0, whole=True)]) is None


@given(pushes, st.data())
def test_frames__stretch_overwritten__the_others_are_found(pushed: list[bytes], data: st.DataObject) -> None:
    """Rubbish of any length costs the frames it touches."""
    frames = encoded(pushed)
    whole = b"".join(frames)
    start = data.draw(st.integers(0, len(whole) - 1))
    end = data.draw(st.integers(start + 1, len(whole)))
    found = whole_frames(whole[:start] + bytes(byte ^ 0x5A for byte in whole[start:end]) + whole[end:])
    at = 0
    for number, frame in enumerate(frames):
        touched = at < end and start < at + len(frame)
        assert (number in found) == (not touched)
        at += len(frame)


@given(pushes, st.data())
def test_frames__cut_anywhere__those_before_are_found(pushed: list[bytes], data: st.DataObject) -> None:
    """A segment cut off at any byte has all frames that end before."""
    frames = encoded(pushed)
    cut = data.draw(st.integers(0, sum(map(len, frames))))
    found = whole_frames(b"".join(frames)[:cut])
    ends = [sum(map(len, frames[: number + 1])) for number in range(len(frames))]
    assert list(found) == [number for number, end in enumerate(ends) if end <= cut]


@given(st.binary(max_size=200))
def test_frames__any_bytes__nothing_found_and_nothing_raised(data: bytes) -> None:
    """What was never a segment is damage from its beginning to its end."""
    assert whole_frames(data) == {}
    assert whole_frames(b"TGJ1" + data) == {}


@given(pushes, st.data())
def test_frames__read_in_parts__the_same(pushed: list[bytes], data: st.DataObject) -> None:
    """A part that ends within a frame, or within damage, is left to be read with more."""
    frames = encoded(pushed)
    whole = b"".join(frames)
    if data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
    found: list[Frame | Damage] = []
    at, size = 0, data.draw(st.integers(1, 64))
    wanted = size
    while at < len(whole):
        part = whole[at : at + wanted]
        new = list(scan_frames(part, at, whole=at + len(part) == len(whole)))
        found += new
        at, wanted = (new[-1].end, size) if new else (at, wanted * 2)
    assert found == list(scan_frames(whole, 0, whole=True))


@given(st.lists(st.integers(0, 200), max_size=100))
def test_producers__numbers_in_any_order__known_if_kept_or_far_behind(numbers: list[int]) -> None:
    """Within the window exactly what was kept is known; what is behind it is taken for known."""
    producers = Producers(10)
    kept: set[int] = set()
    for number in numbers:
        highest = max(kept, default=-1)
        known = number in kept or (bool(kept) and number <= highest - WINDOW)
        assert producers.knows("a", number) == known
        if not known:
            producers.keep("a", number)
            kept.add(number)
        again = Producers(10)
        again.load(producers.encode())
        assert again.knows("a", number)
        assert not again.knows("b", number)


def test_producers__too_many__longest_silent_forgotten() -> None:
    """The table is bounded."""
    producers = Producers(2)
    for name in ("a", "b", "a", "c"):
        producers.keep(name, None)
    assert [producers.knows(name, None) for name in "abc"] == [True, False, True]


class Reader:
    """Counts what comes out of a journal."""

    def __init__(self) -> None:
        self.data = b""
        self.chunks = 0
        self.progress: dict[str, Progress] = {}
        self.news = anyio.Event()

    @asynccontextmanager
    async def reading(self, journal: Journal) -> AsyncIterator[PushSource]:
        """Read for a while."""
        source = PushSource("push", journal)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._collect, source)
            yield source
            tasks.cancel_scope.cancel()

    async def _collect(self, source: PushSource) -> None:
        async for chunk in source.chunks(self.progress):
            self.data += chunk.data
            self.chunks += 1
            self.progress[chunk.stream] = Progress(source="push", position=chunk.position)
            self.news.set()
            self.news = anyio.Event()

    async def expect(self, data: bytes) -> None:
        """Wait until so much was read, and see that it is this."""
        with anyio.fail_after(10):
            while len(self.data) < len(data):
                await self.news.wait()
        assert self.data == data


async def test_journal__pushed_again__kept_once(tmp_path: Path) -> None:
    """The second of two pushes with one number, or one key, is told from the first, also after a restart."""
    reader = Reader()
    async with Journal(tmp_path) as journal:
        assert await journal.append("a", b"1\n", producer="p", sequence=1)
        assert not await journal.append("a", b"1\n", producer="p", sequence=1)
        assert await journal.append("a", b"2\n", producer="p", sequence=2)
        assert await journal.append("a", b"3\n", producer='"key"')
        assert not await journal.append("a", b"3\n", producer='"key"')
        assert await journal.append("a", b"4\n")
        assert await journal.append("a", b"4\n")
        assert journal.figures["duplicates"] == 2
    async with Journal(tmp_path) as journal, reader.reading(journal):
        for sequence in (1, 2):
            assert not await journal.append("a", b"x\n", producer="p", sequence=sequence)
        assert not await journal.append("a", b"3\n", producer='"key"')
        await reader.expect(b"1\n2\n3\n4\n4\n")


async def test_journal__everything_committed_and_removed__still_known(tmp_path: Path) -> None:
    """What was pushed is known when no frame of it is left: the table goes from segment to segment."""
    reader = Reader()
    async with Journal(tmp_path, segment_bytes=200) as journal, reader.reading(journal) as source:
        for sequence in range(20):
            await journal.append("a", b"%030d\n" % sequence, producer="p", sequence=sequence)
        await reader.expect(b"".join(b"%030d\n" % sequence for sequence in range(20)))
        await source.committed(reader.progress)
    for _ in range(3):
        async with Journal(tmp_path) as journal, reader.reading(journal) as source:
            await journal.append("b", b"x\n")
            with anyio.fail_after(10):
                while "push/b" not in reader.progress:
                    await reader.news.wait()
            await source.committed(reader.progress)
            del reader.progress["push/b"]
            assert len(list(tmp_path.iterdir())) == 1
            assert b"%030d" % 19 not in next(tmp_path.iterdir()).read_bytes()
            assert not await journal.append("a", b"again\n", producer="p", sequence=19)
            assert not await journal.append("a", b"again\n", producer="p", sequence=0)


async def test_journal__same_push_twice_at_once__one_waits_for_the_other(tmp_path: Path) -> None:
    """A client that tries again while the first try is still on its way to the disk counts once."""
    kept = []

    async with Journal(tmp_path) as journal:

        async def push() -> None:
            kept.append(await journal.append("a", b"1\n", producer="p", sequence=1))

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(push)
    assert sorted(kept) == [False, False, False, False, True]


async def test_journal__not_kept__may_come_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A push that the disk refused is not known: when it comes again, it is kept; and no empty files are left behind."""

    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async with Journal(tmp_path) as journal:
        with monkeypatch.context() as patch, capture_logs():
            patch.setattr(os, "fdatasync", refuse)
            for _ in range(5):
                with pytest.raises(OSError, match="No space left"):
                    await journal.append("a", b"1\n", producer="p", sequence=1)
        assert await journal.append("a", b"1\n", producer="p", sequence=1)
        assert len(list(tmp_path.iterdir())) <= 2


@pytest.mark.parametrize("producer", ["ü", "x" * 256, "a\nb"])
async def test_journal__unusable_key__refused(tmp_path: Path, producer: str) -> None:
    """A key that could not be told again is refused."""
    async with Journal(tmp_path) as journal:
        with pytest.raises(SourceError, match="producer or key"):
            await journal.append("a", b"1\n", producer=producer)


@pytest.mark.parametrize("at", [0, 5, 9, 13, 20, 60])
async def test_journal__damaged_in_the_middle__the_rest_is_read_and_it_is_told(tmp_path: Path, at: int) -> None:
    """A bit that has changed on the disk costs one push, and stands in the log with its place."""
    reader = Reader()
    async with Journal(tmp_path) as journal:
        for number in range(3):
            await journal.append("a", b"%d\n" % number)
    (segment,) = tmp_path.iterdir()
    data = bytearray(segment.read_bytes())
    second = data.index(b"TGJ1", 4)
    data[second + at] ^= 0x10
    segment.write_bytes(data)
    with capture_logs() as logs:
        async with Journal(tmp_path) as journal, reader.reading(journal):
            await reader.expect(b"0\n2\n")
    (told,) = (entry for entry in logs if entry["event"] == "journal.damaged")
    assert told["offset"] == second
    assert told["path"] == str(segment)


@pytest.mark.parametrize("at", [4, 8, 12, 20, 60])
async def test_journal__damaged_at_the_end__told(tmp_path: Path, at: int) -> None:
    """The last push is damaged and not torn: it was acknowledged, and the ledger says that it is lost."""
    reader = Reader()
    async with Journal(tmp_path) as journal:
        for number in range(2):
            await journal.append("a", b"%d\n" % number)
    (segment,) = tmp_path.iterdir()
    data = bytearray(segment.read_bytes())
    last = data.rindex(b"TGJ1")
    data[last + at] ^= 0x10
    segment.write_bytes(data)
    with capture_logs() as logs:
        async with Journal(tmp_path) as journal, reader.reading(journal):
            await journal.append("a", b"2\n")
            await reader.expect(b"0\n2\n")
    assert [(entry["event"], entry["offset"]) for entry in logs] == [("journal.damaged", last)]


async def test_journal__cut_short_behind_our_back__told_and_passed_over(tmp_path: Path) -> None:
    """A segment that somebody truncates while it is read keeps nobody busy."""
    reader = Reader()
    async with Journal(tmp_path) as journal:
        await journal.append("a", b"1\n")
        await journal.append("a", b"2\n")
        (segment,) = tmp_path.iterdir()
        os.truncate(segment, 0)
        with capture_logs() as logs:
            async with reader.reading(journal):
                await journal.append("a", b"3\n")
                with anyio.fail_after(10):
                    while not logs:
                        with anyio.move_on_after(0.05):
                            await reader.news.wait()
    assert logs[0]["event"] == "journal.damaged"


async def test_journal__small_pushes_of_one_batch__go_on_together(tmp_path: Path) -> None:
    """Pushes that became durable together cost the engine one call for each stream, and lose none of their bytes."""
    reader = Reader()
    async with Journal(tmp_path) as journal:
        async with anyio.create_task_group() as tasks:
            for number in range(100):
                tasks.start_soon(journal.append, "a", b"%03d\n" % number)
        async with reader.reading(journal):
            await reader.expect(b"".join(b"%03d\n" % number for number in range(100)))
    assert reader.chunks < 20


async def test_journal__binary_pushes__no_newline_added(tmp_path: Path) -> None:
    """A length-delimited format has no newlines, and one too many would be a record of its own."""
    reader = Reader()
    request = b"\x0a\x12\x0a\x10\x0a\x0e\x0a\x0cservice.name"
    async with Journal(tmp_path) as journal, reader.reading(journal):
        await journal.append("a", request, "otlp_proto")
        await journal.append("a", b"text", "text")
        await reader.expect(request + b"text\n")
