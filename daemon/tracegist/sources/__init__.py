"""Where bytes come from: a file for each kind of source, all of one shape.

A kind is imported when its name is first used (PEP 562): reading a file with no daemon needs none of what the others need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracegist.sources._base import Chunk, Gap, Position, Progress, Source

if TYPE_CHECKING:
    from tracegist.sources._journal import Journal, JournalFull
    from tracegist.sources.journald import JournaldSource
    from tracegist.sources.push import PushSource
    from tracegist.sources.spool import SpoolSource
    from tracegist.sources.stdin import StdinSource
    from tracegist.sources.tail import TailSource

__all__ = [
    "Chunk",
    "Gap",
    "Journal",
    "JournalFull",
    "JournaldSource",
    "Position",
    "Progress",
    "PushSource",
    "Source",
    "SpoolSource",
    "StdinSource",
    "TailSource",
]

_HOMES = {
    "Journal": "_journal",
    "JournalFull": "_journal",
    "JournaldSource": "journald",
    "PushSource": "push",
    "SpoolSource": "spool",
    "StdinSource": "stdin",
    "TailSource": "tail",
}


def __getattr__(name: str) -> object:
    """Import what a public name needs, once."""
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module  # noqa: PLC0415 - the point of it

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
