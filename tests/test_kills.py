"""A short kill loop; ``tests/bench/kill_loop.py`` is the long one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("sources", "kills"),
    [("renamed,shifted,dated,truncated,compressed,spool,push", 8), ("file", 5)],
    ids=["several", "one"],
)
def test_kills__under_load__account_is_that_of_one_pass(sources: str, kills: int) -> None:
    """No record is lost or counted twice; with a single source the state is the same byte for byte."""
    command = [
        sys.executable,
        "-m",
        "tests.bench.kill_loop",
        "--sources",
        sources,
        f"--kills={kills}",
        "--rest=4",
        "--up=0.5",
    ]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=55, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "the account is that of one pass over the same bytes" in ended.stdout
