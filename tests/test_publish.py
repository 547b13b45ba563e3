"""The publisher: files replaced as a whole, subscribers kept up to date, and failures survived."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from structlog.testing import capture_logs

from tracegist._engine import Engine, count_tokens
from tracegist.config import Duration, Output, Summary
from tracegist.publish import Publisher, replace_file

pytestmark = pytest.mark.anyio

LINE = b'{"time":"2026-01-01T00:00:00Z","level":"error","service":"payment","msg":"upstream timed out"}\n'


@pytest.fixture
def anyio_backend() -> str:
    """The daemon runs on asyncio."""
    return "asyncio"


@pytest.fixture
def engine() -> Engine:
    """An engine that has seen nothing."""
    return Engine(host="web-3")


def output(folder: Path, interval: str = "10ms") -> Output:
    """Where to publish; often, so that no test has to wait."""
    return Output(folder=folder, interval=Duration.parse(interval))


def feed(engine: Engine, lines: bytes = LINE) -> None:
    """Something happens."""
    engine.ingest("app.log", lines, received=time.time_ns())


@asynccontextmanager
async def running(publisher: Publisher) -> AsyncIterator[None]:
    """Let the publisher run for a while."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(publisher.run)
        yield
        tasks.cancel_scope.cancel()


async def test_publish__nothing_has_come__header_and_ledger_are_published(engine: Engine, tmp_path: Path) -> None:
    """A host on which nothing has happened yet has a summary."""
    await Publisher(engine, Summary(), output(tmp_path)).publish()
    text = (tmp_path / "summary.md").read_text()
    assert text.startswith("# web-3")
    assert json.loads((tmp_path / "summary.json").read_bytes())["text"] == text


async def test_publish__folder_missing__made(engine: Engine, tmp_path: Path) -> None:
    """The folder of the output need not exist."""
    await Publisher(engine, Summary(), output(tmp_path / "a/b")).publish()
    assert (tmp_path / "a/b/summary.md").exists()


async def test_publish__event_ingested__files_say_so_within_the_budget(engine: Engine, tmp_path: Path) -> None:
    """What came in is in both files after the next round, and the text takes as many tokens as it says."""
    publisher = Publisher(engine, Summary(budget=200), output(tmp_path))
    await publisher.publish()
    feed(engine)
    await publisher.publish()
    rendering = publisher.latest
    assert rendering is not None
    assert "upstream timed out" in rendering.text
    assert rendering.tokens == count_tokens(rendering.text) <= 200
    assert (tmp_path / "summary.md").read_text() == rendering.text
    assert json.loads((tmp_path / "summary.json").read_bytes())["tokens"] == rendering.tokens


async def test_publish__no_news__nothing_rendered_or_written(engine: Engine, tmp_path: Path) -> None:
    """A host on which nothing happens costs nothing."""
    publisher = Publisher(engine, Summary(), output(tmp_path))
    await publisher.publish()
    first, written = publisher.latest, (tmp_path / "summary.md").stat()
    await publisher.publish()
    assert publisher.latest is first
    assert (tmp_path / "summary.md").stat() == written


async def test_publish__notice__stands_in_the_header(engine: Engine, tmp_path: Path) -> None:
    """A notice is news, and so is that it is gone."""
    notices: list[str] = []
    publisher = Publisher(engine, Summary(), output(tmp_path), notices=lambda: notices)
    await publisher.publish()
    notices.append("state is not saved: No space left on device")
    await publisher.publish()
    assert "No space left" in (tmp_path / "summary.md").read_text()
    notices.clear()
    await publisher.publish()
    assert "No space left" not in (tmp_path / "summary.md").read_text()


async def test_publish__folder_cannot_be_written__served_noticed_logged_once_and_recovered(
    engine: Engine, tmp_path: Path
) -> None:
    """A disk that takes nothing stops only the files; the header says so, and the files come back by themselves."""
    folder = tmp_path / "out"
    folder.write_text("in the way")
    publisher = Publisher(engine, Summary(), output(folder))
    with capture_logs() as logs:
        for _ in range(3):
            feed(engine)
            await publisher.publish()
        assert publisher.latest is not None
        assert str(folder) in publisher.latest.text
        folder.unlink()
        await publisher.publish()
        await publisher.publish()
    assert [entry["event"] for entry in logs] == ["publish.failed", "publish.recovered"]
    assert publisher.notices == []
    assert str(folder) not in (folder / "summary.md").read_text()


async def test_publish__budget_too_small_for_the_header__reported_until_it_is_larger(
    engine: Engine, tmp_path: Path
) -> None:
    """A budget nothing fits into is no reason to fall over; with a larger one it goes on."""
    publisher = Publisher(engine, Summary(budget=5), output(tmp_path))
    with capture_logs() as logs:
        await publisher.publish()
        await publisher.publish()
    assert publisher.latest is None
    assert "smallest" in publisher.notices[0]
    assert len(logs) == 1
    publisher.reconfigure(Summary(budget=500), output(tmp_path))
    await publisher.publish()
    assert publisher.notices == []
    assert publisher.latest is not None


async def test_publish__notices_beyond_the_budget__left_out(engine: Engine, tmp_path: Path) -> None:
    """The account itself comes first: notices are in the status too."""
    notices = ["disk full " * 40]
    publisher = Publisher(engine, Summary(budget=60), output(tmp_path), notices=lambda: notices)
    await publisher.publish()
    assert publisher.latest is not None
    assert publisher.latest.tokens <= 60


async def test_publish__other_folder_configured__written_there(engine: Engine, tmp_path: Path) -> None:
    """A reload takes effect without news from the engine."""
    publisher = Publisher(engine, Summary(), output(tmp_path / "old"))
    await publisher.publish()
    publisher.reconfigure(Summary(), output(tmp_path / "new"))
    await publisher.publish()
    assert (tmp_path / "new/summary.md").exists()


async def test_publish__interval_long__says_it_is_alive_all_the_same(engine: Engine, tmp_path: Path) -> None:
    """The watchdog waits for no interval."""
    beats = 0
    enough = anyio.Event()

    def beat() -> None:
        nonlocal beats
        beats += 1
        if beats == 5:
            enough.set()

    publisher = Publisher(engine, Summary(), output(tmp_path, "1h"), alive=beat, pace=0.01)
    async with running(publisher):
        with anyio.fail_after(10):
            await enough.wait()


async def test_subscribe__running_publisher__told_of_news(engine: Engine, tmp_path: Path) -> None:
    """Who has subscribed hears of what comes in without asking."""
    publisher = Publisher(engine, Summary(), output(tmp_path))
    async with running(publisher):
        with publisher.subscribe() as subscription, anyio.fail_after(10):
            first = await subscription.newest()
            feed(engine)
            second = await subscription.newest()
    assert first is not None
    assert second is not None
    assert second.number > first.number
    assert second.generation > first.generation


async def test_subscribe__slow__gets_the_newest_alone(engine: Engine, tmp_path: Path) -> None:
    """Nothing piles up for whoever does not keep up."""
    publisher = Publisher(engine, Summary(), output(tmp_path))
    with publisher.subscribe() as subscription:
        for _ in range(5):
            feed(engine)
            await publisher.publish()
        newest = await subscription.newest()
        assert newest is publisher.latest
        with anyio.move_on_after(0) as waiting:
            await subscription.newest()
        assert waiting.cancelled_caught
        assert publisher.subscribers == 1
    assert publisher.subscribers == 0


async def test_subscribe__publisher_closed__ends(engine: Engine, tmp_path: Path) -> None:
    """Who waits is told that nothing more will come."""
    publisher = Publisher(engine, Summary(), output(tmp_path))
    with publisher.subscribe() as subscription:
        async with anyio.create_task_group() as tasks:

            async def wait() -> None:
                assert await subscription.newest() is None

            tasks.start_soon(wait)
            await anyio.lowlevel.checkpoint()
            publisher.close()


def test_replace_file__left_half_written__written_over(tmp_path: Path) -> None:
    """What a process killed while writing left behind does not stay."""
    (tmp_path / ".summary.md.tmp").write_text("half of a much longer text")
    replace_file(tmp_path / "summary.md", b"whole")
    assert (tmp_path / "summary.md").read_bytes() == b"whole"
    assert [path.name for path in tmp_path.iterdir()] == ["summary.md"]


def test_replace_file__link_planted__not_followed(tmp_path: Path) -> None:
    """Nobody makes the daemon write into a file of their choice."""
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (tmp_path / ".summary.md.tmp").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        replace_file(tmp_path / "summary.md", b"new")
    assert victim.read_text() == "untouched"
    replace_file(tmp_path / "summary.md", b"new")
    assert victim.read_text() == "untouched"
