"""Tailed files: every record once, whatever is done to the files and whenever the reader stops."""

from __future__ import annotations

import asyncio
import errno
import os
from collections import Counter
from pathlib import Path

import anyio
import pytest
from anyio import to_thread
from structlog.testing import capture_logs

from tailing import Rig, record, records
from tracegist.sources import Position, Progress, TailSource
from tracegist.sources import _watch as watching

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The daemon runs on asyncio."""
    return "asyncio"


async def test_tail__file_grows__each_record_once(tmp_path: Path) -> None:
    """What is there is read, and then what is appended."""
    log = tmp_path / "app.log"
    log.write_bytes(records(1, 2))
    rig = Rig(tmp_path)
    async with rig.running():
        await rig.expect(1, 2)
        with log.open("ab") as file:
            file.write(records(3))
        await rig.expect(1, 2, 3)


async def test_tail__new_file_and_new_folder__found(tmp_path: Path) -> None:
    """Files that appear later are read, also in folders that appear later."""
    rig = Rig(tmp_path, "**/*.log")
    async with rig.running():
        (tmp_path / "a.log").write_bytes(records(1))
        await rig.expect(1)
        (tmp_path / "deep" / "er").mkdir(parents=True)
        (tmp_path / "deep" / "er" / "b.log").write_bytes(records(2))
        await rig.expect(1, 2)


async def test_tail__partial_line__waits_for_its_end(tmp_path: Path) -> None:
    """Half a record is never yielded, not even across a restart."""
    log, other = tmp_path / "app.log", tmp_path / "other.log"
    whole = record("with a é in it")
    half = whole.index("é".encode()) + 1
    log.write_bytes(records(1) + whole[:half])
    rig = Rig(tmp_path)
    async with rig.running():
        await rig.expect(1)
        other.write_bytes(records(2))
        await rig.expect(1, 2)
    async with rig.running():
        with log.open("ab") as file:
            file.write(whole[half:])
        await rig.until(lambda: len(rig.lines) == 3)
    assert whole in rig.lines


async def test_tail__rename_and_create__both_read_apart(tmp_path: Path) -> None:
    """A rotated file is read to its end, that which takes its place from its beginning, each as its own stream."""
    log = tmp_path / "app.log"
    log.write_bytes(records(1))
    rig = Rig(tmp_path)
    async with rig.running():
        await rig.expect(1)
        log.rename(tmp_path / "app.log.1")
        with (tmp_path / "app.log.1").open("ab") as file:
            file.write(records(2))
        log.write_bytes(records(3))
        await rig.expect(1, 2, 3)
        assert len(rig.data) == 2
        await rig.until(lambda: any(known.finished for known in rig.progress.values()))
    finished = [rig.data[stream] for stream, known in rig.progress.items() if known.finished]
    assert finished == [records(1, 2)]


async def test_tail__rotated_name_matches_too__counted_once(tmp_path: Path) -> None:
    """A file whose new name matches as well keeps its stream and its position."""
    log = tmp_path / "app.log"
    log.write_bytes(records(1))
    rig = Rig(tmp_path, "app.log*")
    async with rig.running():
        await rig.expect(1)
        log.rename(tmp_path / "app.log.1")
        log.write_bytes(records(2))
        await rig.expect(1, 2)
        with (tmp_path / "app.log.1").open("ab") as file:
            file.write(records(3))
        await rig.expect(1, 2, 3)
        assert len(rig.data) == 2


async def test_tail__rename_while_stopped__nothing_lost(tmp_path: Path) -> None:
    """A file that was rotated while nothing ran is found by its inode, though its name does not match any more."""
    log = tmp_path / "app.log"
    log.write_bytes(records(1))
    rig = Rig(tmp_path)
    async with rig.running():
        await rig.expect(1)
    with log.open("ab") as file:
        file.write(records(2))
    log.rename(tmp_path / "app.log.1")
    log.write_bytes(records(3))
    async with rig.running():
        await rig.expect(1, 2, 3)


async def test_tail__copytruncate__read_from_its_beginning(tmp_path: Path) -> None:
    """A file that has become shorter was written anew."""
    log = tmp_path / "app.log"
    log.write_bytes(records(1, 2, 3))
    rig = Rig(tmp_path)
    with capture_logs() as logs:
        async with rig.running():
            await rig.expect(1, 2, 3)
            os.truncate(log, 0)
            with log.open("ab") as file:
                file.write(records(4))
            await rig.expect(1, 2, 3, 4)
    assert [entry["event"] for entry in logs] == ["source.truncated"]


@pytest.mark.parametrize("stopped", [False, True])
async def test_tail__overwritten_and_longer__read_from_its_beginning(tmp_path: Path, *, stopped: bool) -> None:
    """A file that was written anew past the position is told by its hashes, in a running process and a new one."""
    log = tmp_path / "app.log"
    log.write_bytes(records(1, 2))
    rig = Rig(tmp_path)
    after = records(3, 4, 5, 6)
    if stopped:
        async with rig.running():
            await rig.expect(1, 2)
        log.write_bytes(after)
        async with rig.running():
            await rig.expect(1, 2, 3, 4, 5, 6)
    else:
        async with rig.running():
            await rig.expect(1, 2)
            log.write_bytes(after)
            await rig.expect(1, 2, 3, 4, 5, 6)


async def test_tail__same_head_other_tail__read_from_its_beginning(tmp_path: Path) -> None:
    """Files that begin with the same kilobyte are told apart by what lies before the position."""
    log = tmp_path / "app.log"
    banner = b"# " + b"=" * 2000 + b"\n"
    log.write_bytes(banner + records(1, 2))
    rig = Rig(tmp_path)
    async with rig.running():
        await rig.until(lambda: len(rig.lines) == 3)
    log.write_bytes(banner + records(3, 4, 5))
    async with rig.running():
        await rig.until(lambda: len(rig.lines) == 7)
    assert Counter(rig.lines) == Counter([banner, banner, *map(record, range(1, 6))])


async def test_tail__deleted_while_held__read_to_its_end_and_let_go(tmp_path: Path) -> None:
    """What a writer still appends to a deleted file is read; afterwards its position is forgotten."""
    log = tmp_path / "app.log"
    rig = Rig(tmp_path)
    with log.open("ab", buffering=0) as file:
        file.write(records(1))
        async with rig.running():
            await rig.expect(1)
            log.unlink()
            file.write(records(2))
            await rig.expect(1, 2)
            await rig.until(lambda: any(known.finished for known in rig.progress.values()))
            assert await rig.source.committed(rig.progress) == set(rig.data)


async def test_tail__deleted_with_partial_line__taken_at_last(tmp_path: Path) -> None:
    """Bytes that nobody will complete are handed on before the file is let go, so that they stand in the ledger."""
    log = tmp_path / "app.log"
    log.write_bytes(records(1) + b'{"level":')
    rig = Rig(tmp_path)
    async with rig.running():
        await rig.expect(1)
        log.unlink()
        await rig.until(lambda: any(known.finished for known in rig.progress.values()))
    assert list(rig.data.values()) == [records(1) + b'{"level":']


async def test_tail__hard_link_symlink_and_two_globs__counted_once(tmp_path: Path) -> None:
    """A file is read once, however many names lead to it."""
    (tmp_path / "a.log").write_bytes(records(1))
    (tmp_path / "b.log").hardlink_to(tmp_path / "a.log")
    (tmp_path / "c.log").symlink_to(tmp_path / "a.log")
    rig = Rig(tmp_path, "*.log", "a*", "**/*")
    async with rig.running():
        await rig.expect(1)
        with (tmp_path / "c.log").open("ab") as file:
            file.write(records(2))
        await rig.expect(1, 2)
        assert len(rig.data) == 1


async def test_tail__symlink_moved_to_next_file__both_read(tmp_path: Path) -> None:
    """Where the name is a link, as for containers, the file behind it is rotated in another folder."""
    real = tmp_path / "real"
    real.mkdir()
    (real / "0.txt").write_bytes(records(1))
    (tmp_path / "pod.log").symlink_to(real / "0.txt")
    rig = Rig(tmp_path)
    async with rig.running():
        await rig.expect(1)
        (real / "0.txt").rename(real / "0.txt.old")
        with (real / "0.txt.old").open("ab") as file:
            file.write(records(2))
        (real / "0.txt").write_bytes(records(3))
        await rig.expect(1, 2, 3)


async def test_tail__what_cannot_be_read__told_once_and_tried_again(tmp_path: Path) -> None:
    """A missing file, a folder and a pipe are named once each; the others are read; the missing one as soon as it comes."""
    (tmp_path / "folder.log").mkdir()
    os.mkfifo(tmp_path / "pipe.log")
    (tmp_path / "good.log").write_bytes(records(1))
    names = ("missing.log", "folder.log", "pipe.log", "good.log")
    rig = Rig(tmp_path, *names)
    with capture_logs() as logs:
        async with rig.running():
            await rig.expect(1)
            (tmp_path / "missing.log").write_bytes(records(2))
            await rig.expect(1, 2)
    told = {Path(entry["path"]).name: entry["reason"] for entry in logs if entry["event"] == "source.unreadable"}
    assert told == {
        "missing.log": os.strerror(errno.ENOENT),
        "folder.log": "a folder",
        "pipe.log": "not a regular file",
    }
    assert len(logs) == len(told)


async def test_tail__no_permission__told_once_and_read_when_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that may not be read does no harm, and is read as soon as it may be."""
    log = tmp_path / "app.log"
    log.write_bytes(records(1))
    allowed = False
    tried = anyio.Event()
    loop = asyncio.get_running_loop()
    real = os.open

    def guarded(path: str, flags: int, *rest: int, **options: int) -> int:
        if path == str(log) and not allowed:
            loop.call_soon_threadsafe(tried.set)
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return real(path, flags, *rest, **options)

    monkeypatch.setattr(os, "open", guarded)
    rig = Rig(tmp_path)
    with capture_logs() as logs:
        async with rig.running():
            await tried.wait()
            (tmp_path / "other.log").write_bytes(records(2))
            await rig.expect(2)
            allowed = True
            await rig.expect(1, 2)
    assert [entry["reason"] for entry in logs] == [os.strerror(errno.EACCES)]


async def test_tail__name_not_utf8__read_under_an_escaped_name(tmp_path: Path) -> None:
    """Any bytes may be a name; the stream's is valid UTF-8, and a restart finds the file again."""
    log = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.log"))
    log.write_bytes(records(1))
    rig = Rig(tmp_path)
    async with rig.running():
        await rig.expect(1)
    with log.open("ab") as file:
        file.write(records(2))
    async with rig.running():
        await rig.expect(1, 2)
    (stream,) = rig.data
    assert r"caf\xe9.log" in stream
    assert stream.encode().decode() == stream


async def test_tail__excluded__left_out(tmp_path: Path) -> None:
    """What the configuration leaves out is not read."""
    (tmp_path / "app.log").write_bytes(records(1))
    (tmp_path / "debug.log").write_bytes(records(2))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "x.log").write_bytes(records(3))
    rig = Rig(tmp_path, "**/*", exclude=("debug.*", f"{tmp_path}/sub/*"))
    with capture_logs() as logs:
        async with rig.running():
            await rig.expect(1)
            with (tmp_path / "app.log").open("ab") as file:
                file.write(records(4))
            await rig.expect(1, 4)
    assert not logs


async def test_tail__not_from_start__only_what_comes_and_across_a_restart(tmp_path: Path) -> None:
    """What was there before the first start is left out; what is written while stopped is not."""
    log = tmp_path / "app.log"
    log.write_bytes(records(1, 2))
    rig = Rig(tmp_path, from_start=False)
    async with rig.running():
        await rig.until(lambda: bool(rig.progress))
        with log.open("ab") as file:
            file.write(records(3))
        await rig.expect(3)
        (tmp_path / "new.log").write_bytes(b"")
        await rig.until(lambda: len(rig.progress) == 2)
    (tmp_path / "new.log").write_bytes(records(4))
    async with rig.running():
        await rig.expect(3, 4)


async def test_tail__record_longer_than_a_block__whole(tmp_path: Path) -> None:
    """A block grows until a record fits; one that is longer than any may be is handed on in pieces."""
    long = b'{"msg":"' + b"x" * 5000 + b'"}\n'
    endless = b"y" * 50_000 + b"\n"
    (tmp_path / "app.log").write_bytes(long + endless + records(1))
    rig = Rig(tmp_path, block=1024, max_record=16_384)
    async with rig.running():
        await rig.until(lambda: len(rig.lines) == 3)
    assert b"".join(rig.data.values()) == long + endless + records(1)


async def test_tail__more_files_than_may_be_open__all_read(tmp_path: Path) -> None:
    """Descriptors are bounded; a file that was closed meanwhile goes on where it was."""
    for number in range(20):
        (tmp_path / f"{number}.log").write_bytes(records(number))
    rig = Rig(tmp_path, max_open=3)
    async with rig.running():
        await rig.expect(*range(20))
        assert len(rig.source._turns._open) <= 3
        for number in range(20):
            with (tmp_path / f"{number}.log").open("ab") as file:
                file.write(records(100 + number))
        await rig.expect(*range(20), *range(100, 120))


async def test_tail__no_notifications__the_scan_finds_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where watching fails nothing is lost, and that is said once."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "OS file watch limit reached")

    monkeypatch.setattr(watching, "RustNotify", refuse)
    rig = Rig(tmp_path)
    with capture_logs() as logs:
        async with rig.running():
            (tmp_path / "a.log").write_bytes(records(1))
            await rig.expect(1)
            with (tmp_path / "a.log").open("ab") as file:
                file.write(records(2))
            await rig.expect(1, 2)
    assert [entry["event"] for entry in logs] == ["source.watch_failed"]


@pytest.mark.parametrize("idle", [watching._IDLE, 0.0])
async def test_tail__notified__need_not_wait_for_a_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, idle: float
) -> None:
    """With notifications a long interval between scans does not matter, also where the watch has come to look less often."""
    monkeypatch.setattr(watching, "_IDLE", idle)
    log = tmp_path / "app.log"
    log.write_bytes(records(1))
    rig = Rig(tmp_path, scan_interval=3600.0, poll_interval=3600.0)
    async with rig.running():
        await rig.expect(1)
        with log.open("ab") as file:
            file.write(records(2))
        await rig.expect(1, 2)
        (tmp_path / "b.log").write_bytes(records(3))
        await rig.expect(1, 2, 3)


async def test_tail__watch__takes_no_worker_thread(tmp_path: Path) -> None:
    """As many sources as there are worker threads do not keep all of them waiting for news."""
    to_thread.current_default_thread_limiter().total_tokens = 1
    rig = Rig(tmp_path)
    async with rig.running():
        for number in range(20):
            (tmp_path / f"{number}.log").write_bytes(records(number))
            await rig.expect(*range(number + 1))


async def test_tail__furthest_behind_first(tmp_path: Path) -> None:
    """Files with a backlog are read side by side in event time, so that spans of one trace meet."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.log").write_bytes(records(*range(200)))
    times: dict[str, int] = {}
    order: list[str] = []
    source = TailSource("tail", [str(tmp_path / "*.log")], block=1024, watermark=times.get)
    async with source:
        async for chunk in source.chunks({}):
            order.append(chunk.stream)
            # The clock of one runs twice as fast.
            times[chunk.stream] = times.get(chunk.stream, 0) + (2 if "/a.log" in chunk.stream else 1)
            if len(order) == 9:
                break
    counts = Counter("a" if "/a.log" in stream else "b" for stream in order)
    assert counts == {"a": 3, "b": 6}


async def test_tail__file_gone_for_good__forgotten_in_time(tmp_path: Path) -> None:
    """Positions of files that are not to be seen are kept for a while, for they may come back, and then dropped."""
    log = tmp_path / "app.log"
    log.write_bytes(records(1))
    rig = Rig(tmp_path, forget_after=0.0)
    async with rig.running():
        await rig.expect(1)
    log.unlink()
    (tmp_path / "other.log").write_bytes(records(2))
    async with rig.running():
        await rig.expect(1, 2)
        forgotten = await rig.source.committed(rig.progress)
    kept = set(rig.progress) - set(forgotten)
    assert [Path(stream).name.split("@")[0] for stream in kept] == ["other.log"]


async def test_tail__inode_of_a_lost_file_used_for_another__left_alone(tmp_path: Path) -> None:
    """A file that matches no pattern is not read for having the inode of one that did."""
    secret = tmp_path / "secret.txt"
    secret.write_bytes(records(1, 2))
    (tmp_path / "app.log").write_bytes(records(3))
    rig = Rig(tmp_path)
    position = Position(
        offset=5, path=str(tmp_path / "app.log"), inode=secret.stat().st_ino, tail_length=5, tail_hash="x"
    )
    rig.progress["old"] = Progress(source="tail", position=position)
    async with rig.running():
        await rig.expect(3)
        with (tmp_path / "app.log").open("ab") as file:
            file.write(records(4))
        await rig.expect(3, 4)
    assert len(rig.data) == 1
