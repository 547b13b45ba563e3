"""Floods of a real process with a small `engine.memory_limit`: it stays within that and the constant for Python.

The attacks are those of `tests/bench/memory.py`, which drives them in full.
"""

from __future__ import annotations

import pytest

from bench import memory

_LIMIT = "32MiB"
_BOUND = (32 << 20) + memory.PYTHON


def _check(result: memory.Result) -> None:
    assert result.resident <= _BOUND
    assert result.events == result.made


@pytest.mark.parametrize(
    ("name", "scale", "gone"),
    [
        ("traces", 0.0008, ()),
        ("operations", 0.008, ("other",)),
        ("services", 0.02, ("other",)),
        ("templates", 0.008, ("other",)),
        ("line", 0.1, ("rejected",)),
        ("year", 0.04, ()),
        ("jumps", 0.04, ()),
        ("endless", 0.04, ()),
    ],
)
def test_memory__flooded__within_the_limit_and_others_exact(name: str, scale: float, gone: tuple[str, ...]) -> None:
    """No event is lost, who did not flood it keeps exact counts, and the ledger says what had to go."""
    result = memory.attack(name, scale, _LIMIT)
    _check(result)
    # What jumps lets the watermark leave behind is older than what is kept by the second.
    assert result.calls == result.calls_made or name == "jumps"
    for field in gone:
        assert result.ledger[field]


def test_memory__gzip_bomb__within_the_limit() -> None:
    """A file that is a thousand times as large as it looks is read in pieces."""
    _check(memory.bomb(100 << 20, _LIMIT))


def test_memory__names_made_up_for_ingest__within_the_limit() -> None:
    """Names beyond those that are kept apart cost nothing."""
    result = memory.sources(1000, _LIMIT, most=50)
    _check(result)
    (source,) = result.status["sources"]
    assert source["names"] == 50
    assert source["shared_pushes"] == 950
    assert source["streams"] == 51
