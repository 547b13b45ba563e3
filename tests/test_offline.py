"""Files read without a daemon: all of them, side by side, and clear words where that cannot be."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tracegist import Analyzer
from tracegist._engine import Engine
from tracegist.errors import SourceError, TraceNotFound
from tracegist.offline import ingest_paths

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def record(second: int, text: str = "") -> bytes:
    """A record of a certain time."""
    time = f"2026-11-01T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"
    return f'{{"time":"{time}","level":"info","service":"shop","msg":"record {text}"}}\n'.encode()


def records(count: int) -> bytes:
    """One a second."""
    return b"".join(record(second) for second in range(count))


def test_offline__several_files__all_counted_in_order(tmp_path: Path) -> None:
    """Each file is told of, in the order given; the progress ends at what lies on the disk."""
    for name, count in (("a", 3000), ("b", 50), ("c", 0)):
        (tmp_path / name).write_bytes(records(count))
    told: list[tuple[int, int | None]] = []
    engine = Engine()
    done = ingest_paths(
        engine,
        [tmp_path / "b", str(tmp_path / "a"), tmp_path / "c"],
        block=1024,
        report=lambda *seen: told.append(seen),
    )
    assert [(one.stream, one.events) for one in done] == [
        (str(tmp_path / "b"), 50),
        (str(tmp_path / "a"), 3000),
        (str(tmp_path / "c"), 0),
    ]
    total = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert told[-1] == (total, total)
    assert told == sorted(told)
    assert json.loads(engine.stats())["ledger"]["bytes"] == total


def test_offline__files_of_one_time__side_by_side(tmp_path: Path) -> None:
    """No file runs ahead of another by more than a block, so spans of one trace meet."""
    names = [str(tmp_path / name) for name in ("a", "b")]
    (tmp_path / "a").write_bytes(records(5000))
    (tmp_path / "b").write_bytes(b"".join(record(second, "x" * 300) for second in range(5000)))
    engine = Engine()
    apart: list[int] = []

    def look(*_: object) -> None:
        times = [engine.watermark(name) for name in names]
        if None not in times:
            apart.append(abs(times[0] - times[1]) // 10**9)  # type: ignore[operator]

    ingest_paths(engine, names, block=65_536, report=look)
    assert len(apart) > 20
    assert max(apart) <= 2 * 65_536 / len(record(0))


def test_offline__named_twice__counted_once(tmp_path: Path) -> None:
    """A file is one file under any name."""
    (tmp_path / "a").write_bytes(records(10))
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    engine = Engine()
    assert len(ingest_paths(engine, [tmp_path / "a", tmp_path / "b", tmp_path / "." / "a"])) == 1
    assert json.loads(engine.stats())["ledger"]["events"] == 10


def test_offline__last_record_without_newline__counted(tmp_path: Path) -> None:
    """A file ends where it ends."""
    (tmp_path / "a").write_bytes(records(10)[:-1])
    assert ingest_paths(Engine(), [tmp_path / "a"])[0].events == 10


@pytest.mark.parametrize("block", [100, 1024, 1 << 20])
def test_offline__any_block__same_state(tmp_path: Path, block: int) -> None:
    """How a file is cut up makes no difference."""
    (tmp_path / "a").write_bytes(records(500))
    one, other = Engine(), Engine()
    ingest_paths(one, [tmp_path / "a"], block=block)
    other.ingest(str(tmp_path / "a"), records(500), received=(tmp_path / "a").stat().st_mtime_ns)
    assert one.snapshot() == other.snapshot()


@pytest.mark.parametrize(
    "compress", [gzip.compress, zstd.compress, lzma.compress, bz2.compress], ids=["gzip", "zstd", "xz", "bzip2"]
)
def test_offline__compressed__unpacked_whatever_its_name(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    """What is compressed is told by its first bytes, and may have several members."""
    (tmp_path / "a").write_bytes(compress(records(2000)) + compress(record(2000)))
    engine = Engine()
    assert ingest_paths(engine, [tmp_path / "a"])[0].events == 2001
    assert json.loads(engine.stats())["ledger"]["bytes"] == len(records(2000) + record(2000))


@pytest.mark.parametrize(("damage", "reason"), [("cut", "cut off"), ("flip", "cannot be read near byte")])
def test_offline__damaged__what_came_before_counts_and_the_others(tmp_path: Path, damage: str, reason: str) -> None:
    """Damage ends the file, not the reading of all: what it was stands beside what was read."""
    first = gzip.compress(records(2000))
    data = bytearray(first + gzip.compress(os.urandom(5000)))
    if damage == "cut":
        del data[-100:]
    else:
        data[len(first)] ^= 0xFF
    (tmp_path / "a.gz").write_bytes(data)
    (tmp_path / "b").write_bytes(records(10))
    damaged, whole = ingest_paths(Engine(), [tmp_path / "a.gz", tmp_path / "b"])
    assert reason in damaged.damage
    assert damaged.events >= 2000
    assert (whole.events, whole.damage) == (10, "")
    with pytest.raises(SourceError, match=r"a\.gz"):
        Analyzer().feed_files(tmp_path / "a.gz")


def test_offline__missing_or_folder__clear_words(tmp_path: Path) -> None:
    """What cannot be read is said before anything is."""
    (tmp_path / "a").write_bytes(records(10))
    engine = Engine()
    with pytest.raises(TraceNotFound, match=r"none: no such file"):
        ingest_paths(engine, [tmp_path / "a", tmp_path / "none"])
    with pytest.raises(SourceError, match=r"a folder"):
        ingest_paths(engine, [tmp_path / "a", tmp_path])
    assert engine.generation() == Engine().generation()


def test_offline__pipe__read_to_its_end() -> None:
    """A pipe is read as a file is, of a size that is not known before."""
    reading, writing = os.pipe()
    os.write(writing, records(100))
    os.close(writing)
    told: list[tuple[int, int | None]] = []
    done = ingest_paths(Engine(), [f"/dev/fd/{reading}"], report=lambda *seen: told.append(seen))
    os.close(reading)
    assert done[0].events == 100
    assert told[-1] == (len(records(100)), None)


def test_offline__more_files_than_may_be_open__all_read(tmp_path: Path) -> None:
    """An archive of many files is no reason to fail as long as the hard limit allows for it."""
    for number in range(300):
        (tmp_path / f"{number}").write_bytes(records(2))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
    try:
        done = ingest_paths(Engine(), sorted(tmp_path.iterdir()))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert sum(one.events for one in done) == 600
