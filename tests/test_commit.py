"""The commit: whole or not at all, whatever is cut, flipped or full."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import anyio
import pytest
from structlog.testing import capture_logs

from tracegist._engine import Engine
from tracegist.commit import Committer
from tracegist.errors import SnapshotError
from tracegist.pipeline import Pipeline
from tracegist.sources import Position, Progress, TailSource

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The daemon runs on asyncio."""
    return "asyncio"


def record(number: int) -> bytes:
    """A record that can be decoded."""
    return b'{"time":"2026-11-01T00:00:00Z","level":"info","service":"shop","msg":"record %d"}\n' % number


def made(number: int) -> tuple[bytes, dict[str, Progress]]:
    """A state and the progress that belongs to it."""
    known = Progress(source="tail", position=Position(offset=number, path=rf"/var/log/caf\xe9 {number}"), events=number)
    return b"state %d " % number + bytes(range(256)) * 4, {f"stream {number}": known}


def write(committer: Committer, number: int) -> int:
    """Write one of them, its state in two pieces."""
    state, progress = made(number)
    return committer.write([state[:100], state[100:]], progress)


def events(engine: Engine) -> int:
    """All that an engine has counted."""
    counted: int = json.loads(engine.stats())["ledger"]["events"]
    return counted


def refuse(number: int) -> object:
    """Something that fails with an error of the system."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def test_commit__nothing_there__none(tmp_path: Path) -> None:
    """A first start finds nothing, and that is no error."""
    assert Committer(tmp_path / "none").load() is None


def test_commit__written__read_back(tmp_path: Path) -> None:
    """The newest comes back as it was; older generations are removed beyond those kept."""
    committer = Committer(tmp_path, keep=3)
    for number in range(1, 6):
        assert write(committer, number) == number
    assert Committer(tmp_path).load() == (*made(5), 5)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"snapshot-{number}.tgs" for number in (3, 4, 5)]
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.iterdir())


def test_commit__cut_anywhere__older_generation(tmp_path: Path) -> None:
    """However much of the newest is missing, the one before it is used and the log says why."""
    committer = Committer(tmp_path)
    write(committer, 1)
    write(committer, 2)
    newest = tmp_path / "snapshot-2.tgs"
    data = newest.read_bytes()
    for length in range(0, len(data), 7):
        newest.write_bytes(data[:length])
        with capture_logs() as logs:
            assert Committer(tmp_path).load() == (*made(1), 1)
        assert [entry["event"] for entry in logs] == ["commit.passed_over", "commit.fell_back"]
        assert "torn" in logs[0]["reason"]


def test_commit__bit_flipped_anywhere__older_generation(tmp_path: Path) -> None:
    """Every flipped bit is noticed."""
    committer = Committer(tmp_path)
    write(committer, 1)
    write(committer, 2)
    newest = tmp_path / "snapshot-2.tgs"
    data = newest.read_bytes()
    for place in range(0, len(data), 5):
        newest.write_bytes(data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :])
        with capture_logs():
            assert Committer(tmp_path).load() == (*made(1), 1)


def test_commit__all_damaged__starts_anew_and_goes_on_counting(tmp_path: Path) -> None:
    """Nothing usable is no reason not to start, and a number is never used twice."""
    committer = Committer(tmp_path)
    for number in (1, 2):
        write(committer, number)
    for path in tmp_path.iterdir():
        path.write_bytes(b"")
    again = Committer(tmp_path)
    with capture_logs() as logs:
        assert again.load() is None
    assert [entry["event"] for entry in logs] == ["commit.passed_over", "commit.passed_over", "commit.fell_back"]
    assert write(again, 3) == 3
    assert Committer(tmp_path).load() == (*made(3), 3)


def test_commit__engine_refuses_the_newest__older_generation(tmp_path: Path) -> None:
    """A state of a schema that the engine does not read is passed over as a damaged file is."""
    committer = Committer(tmp_path)
    for number in (1, 2):
        write(committer, number)

    def restore(state: bytes) -> None:
        if state.startswith(b"state 2"):
            message = "schema 9"
            raise SnapshotError(message)

    with capture_logs() as logs:
        assert Committer(tmp_path).load(restore) == (*made(1), 1)
    assert logs[0]["reason"] == "schema 9"


def test_commit__later_schema__refused_by_name(tmp_path: Path) -> None:
    """A file of a later version is not taken for a damaged one."""
    write(Committer(tmp_path), 1)
    path = tmp_path / "snapshot-1.tgs"
    data = bytearray(path.read_bytes())
    data[8] = 7
    path.write_bytes(data)
    with capture_logs() as logs:
        assert Committer(tmp_path).load() is None
    assert "schema 7: this version reads 1; use the tracegist that wrote it" in logs[0]["reason"]


@pytest.mark.parametrize("call", ["fsync", "rename", "open"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO])
def test_commit__disk_fails__older_ones_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    """A write that fails raises the system's error, leaves nothing aside, and the newest is still there."""
    committer = Committer(tmp_path)
    write(committer, 1)
    with monkeypatch.context() as patch:
        patch.setattr(os, call, refuse(number))
        with pytest.raises(OSError, match=os.strerror(number)):
            write(committer, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["snapshot-1.tgs"]
    assert Committer(tmp_path).load() == (*made(1), 1)
    assert write(Committer(tmp_path), 3) == 2


def test_commit__no_room_for_another__oldest_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk older generations are given up before the newest is."""
    committer = Committer(tmp_path)
    for number in (1, 2, 3):
        write(committer, number)
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if len(list(tmp_path.glob("*.tgs"))) > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="No space left"):
        write(committer, 4)
    assert Committer(tmp_path).load() == (*made(4), 4)


async def test_commit__daemon_killed__every_event_counted_once(tmp_path: Path) -> None:
    """Killed and started again and again while a file grows, the count is exact."""
    log = tmp_path / "app.log"
    state = tmp_path / "state"
    written = 0
    for rounds in range(8):
        with log.open("ab") as file:
            for _ in range(100 * rounds):
                file.write(record(written))
                written += 1
        engine = Engine()
        committer = Committer(state)
        loaded = committer.load(engine.restore)
        source = TailSource("tail", [str(log)], block=4096)
        pipeline = Pipeline(engine, [source], progress=loaded[1] if loaded else None)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pipeline.run)
            if rounds:
                with anyio.fail_after(10):
                    version = await pipeline.news(0)
                    if rounds % 2:
                        assert await committer.commit(pipeline)
                    while rounds == 7 and events(engine) < written:
                        version = await pipeline.news(version)
            tasks.cancel_scope.cancel()
    assert events(engine) == written


async def test_commit__loop__once_more_when_cancelled(tmp_path: Path) -> None:
    """What was counted since the last commit is committed on the way out."""
    log = tmp_path / "app.log"
    log.write_bytes(record(1))
    engine = Engine()
    committer = Committer(tmp_path / "state")
    pipeline = Pipeline(engine, [TailSource("tail", [str(log)], scan_interval=0.01)])
    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pipeline.run)
            tasks.start_soon(committer.run, pipeline, 3600.0)
            version = await pipeline.news(0)
            while not committer.generation:
                await committer.wait()
            with log.open("ab") as file:
                file.write(record(2))
            await pipeline.news(version)
            tasks.cancel_scope.cancel()
    again = Engine()
    assert Committer(tmp_path / "state").load(again.restore)
    assert events(again) == 2


async def test_commit__disk_fails_and_recovers__told_and_made_up_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the disk takes nothing the reason can be shown; afterwards all is committed without news."""
    log = tmp_path / "app.log"
    log.write_bytes(record(1))
    committer = Committer(tmp_path / "state")
    pipeline = Pipeline(Engine(), [TailSource("tail", [str(log)])])
    with capture_logs() as logs, anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            with monkeypatch.context() as patch:
                patch.setattr(os, "rename", refuse(errno.EROFS))
                tasks.start_soon(pipeline.run)
                tasks.start_soon(committer.run, pipeline, 0.01)
                while not committer.failure:
                    await committer.wait()
                assert "Read-only file system" in committer.failure
            while committer.failure:
                await committer.wait()
            tasks.cancel_scope.cancel()
    again = Engine()
    assert Committer(tmp_path / "state").load(again.restore)
    assert events(again) == 1
    assert [entry["event"] for entry in logs] == ["commit.failed", "commit.recovered"]


async def test_commit__all_sources_ended__last_one_and_out(tmp_path: Path) -> None:
    """With nothing more to come the loop ends, and everything is committed."""
    committer = Committer(tmp_path)
    pipeline = Pipeline(Engine(), [])
    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pipeline.run)
            tasks.start_soon(committer.run, pipeline, 0.01)
    assert Committer(tmp_path).load() is not None
