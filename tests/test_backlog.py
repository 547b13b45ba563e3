"""What is read and not taken in yet: bounded in bytes, in order, and what is let go is counted to the byte."""

from __future__ import annotations

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracegist.backlog import Backlog, Overload
from tracegist.sources import Chunk, Gap, Position

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The daemon runs on asyncio."""
    return "asyncio"


def chunk(stream: str, end: int, data: bytes) -> Chunk:
    """A chunk that ends at a place of a stream."""
    return Chunk(source="s", stream=stream, data=data, position=Position(offset=end), received=0)


async def test_backlog__wait__source_held_back_by_one_chunk() -> None:
    """One is ready beside the one that is being taken in, and no more is read."""
    backlog = Backlog("s", 1 << 20)
    put = 0

    async def fill() -> None:
        nonlocal put
        for number in range(10):
            await backlog.put(chunk("a", number, b"x\n"))
            put += 1
        backlog.end()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(fill)
        await anyio.wait_all_tasks_blocked()
        assert put == 1
        ends = []
        while (got := await backlog.get()) is not None:
            ends.append(got.position.offset)
            backlog.done(got)
    assert ends == list(range(10))
    assert backlog.taken == 0


async def test_backlog__drop__never_waits_and_counts_what_went() -> None:
    """What does not fit becomes a gap of the stream, one for all that went; its position is that of the last."""
    backlog = Backlog("s", 3000, "drop")
    with anyio.fail_after(1):
        for number in range(100):
            await backlog.put(chunk("a", number, b"x" * 99 + b"\n" + b"y" * 899 + b"\n"))
    assert backlog.taken <= 3000
    first, gap = await backlog.get(), await backlog.get()
    assert first is not None
    assert gap is not None
    assert first.position.offset == 0
    assert gap.position.offset == 1 if gap.data else 99
    backlog.end()
    rest = [gap]
    while (got := await backlog.get()) is not None:
        rest.append(got)
    kept = 1 + sum(bool(one.data) for one in rest)
    gaps = [one.gap for one in rest if one.gap]
    assert gaps == [Gap(reason="overload of s", bytes=1000 * (100 - kept), lines=2 * (100 - kept))]
    assert rest[-1].position.offset == 99


@given(
    steps=st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3000), st.booleans()), max_size=60),
    overload=st.sampled_from(["wait", "drop"]),
)
def test_backlog__anything__every_byte_comes_out_or_is_counted(
    steps: list[tuple[str, int, bool]], overload: Overload
) -> None:
    """Of each stream positions only grow, the last one comes out, and bytes out and let go add up to those that went in."""

    async def go() -> None:
        backlog = Backlog("s", 5000, overload)
        given_bytes = {"a": 0, "b": 0}
        ends = {"a": 0, "b": 0}
        out = {"a": 0, "b": 0}
        places = {"a": 0, "b": 0}

        def take(got: Chunk) -> None:
            out[got.stream] += len(got.data) + (got.gap.bytes if got.gap else 0)
            assert got.position.offset > places[got.stream]
            places[got.stream] = got.position.offset
            assert backlog.taken <= 5000 + 512
            backlog.done(got)

        async def fill() -> None:
            for stream, size, _ in steps:
                ends[stream] += 1
                given_bytes[stream] += size
                await backlog.put(chunk(stream, ends[stream], b"x" * size))
            backlog.end()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(fill)
            for _, _, pause in steps:
                if pause:
                    await anyio.lowlevel.checkpoint()
                    continue
                if (got := await backlog.get()) is None:
                    break
                take(got)
            while (got := await backlog.get()) is not None:
                take(got)
        assert (out, places, backlog.taken) == (given_bytes, ends, 0)

    anyio.run(go)
