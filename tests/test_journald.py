"""The journal of systemd: real journal files, read by the real journalctl."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from pathlib import Path

import anyio
import pytest

from tracegist._engine import Engine
from tracegist.commit import Committer
from tracegist.errors import SourceError
from tracegist.pipeline import Pipeline
from tracegist.sources import Chunk, JournaldSource, Progress

REMOTE = Path("/lib/systemd/systemd-journal-remote")
BOOT = "b" * 32

pytestmark = pytest.mark.anyio
needs_journal = pytest.mark.skipif(
    shutil.which("journalctl") is None or not REMOTE.exists(),
    reason="journalctl or systemd-journal-remote is not installed here: apt install systemd-journal-remote",
)


@pytest.fixture
def anyio_backend() -> str:
    """The daemon runs on asyncio."""
    return "asyncio"


def write(
    folder: Path, messages: Iterable[str], *, age: float = 60, file: str = "system", boot: str = BOOT, **fields: object
) -> None:
    """Write entries into a journal file, `age` seconds old and a microsecond apart."""
    folder.mkdir(exist_ok=True)
    now = time.time_ns() // 1000
    entries = [
        {
            "__REALTIME_TIMESTAMP": now - int(age * 1e6) + number,
            "__MONOTONIC_TIMESTAMP": now - int(age * 1e6) + number,
            "_BOOT_ID": boot,
            "MESSAGE": message,
            "PRIORITY": 4,
            "_SYSTEMD_UNIT": "shop.service",
            "_PID": 1,
            **fields,
        }
        for number, message in enumerate(messages)
    ]
    exported = "".join("".join(f"{key}={value}\n" for key, value in entry.items()) + "\n" for entry in entries)
    subprocess.run(
        [REMOTE, "-o", folder / f"{file}.journal", "-"], input=exported.encode(), capture_output=True, check=True
    )


def messages_of(chunk: Chunk) -> list[str]:
    """Every chunk is whole lines, each of them an entry."""
    assert not chunk.data or chunk.data.endswith(b"\n")
    return [json.loads(line)["MESSAGE"] for line in chunk.data.splitlines()]


async def read(
    source: JournaldSource, last: str, progress: Mapping[str, Progress] | None = None
) -> tuple[list[str], dict[str, Progress]]:
    """Read until the message `last` has come; all that came, and the progress then."""
    found: list[str] = []
    with anyio.fail_after(30):
        async with source, aclosing(source.chunks(progress or {})) as chunks:
            async for chunk in chunks:
                found += messages_of(chunk)
                assert chunk.gap is None or progress is not None
                if last in found:
                    return found, {chunk.stream: Progress(source=source.name, position=chunk.position)}
    raise AssertionError(found)


@needs_journal
async def test_journald__entries_of_several_files__arrive_once_and_in_order(tmp_path: Path) -> None:
    """Blocks much smaller than the journal lose nothing, repeat nothing and end at whole entries."""
    journal = tmp_path / "journal"
    expected = [f"entry {number} {'x' * (number % 7000)}" for number in range(3000)]
    write(journal, expected[:1000], age=90, file="older", boot="a" * 32)
    write(journal, expected[1000:])
    found, _ = await read(JournaldSource(directory=journal, block=10_000), expected[-1])
    assert found == expected


@needs_journal
async def test_journald__restarted__goes_on_behind_the_cursor(tmp_path: Path) -> None:
    """What was read is not read again; what was written meanwhile is read, though a boot lies between."""
    journal = tmp_path / "journal"
    write(journal, ["one", "two"], age=7200)
    source = JournaldSource(directory=journal, from_start=True)
    found, progress = await read(source, "two")
    assert found == ["one", "two"]

    write(journal, ["three"], age=7100)
    write(journal, ["four"], age=30, boot="c" * 32)
    found, after = await read(source, "four", progress)
    assert found == ["three", "four"]
    async with source, aclosing(source.chunks(progress)) as chunks:
        assert (await anext(chunks)).gap is None
    assert after[source.name].position.offset > progress[source.name].position.offset


@needs_journal
async def test_journald__entry_of_the_cursor_gone__goes_on_with_the_next(tmp_path: Path) -> None:
    """A journal whose older files were removed in the meantime is read from its oldest entry that is new."""
    journal = tmp_path / "journal"
    write(journal, ["one"], age=90, file="older")
    source = JournaldSource(directory=journal)
    _, progress = await read(source, "one")

    write(journal, ["two", "three"])
    (journal / "older.journal").unlink()
    assert (await read(source, "three", progress))[0] == ["two", "three"]
    async with source, aclosing(source.chunks(progress)) as chunks:
        gap = (await anext(chunks)).gap
    assert gap is not None
    assert "is gone" in gap.reason


@needs_journal
async def test_journald__first_start__begins_ten_minutes_ago(tmp_path: Path) -> None:
    """A journal can hold months; what is asked about is now."""
    journal = tmp_path / "journal"
    write(journal, ["long ago"], age=3600)
    write(journal, ["just now"])
    assert (await read(JournaldSource(directory=journal), "just now"))[0] == ["just now"]
    assert (await read(JournaldSource(directory=journal, from_start=True), "just now"))[0] == ["long ago", "just now"]


@needs_journal
async def test_journald__written_while_it_follows__arrives(tmp_path: Path) -> None:
    """New entries come as they are written, into the same file or another."""
    journal = tmp_path / "journal"
    write(journal, ["one"])
    source = JournaldSource(directory=journal)
    found: list[str] = []
    with anyio.fail_after(30):
        async with source, aclosing(source.chunks({})) as chunks:
            async for chunk in chunks:
                found += messages_of(chunk)
                if found == ["one"]:
                    write(journal, ["two"], age=50)
                elif found == ["one", "two"]:
                    write(journal, ["three"], age=40, file="rotated")
                else:
                    break
    assert found == ["one", "two", "three"]


@needs_journal
async def test_journald__entries_of_the_daemon_itself__are_left_out(tmp_path: Path) -> None:
    """Its log would tell of its own telling: known by unit or process, but not by a number that another process had."""
    journal = tmp_path / "journal"
    write(journal, ["another process"], age=500, _PID=os.getpid())
    write(journal, ["of the service"], _SYSTEMD_UNIT="tracegist.service")
    write(journal, ["not of it"], age=50)
    write(journal, ["of this process"], age=0, _PID=os.getpid())
    write(journal, ["the last"], age=0)
    found, _ = await read(JournaldSource(directory=journal), "the last")
    assert found == ["another process", "not of it", "the last"]


@needs_journal
async def test_journald__units_given__only_theirs_are_read(tmp_path: Path) -> None:
    """Names and patterns of units choose what is read."""
    journal = tmp_path / "journal"
    for unit in ("a", "shop-1", "b", "shop-2"):
        write(journal, [unit], _SYSTEMD_UNIT=f"{unit}.service")
    found, _ = await read(JournaldSource(directory=journal, units=["b", "shop-*"]), "shop-2")
    assert found == ["shop-1", "b", "shop-2"]


@needs_journal
async def test_journald__committed_and_restored__each_entry_counts_once(tmp_path: Path) -> None:
    """Through the pipeline, a commit and a restart the engine has every entry once, a long one whole."""
    journal, events = tmp_path / "journal", 0
    for expected in (5, 8):
        write(journal, [f"entry {number} {'x' * 9000}" for number in range(events, expected)])
        engine, committer = Engine(), Committer(tmp_path / "state")
        loaded = committer.load(engine.restore)
        source = JournaldSource(directory=journal)
        pipeline = Pipeline(engine, [source], progress=loaded[1] if loaded else None)
        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(pipeline.run)
                version = -1
                while events < expected:
                    version = await pipeline.news(version)
                    events = json.loads(engine.stats())["ledger"]["events"]
                tasks.cancel_scope.cancel()
        assert await committer.commit(pipeline)
        assert (events, pipeline.progress[source.name].rejected) == (expected, 0)


@needs_journal
async def test_journald__folder_missing__says_what_journalctl_says(tmp_path: Path) -> None:
    """The reason is journalctl's own."""
    source = JournaldSource(directory=tmp_path / "absent")
    with pytest.raises(SourceError, match=r"journalctl has ended \(status 1\): .*absent: No such file"):
        await anext(source.chunks({}))


async def test_journald__journalctl_missing__says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host without systemd gets a sentence, not a traceback."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="journalctl is not installed"):
        await anext(JournaldSource().chunks({}))


@pytest.mark.parametrize("stubborn", [False, True])
async def test_journald__closed_or_cancelled_while_it_writes__ends_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, stubborn: bool
) -> None:
    """Nothing is left behind, though its pipe is full; a process that does not obey is killed."""
    trap = "trap '' TERM\n" if stubborn else ""
    line = json.dumps({"MESSAGE": "x" * 100, "__CURSOR": "c"})
    (tmp_path / "journalctl").write_text(f"#!/bin/sh\necho $$ >> {tmp_path}/pids\n{trap}exec yes '{line}'\n")
    (tmp_path / "journalctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr("tracegist.sources.journald._GRACE", 0.1)

    source = JournaldSource()
    async with aclosing(source.chunks({})) as chunks:
        assert (await anext(chunks)).data
    with anyio.CancelScope() as scope:
        async with aclosing(source.chunks({})) as chunks:
            async for _ in chunks:
                scope.cancel()
    pids = re.findall(r"\d+", (tmp_path / "pids").read_text())
    assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)
