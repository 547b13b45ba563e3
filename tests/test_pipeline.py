"""The pipeline: state and positions in step, sources that fail alone, bounded memory, and the same counts however it goes."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from pathlib import Path
from typing import Self

import anyio
import pytest
from structlog.testing import capture_logs

from tracegist._engine import Engine
from tracegist.errors import SourceError
from tracegist.pipeline import Pipeline
from tracegist.sources import Chunk, Position, Progress, StdinSource, TailSource

pytestmark = pytest.mark.anyio

RECEIVED = 1_793_500_000_000_000_000


@pytest.fixture
def anyio_backend() -> str:
    """The daemon runs on asyncio."""
    return "asyncio"


def record(number: int) -> bytes:
    """A record that can be decoded."""
    return b'{"time":"2026-11-01T00:00:00Z","level":"info","service":"shop","msg":"record %d"}\n' % number


def events(engine: Engine) -> int:
    """All that an engine has counted."""
    counted: int = json.loads(engine.stats())["ledger"]["events"]
    return counted


class Listed:
    """A source of a stream that was written down before.

    :param fails: called before each chunk, to raise what a source may raise
    :param endless: whether it waits at its end instead of ending
    """

    def __init__(
        self, name: str, blocks: list[bytes], *, fails: Callable[[int], None] | None = None, endless: bool = False
    ) -> None:
        self.name = name
        self.stream = f"{name}/stream"
        self.blocks = blocks
        self.fails = fails
        self.endless = endless
        self.yielded = 0
        self.entered = 0

    async def __aenter__(self) -> Self:
        """Count how often it was opened."""
        self.entered += 1
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Do nothing."""

    async def chunks(self, progress: Mapping[str, Progress]) -> AsyncGenerator[Chunk, None]:
        """Yield the blocks behind the position."""
        known = progress.get(self.stream)
        for number in range(known.position.offset if known else 0, len(self.blocks)):
            if self.fails:
                self.fails(number)
            self.yielded = number + 1
            yield Chunk(
                source=self.name,
                stream=self.stream,
                data=self.blocks[number],
                position=Position(offset=number + 1),
                received=RECEIVED,
                finished=number + 1 == len(self.blocks),
            )
        if self.endless:
            await anyio.sleep_forever()

    async def committed(self, progress: Mapping[str, Progress]) -> Collection[str]:
        """Keep everything."""
        del progress
        return ()


async def test_pipeline__all_sources_ended__finished_with_everything_counted() -> None:
    """It returns when there can be no more, and says what became of each stream."""
    engine = Engine()
    a, b = Listed("a", [record(1), record(2)]), Listed("b", [record(3), b"\0\1\2\n"])
    pipeline = Pipeline(engine, [a, b])
    with anyio.fail_after(10):
        await pipeline.run()
    assert pipeline.finished
    assert events(engine) == 3
    assert pipeline.progress["a/stream"].events == 2
    assert pipeline.progress["b/stream"].rejected == 1
    assert pipeline.progress["b/stream"].reason
    assert all(known.finished for known in pipeline.progress.values())
    assert await pipeline.news(pipeline.version) == pipeline.version


async def test_pipeline__snapshots_all_along__state_and_positions_agree() -> None:
    """Whenever a snapshot is taken, going on from it gives the counts of one pass."""
    blocks = [b"".join(map(record, range(number * 10, number * 10 + 10))) for number in range(50)]
    engine = Engine()
    pipeline = Pipeline(engine, [Listed("a", blocks), Listed("b", blocks)])
    snapshots = []

    async def take() -> None:
        version = 0
        while not pipeline.finished:
            version = await pipeline.news(version)
            snapshots.append(await pipeline.snapshot())

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pipeline.run)
            tasks.start_soon(take)
    assert len(snapshots) > 5
    for state, progress in snapshots:
        again = Engine()
        again.restore(b"".join(state))
        assert events(again) == sum(known.events for known in progress.values())
    state, progress = snapshots[len(snapshots) // 2]
    again = Engine()
    again.restore(b"".join(state))
    await Pipeline(again, [Listed("a", blocks), Listed("b", blocks)], progress=progress).run()
    assert events(again) == events(engine) == 1000


async def test_pipeline__cancelled_anywhere__state_and_positions_agree() -> None:
    """A cancellation in the middle of an ingestion does not part what belongs together."""
    blocks = [b"".join(map(record, range(number * 100, number * 100 + 100))) for number in range(20)]
    state: list[bytes] | None = None
    progress: dict[str, Progress] = {}
    rounds = 0
    while sum(known.finished for known in progress.values()) < 1:
        engine = Engine()
        if state:
            engine.restore(b"".join(state))
        pipeline = Pipeline(engine, [Listed("a", blocks)], progress=progress)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pipeline.run)
            await pipeline.news(0)
            tasks.cancel_scope.cancel()
        state, progress = await pipeline.snapshot()
        assert events(engine) == sum(known.events for known in progress.values())
        rounds += 1
    assert rounds > 2
    assert progress["a/stream"].events == 2000


async def test_pipeline__single_source__same_state_byte_for_byte() -> None:
    """However one stream is cut into blocks and restarts, the state is that of one pass."""
    data = [record(number) for number in range(300)]
    whole = Engine()
    whole.ingest("a/stream", b"".join(data), received=RECEIVED)
    blocks = [b"".join(data[start : start + 7]) for start in range(0, 300, 7)]
    engine = Engine()
    pipeline = Pipeline(engine, [Listed("a", blocks[:20])])
    await pipeline.run()
    state, progress = await pipeline.snapshot()
    again = Engine()
    again.restore(b"".join(state))
    await Pipeline(again, [Listed("a", blocks)], progress=progress).run()
    assert again.snapshot() == whole.snapshot()


async def test_pipeline__source_fails__others_go_on_and_it_is_tried_again() -> None:
    """A failure is told and shown, other sources do not notice, and the source goes on where it was."""
    failures = iter([SourceError("the disk is away"), OSError(5, "Input/output error", "/x"), None])

    def fails(number: int) -> None:
        error = next(failures, None) if number == 1 else None
        if error:
            raise error

    engine = Engine()
    bad, good = Listed("bad", [record(1), record(2)], fails=fails), Listed("good", [record(3)])
    pipeline = Pipeline(engine, [bad, good], retry=0.01)
    with capture_logs() as logs, anyio.fail_after(10):
        await pipeline.run()
    assert events(engine) == 3
    assert bad.entered == 3
    assert [entry["reason"] for entry in logs if entry["event"] == "source.failed"] == [
        "the disk is away",
        "/x: Input/output error",
    ]
    assert pipeline.failures == {}


async def test_pipeline__source_that_cannot_be_read__stands_in_failures() -> None:
    """While a source is down its reason can be asked for."""

    def fails(_: int) -> None:
        message = "permission denied"
        raise SourceError(message)

    pipeline = Pipeline(Engine(), [Listed("bad", [record(1)], fails=fails)], retry=60.0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pipeline.run)
        with anyio.fail_after(10):
            await pipeline.news(0)
        assert pipeline.failures == {"bad": "permission denied"}
        tasks.cancel_scope.cancel()


async def test_pipeline__engine_slow__source_held_back() -> None:
    """No more is read than may be under way, and other sources have a share of their own."""
    blocks = [record(1) * 20_000] * 20
    size = len(blocks[0])
    fast, other = Listed("fast", blocks, endless=True), Listed("other", [record(2)], endless=True)
    engine = Engine()
    pipeline = Pipeline(engine, [fast, other], max_bytes=2 * size)
    async with anyio.create_task_group() as tasks:
        async with pipeline._gate.alone():
            tasks.start_soon(pipeline.run)
            await anyio.wait_all_tasks_blocked()
            assert fast.yielded == 2
            assert other.yielded == 1
            assert 0 < pipeline.waiting <= 2 * size
        with anyio.fail_after(30):
            version = 0
            while events(engine) < 400_001:
                version = await pipeline.news(version)
        tasks.cancel_scope.cancel()


class Told:
    """A source that yields a record whenever it is told to."""

    def __init__(self, name: str) -> None:
        self.name = self.stream = name
        self.wanted = anyio.Event()

    async def __aenter__(self) -> Self:
        """Do nothing."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Do nothing."""

    def tell(self) -> None:
        """Yield one."""
        self.wanted.set()

    async def chunks(self, progress: Mapping[str, Progress]) -> AsyncGenerator[Chunk, None]:
        """Wait, and yield."""
        del progress
        number = 0
        while True:
            await self.wanted.wait()
            self.wanted = anyio.Event()
            number += 1
            yield Chunk(
                source=self.name, stream=self.name, data=record(0), position=Position(offset=number), received=RECEIVED
            )

    async def committed(self, progress: Mapping[str, Progress]) -> Collection[str]:
        """Keep everything."""
        del progress
        return ()


@pytest.mark.parametrize("busy", [1, 4])
async def test_pipeline__others_never_rest__a_record_waits_for_a_few_blocks(busy: int) -> None:
    """However much others have to read, a record is taken in before each of them has had a few blocks; counted, not timed."""
    block = record(1) * 4000
    others = [Listed(f"busy{number}", [block] * 100_000) for number in range(busy)]
    quiet = Told("quiet")
    pipeline = Pipeline(Engine(), [*others, quiet])

    def offsets() -> dict[str, int]:
        return {stream: known.position.offset for stream, known in pipeline.progress.items()}

    waited = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pipeline.run)
        with anyio.fail_after(50):
            version = 0
            while len(offsets()) < busy:
                version = await pipeline.news(version)
            for number in range(1, 21):
                before = offsets()
                quiet.tell()
                while offsets().get("quiet", 0) < number:
                    version = await pipeline.news(version)
                after = offsets()
                waited.append(max(after[other.stream] - before[other.stream] for other in others))
        tasks.cancel_scope.cancel()
    assert sorted(waited)[len(waited) // 2] <= 3
    assert max(waited) <= 10


async def test_pipeline__overload_dropped__reads_on_and_the_ledger_adds_up() -> None:
    """A source that may drop is never held back; what went stands in the ledger, to the byte and the line."""
    block = record(1) * 20_000
    dropping, patient = Listed("dropping", [block] * 20, endless=True), Listed("patient", [block] * 5, endless=True)
    engine = Engine()
    size = len(block)
    pipeline = Pipeline(engine, [dropping, patient], max_bytes=6 * size, overload={"dropping": "drop"})
    with capture_logs() as logs:
        async with anyio.create_task_group() as tasks:
            async with pipeline._gate.alone():
                tasks.start_soon(pipeline.run)
                await anyio.wait_all_tasks_blocked()
                assert dropping.yielded == 20
                assert patient.yielded < 5
                assert pipeline.waiting <= 6 * size
            with anyio.fail_after(30):
                version = 0
                while (
                    any(known.position.offset < 5 for known in pipeline.progress.values()) or len(pipeline.progress) < 2
                ):
                    version = await pipeline.news(version)
                while pipeline.progress["dropping/stream"].position.offset < 20:
                    version = await pipeline.news(version)
            tasks.cancel_scope.cancel()
    ledger = json.loads(engine.stats())["ledger"]
    missed = ledger["missed"]["overload of dropping"]
    taken = pipeline.progress["dropping/stream"].events
    assert 0 < taken < 400_000
    assert missed["lines"] == ledger["dropped"] == 400_000 - taken
    assert missed["bytes"] == missed["lines"] * len(record(1))
    assert events(engine) == taken + 100_000
    assert list(ledger["missed"]) == ["overload of dropping"]
    assert [entry["reason"] for entry in logs if entry["event"] == "source.gap"] == ["overload of dropping"]
    text = json.loads(engine.summary(budget=500))["text"]
    assert "lines dropped (overload of dropping)" in text


async def test_pipeline__two_sources_of_one_file__counted_once(tmp_path: Path) -> None:
    """A file that the globs of two sources match counts for the first alone."""
    (tmp_path / "app.log").write_bytes(record(1) + record(2))
    engine = Engine()
    sources = [TailSource(name, [str(tmp_path / "*.log")]) for name in ("one", "two")]
    pipeline = Pipeline(engine, sources)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pipeline.run)
        with anyio.fail_after(10):
            await pipeline.news(0)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    assert events(engine) == 2


async def test_pipeline__forget__only_what_has_not_moved_on() -> None:
    """A stream of which there is news since the commit is kept."""
    pipeline = Pipeline(Engine(), [Listed("a", [record(1)]), Listed("b", [record(2)])])
    await pipeline.run()
    old = dict(pipeline.progress)
    old["b/stream"] = Progress(source="b", position=Position(offset=0))
    pipeline.forget(old)
    assert set(pipeline.progress) == {"b/stream"}


async def test_pipeline__standard_input__read_to_its_end() -> None:
    """A pipe is read as it comes, its last record without a newline too."""
    reading, writing = os.pipe()
    engine = Engine()
    pipeline = Pipeline(engine, [StdinSource(descriptor=reading)])
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pipeline.run)
        os.write(writing, record(1) + record(2)[:20])
        with anyio.fail_after(10):
            await pipeline.news(0)
        assert events(engine) == 1
        os.write(writing, record(2)[20:-1])
        os.close(writing)
    os.close(reading)
    assert events(engine) == 2
    assert pipeline.progress["stdin"].finished


async def test_pipeline__file_as_standard_input__not_counted_again(tmp_path: Path) -> None:
    """The same file given again goes on where it was read to."""
    path = tmp_path / "input"
    engine = Engine()
    progress: Mapping[str, Progress] = {}
    for more, expected in ((record(1) + record(2), 2), (b"", 2), (record(3), 3)):
        with path.open("ab") as file:
            file.write(more)
        with path.open("rb") as file:
            pipeline = Pipeline(engine, [StdinSource(descriptor=file.fileno())], progress=progress)
            await pipeline.run()
        progress = pipeline.progress
        assert events(engine) == expected


async def test_pipeline__trace_on_one_line_as_standard_input__read_event_by_event(tmp_path: Path) -> None:
    """Records end where the format says, also where a file goes on in the middle of a document."""
    path = tmp_path / "trace.json"
    engine = Engine()
    progress: Mapping[str, Progress] = {}
    event = b'{"ph":"X","pid":1,"ts":%d,"dur":1,"name":"step"}'
    for more, expected in ((b'{"traceEvents":[' + event % 1 + b"," + event % 5, 2), (b"," + event % 9 + b"]}", 3)):
        with path.open("ab") as file:
            file.write(more)
        with path.open("rb") as file:
            pipeline = Pipeline(engine, [StdinSource(descriptor=file.fileno(), block=64)], progress=progress)
            await pipeline.run()
        progress = pipeline.progress
        assert events(engine) == expected


@pytest.mark.parametrize(
    "compress", [gzip.compress, bz2.compress, lzma.compress, bytes], ids=["gzip", "bzip2", "xz", "plain"]
)
async def test_pipeline__compressed_standard_input__read_as_what_is_in_it(compress: Callable[[bytes], bytes]) -> None:
    """Told by its first bytes, however few come at once; members follow one another; what has come counts at once."""
    reading, writing = os.pipe()
    engine = Engine()
    pipeline = Pipeline(engine, [StdinSource(descriptor=reading)])
    first, second = compress(record(1) + record(2)), compress(record(3))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pipeline.run)
        for number in range(len(first)):
            os.write(writing, first[number : number + 1])
            if number < 8:
                await anyio.wait_all_tasks_blocked()
        with anyio.fail_after(10):
            version = 0
            while events(engine) < 2:
                version = await pipeline.news(version)
        os.write(writing, second)
        os.close(writing)
    os.close(reading)
    assert events(engine) == 3
    assert pipeline.progress["stdin"].finished


async def test_pipeline__compressed_standard_input_cut_off__told_and_what_came_before_counts() -> None:
    """What could be read counts, and the log says where it ended."""
    reading, writing = os.pipe()
    engine = Engine()
    os.write(writing, (gzip.compress(record(1)) + gzip.compress(record(2)))[:-12])
    os.close(writing)
    with capture_logs() as logs:
        await Pipeline(engine, [StdinSource(descriptor=reading)]).run()
    os.close(reading)
    assert events(engine) >= 1
    assert [entry["event"] for entry in logs if entry["log_level"] == "warning"] == ["source.damaged"]


async def test_pipeline__compressed_file_as_standard_input__not_counted_again(tmp_path: Path) -> None:
    """Its position counts what is in it."""
    path = tmp_path / "input"
    engine = Engine()
    progress: Mapping[str, Progress] = {}
    for more, expected in ((record(1) + record(2), 2), (b"", 2), (record(3), 3)):
        with path.open("ab") as file:
            file.write(gzip.compress(more) if more else b"")
        with path.open("rb") as file:
            pipeline = Pipeline(engine, [StdinSource(descriptor=file.fileno())], progress=progress)
            await pipeline.run()
        progress = pipeline.progress
        assert events(engine) == expected
