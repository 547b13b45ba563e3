"""The bundled recording, replayed."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tracegist._engine import Engine
from tracegist.config import Duration, load
from tracegist.sample import SampleSource, sample_config
from tracegist.sample.settings import WINDOW
from tracegist.sources import Chunk

pytestmark = pytest.mark.anyio

MINUTE = 60_000_000_000


@pytest.fixture
def anyio_backend() -> str:
    """The daemon runs on asyncio."""
    return "asyncio"


async def replay(start: int) -> list[Chunk]:
    """All of the recording, without waiting for it."""
    source = SampleSource(start=start, speed=1e9)
    async with source:
        return [chunk async for chunk in source.chunks({})]


async def test_sample__replayed__quiet_at_first_and_then_the_fault_is_named() -> None:
    """What a newcomer sees: no verdict up to now, and then the service at fault before those that wait for it."""
    start = time.time_ns()
    engine = Engine()
    chunks = await replay(start)
    past = [chunk for chunk in chunks if chunk.received == start]
    for chunk in past:
        assert engine.ingest(chunk.stream, chunk.data, received=chunk.received, format=chunk.format)[1] == 0
    window = int(WINDOW)
    quiet = json.loads(engine.summary(budget=1000, window=window))
    assert not quiet["verdicts"]
    assert "nothing to compare with yet" in quiet["text"]
    watermark = engine.watermark()
    assert watermark is not None
    assert start - 1_000_000_000 < watermark < start
    for chunk in chunks[len(past) :]:
        assert engine.ingest(chunk.stream, chunk.data, received=chunk.received, format=chunk.format)[1] == 0
    summary = json.loads(engine.summary(budget=1000, window=window))
    assert summary["verdicts"][0]["service"] == "currencyservice"
    assert summary["ledger"]["ahead"] == summary["ledger"]["late"] == 0


async def test_sample__chunks__in_the_order_of_time_and_of_the_stream() -> None:
    """Offsets and times only grow, and the faulty part takes about a minute and a half."""
    start = 1_800_000_000 * 10**9
    chunks = await replay(start)
    offsets = [chunk.position.offset for chunk in chunks]
    assert offsets == sorted(offsets)
    assert offsets[-1] == sum(len(chunk.data) for chunk in chunks)
    received = [chunk.received for chunk in chunks]
    assert received == sorted(received)
    assert MINUTE < received[-1] - start < 2 * MINUTE
    assert all(len(chunk.data) <= 1 << 20 and chunk.data.endswith(b"\n") for chunk in chunks)


def test_sample_config__defaults__nothing_in_the_users_folders(tmp_path: Path) -> None:
    """State and output are temporary, the sources are left out, and the window fits the recording."""
    config = sample_config(load("/dev/null").config, tmp_path)
    assert config.state.folder == config.output.folder == tmp_path
    assert config.sources == ()
    assert config.summary.window == WINDOW


def test_sample_config__socket_in_a_runtime_folder__stays_where_the_other_verbs_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The socket is no state; where it would lie among the state it goes to the temporary folder too."""
    for run, expected in (
        (str(tmp_path / "run"), tmp_path / "run/tracegist.sock"),
        ("", tmp_path / "tmp/tracegist.sock"),
    ):
        environ = {"HOME": str(tmp_path), "RUNTIME_DIRECTORY": run, "XDG_RUNTIME_DIR": ""}
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("os.geteuid", lambda: 1000)
        assert sample_config(load("/dev/null").config, tmp_path / "tmp").server.socket == expected


def test_sample_config__chosen_by_the_user__kept(tmp_path: Path) -> None:
    """Who names a folder or a window means it."""
    overrides: dict[str, tuple[object, str]] = {
        "state.folder": (tmp_path / "state", "--state"),
        "output.folder": (tmp_path / "out", "--output"),
        "summary.window": ("2m", "file"),
    }
    config = sample_config(load("/dev/null", overrides=overrides).config, tmp_path / "temporary")
    assert config.state.folder == tmp_path / "state"
    assert config.output.folder == tmp_path / "out"
    assert config.summary.window == Duration.parse("2m")
