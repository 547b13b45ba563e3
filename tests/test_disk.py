"""A disk that refuses: whatever call fails, the daemon serves, says so, loses nothing that it acknowledged, and recovers."""

from __future__ import annotations

import errno
import json
import os
import signal
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from bench.disk import CALLS, Disk
from bench.host import Host, host

# Each call with an error it is known to give: a full disk, a broken one, one that was remounted, a folder with other rights.
REFUSALS = [
    ("open", errno.EACCES),
    ("open", errno.ENOSPC),
    ("write", errno.ENOSPC),
    ("write", errno.EIO),
    ("sync", errno.EIO),
    ("sync", errno.ENOSPC),
    ("rename", errno.EROFS),
    ("rename", errno.EIO),
]
SOURCES = '[[sources]]\ntype = "push"\n[[sources]]\ntype = "tail"\npaths = ["{folder}/*.jsonl"]\n'


def record(number: int) -> bytes:
    """A record of which each is told from every other."""
    return b'{"time":"2026-11-01T00:00:00Z","level":"info","service":"shop","msg":"record %d"}\n' % number


class Pushes:
    """A producer that sends each push again until it is acknowledged."""

    def __init__(self, made: Host) -> None:
        self._made = made
        self.acknowledged = 0
        self.refused: list[str] = []

    def push(self) -> bool:
        """Send the next one; whether it was acknowledged."""
        number = self.acknowledged
        path = f"/ingest/ci?producer=p&sequence={number}"
        answer = self._made.post(path, record(number))
        if answer.status_code in {HTTPStatus.OK, HTTPStatus.ACCEPTED}:
            self.acknowledged += 1
            return True
        assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert "Retry-After" in answer.headers
        self.refused.append(answer.json()["error"])
        return False


@pytest.fixture
def made() -> Iterator[Host]:
    """A host whose daemon commits and publishes often."""
    with host() as made:
        made.configure(
            SOURCES.format(folder=made.folder), state='commit_interval = "50ms"', output='interval = "50ms"', otlp=False
        )
        yield made


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    """Its disk."""
    try:
        return Disk(tmp_path)
    except FileNotFoundError:
        pytest.skip("no C compiler, which the linker of Rust is too")


@pytest.mark.timeout(150)
def test_disk__every_call_refused_in_turn__serves_tells_and_recovers(made: Host, disk: Disk) -> None:
    """Commit, journal and publisher fail and come back, in one process; a kill in the end shows that nothing was lost."""
    file = made.folder / "app.jsonl"
    written = 0

    def append(count: int) -> None:
        nonlocal written
        with file.open("ab") as opened:
            opened.writelines(map(record, range(written, written + count)))
        written += count

    append(1)
    made.start(**disk.environ)
    pushes = Pushes(made)
    made.until(pushes.push)
    for call, error in REFUSALS:
        said = os.strerror(error)
        disk.fail(made.state, call, error)
        append(1)
        # The account goes on: what was just written counts.
        made.until(lambda: made.events() >= written + pushes.acknowledged)
        made.until(lambda said=said: any("state is not saved" in one and said in one for one in made.notices()))  # type: ignore[misc]
        made.until(lambda said=said: said in made.get("/summary").decode())  # type: ignore[misc]
        if call in {"write", "sync"}:
            # Files that are open already are written to further on.
            assert not pushes.push(), (call, said)
            assert said in pushes.refused[-1]
        assert disk.hits
        disk.work()
        made.until(lambda: not made.notices())
        made.until(pushes.push)
        made.until(lambda said=said: said not in made.get("/summary").decode())  # type: ignore[misc]
        disk.fail(made.output, call, error)
        append(1)
        if call != "sync":
            # What follows from the state is not synced.
            made.until(lambda said=said: any("summary not written" in one and said in one for one in made.notices()))  # type: ignore[misc]
        disk.work()
        made.until(lambda: not made.notices())
    total = written + pushes.acknowledged
    made.until(lambda: made.events() == total)
    logged = [json.loads(line) for line in made.log.read_text().splitlines()]
    counts = {name: sum(entry["event"] == name for entry in logged) for name in ("commit.failed", "commit.recovered")}
    assert counts == {"commit.failed": len(REFUSALS), "commit.recovered": len(REFUSALS)}
    assert not [entry for entry in logged if "Traceback" in str(entry)]
    made.stop(signal.SIGKILL)
    made.start()
    made.until(lambda: made.events() >= total)
    made.until(pushes.push)
    made.until(lambda: made.events() > total)
    assert made.events() == total + 1


def test_disk__refuses_from_the_start__serves_and_recovers(made: Host, disk: Disk) -> None:
    """Nothing can be opened when the daemon starts: it reads, serves and says so; later it takes pushes and commits."""
    disk.fail(made.state, "open", errno.EROFS)
    (made.folder / "app.jsonl").write_bytes(record(0))
    made.start(**disk.environ)
    made.until(lambda: made.events() == 1)
    made.until(lambda: any("state is not saved" in one for one in made.notices()))
    pushes = Pushes(made)
    assert not pushes.push()
    disk.work()
    made.until(lambda: made.status()["commit"]["generation"])


def test_disk__refuses_the_last_commit__gone_and_nothing_lost(made: Host, disk: Disk) -> None:
    """A daemon that is told to stop and cannot commit stops; the next one reads again what was not committed."""
    made.start(**disk.environ)
    pushes = Pushes(made)
    made.until(pushes.push)
    made.until(lambda: made.status()["commit"]["generation"])
    disk.fail(made.state, "rename", errno.EIO)
    assert pushes.push()
    (made.folder / "app.jsonl").write_bytes(record(0))
    made.until(lambda: made.events() == 3)
    assert made.stop() < 5
    made.start()
    made.until(lambda: made.events() >= 3)
    made.until(pushes.push)
    made.until(lambda: made.events() > 3)
    assert made.events() == 4


def test_disk__rules__every_call_is_known() -> None:
    """What is refused here is what the library can refuse."""
    assert {call for call, _ in REFUSALS} <= set(CALLS)
