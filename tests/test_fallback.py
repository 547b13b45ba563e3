"""Snapshots that cannot be used: the daemon's own loader on real ones, cut and flipped; the daemon goes back, and says so."""

from __future__ import annotations

import json
import signal
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bench.host import Host, host, write_spans
from tracegist._engine import Engine
from tracegist.commit import Committer
from tracegist.errors import SnapshotError
from tracegist.sources import Position, Progress

RECEIVED = 1_767_225_600_000_000_000
STEP = 512
HEADER = 20
SOURCES = '[[sources]]\ntype = "push"\n[[sources]]\ntype = "tail"\npaths = ["{folder}/*.jsonl"]\n'


def record(number: int) -> bytes:
    """A log record."""
    return b'{"time":"2026-01-01T00:00:00Z","level":"info","service":"shop","msg":"record %d"}\n' % number


def progress(offset: int) -> dict[str, Progress]:
    """How far a file was read."""
    return {"a": Progress(source="tail", position=Position(offset=offset, path="/var/log/a", inode=1), events=1)}


def counted(engine: Engine) -> int:
    """All that an engine has counted."""
    events: int = json.loads(engine.stats())["ledger"]["events"]
    return events


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """Two states of a host, a moment apart: spans, their joins, log records, and one that was rejected."""
    file = tmp_path_factory.mktemp("spans") / "a.jsonl"
    write_spans(file, 200_000)
    engine = Engine()
    engine.ingest("a", file.read_bytes(), received=RECEIVED)
    engine.ingest("b", record(1) + b"\0\1\2\n", received=RECEIVED)
    engine.missed("overload of a", bytes=10, lines=1)
    older = engine.snapshot()
    engine.ingest("b", record(2), received=RECEIVED)
    return older, engine.snapshot()


def damage(data: bytes) -> Iterator[bytes]:
    """Cut it at every place, and flip a bit at every place."""
    for place in range(0, len(data), STEP):
        yield data[:place]
        yield data[:place] + bytes([data[place] ^ 1 << place // STEP % 8]) + data[place + 1 :]


def test_fallback__newest_cut_or_flipped_anywhere__older_one_used(tmp_path: Path, states: tuple[bytes, bytes]) -> None:
    """It always starts, from the state before, and says which file it passed over and why."""
    older, newer = states
    committer = Committer(tmp_path)
    committer.write([older], progress(1))
    committer.write([newer], progress(2))
    newest = tmp_path / "snapshot-2.tgs"
    whole = newest.read_bytes()
    assert len(whole) > 20 * STEP
    for data in damage(whole):
        newest.write_bytes(data)
        engine, again = Engine(), Committer(tmp_path)
        with capture_logs() as logs:
            assert again.load(engine.restore) == (older, progress(1), 1)
        assert [entry["event"] for entry in logs] == ["commit.passed_over", "commit.fell_back"]
        assert again.fallback is not None
        assert "snapshot-2.tgs" in str(again.fallback)
    assert engine.snapshot() == older


def test_fallback__state_damaged_under_a_good_checksum__refused_or_usable(states: tuple[bytes, bytes]) -> None:
    """What a checksum cannot find, since it is right, is no reason to panic: it is refused, or it is a state like any other."""
    older, _ = states
    refused = 0
    for body in damage(older[HEADER:]):
        head = older[:8] + struct.pack("<QI", len(body), zlib.crc32(body))
        engine = Engine()
        try:
            engine.restore(head + body)
        except SnapshotError:
            refused += 1
            continue
        engine.ingest("b", record(3), received=RECEIVED)
        engine.summary(budget=1000)
        engine.stats()
        again = Engine()
        again.restore(engine.snapshot())
    assert refused


@pytest.mark.parametrize("schema", [0, 4, 200])
def test_fallback__state_of_another_schema__refused_by_name(
    tmp_path: Path, states: tuple[bytes, bytes], schema: int
) -> None:
    """An older or later version's state is not taken for damage: the message says which it is, and what to do."""
    state = states[0][:7] + bytes([schema]) + states[0][8:]
    Committer(tmp_path).write([state], progress(1))
    with capture_logs() as logs:
        assert Committer(tmp_path).load(Engine().restore) is None
    assert f"the snapshot is of schema {schema}" in logs[0]["reason"]
    assert "use the tracegist that wrote it, or start afresh" in logs[0]["reason"]


@pytest.fixture
def made() -> Iterator[Host]:
    """A host whose daemon commits often."""
    with host() as made:
        made.configure(
            SOURCES.format(folder=made.folder), state='commit_interval = "20ms"', output='interval = "50ms"', otlp=False
        )
        yield made


def snapshots(made: Host) -> list[Path]:
    """Those that are there, the newest last."""
    return sorted(made.state.glob("snapshot-*.tgs"), key=lambda path: int(path.stem.split("-")[1]))


def grow(made: Host, *, until: int) -> None:
    """Append and push until there are so many snapshots, and all is committed."""
    number = 0
    while len(snapshots(made)) < until:
        with (made.folder / "app.jsonl").open("ab") as file:
            file.write(record(number))
        made.until(lambda number=number: made.post("/ingest/ci", record(number)).is_success)  # type: ignore[misc]
        number += 1
    made.until(lambda: made.events() == 2 * number)


def test_fallback__daemon__reads_again_what_came_since_and_says_so(made: Host) -> None:
    """Two of three snapshots are damaged: files and pushes since the third are read again, and nothing counts twice."""
    made.start()
    grow(made, until=3)
    events = made.events()
    made.stop(signal.SIGKILL)
    older, *damaged = snapshots(made)
    damaged[0].write_bytes(b"")
    damaged[1].write_bytes(damaged[1].read_bytes()[:-7])
    made.start()
    made.until(lambda: made.events() >= events)
    said = made.status()["commit"]["fallback"]
    assert said.startswith("went back to the state of")
    assert damaged[1].name in said
    made.until(lambda: "went back to the state of" in made.get("/summary").decode())
    made.until(lambda: made.post("/ingest/ci", record(0)).is_success)
    made.until(lambda: made.events() > events)
    assert made.events() == events + 1
    assert not made.status()["ledger"]["missed"]
    assert int(snapshots(made)[-1].stem.split("-")[1]) > int(older.stem.split("-")[1]) + 2


def test_fallback__daemon_without_any_snapshot_left__starts_and_says_what_is_gone(made: Host) -> None:
    """All are damaged: it starts with what can be read again, and the ledger, the header and the status say so."""
    made.start()
    grow(made, until=3)
    made.stop()
    for path in snapshots(made):
        path.write_bytes(path.read_bytes()[:100])
    made.start()
    status = made.status()
    assert status["commit"]["fallback"].startswith("started afresh, for no snapshot could be used")
    assert status["ledger"]["missed"] == {
        "all before this start: no snapshot could be used": {"times": 1, "bytes": 0, "lines": 0}
    }
    made.until(lambda: "no snapshot could be used" in made.get("/summary").decode())
    assert "nothing lost" not in made.get("/summary").decode()


def test_fallback__segments_taken_away__gap_told(made: Host) -> None:
    """Somebody clears the journal of pushes that no snapshot covers: ledger, log and header say so."""
    made.start()
    grow(made, until=1)
    made.until(lambda: made.status()["commit"]["generation"])
    made.stop()
    for segment in made.state.glob("journal/push/*.journal"):
        segment.unlink()
    made.start()
    made.until(lambda: made.post("/ingest/ci", record(0)).is_success)
    made.until(lambda: made.status()["ledger"]["missed"])
    [(reason, _)] = made.status()["ledger"]["missed"].items()
    assert reason == "segments of the journal are gone, and with them pushes"
    made.until(lambda: "1 missing (segments of the journal" in made.get("/summary").decode())
    assert any(json.loads(line)["event"] == "source.gap" for line in made.log.read_text().splitlines())
