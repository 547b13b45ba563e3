"""Where bytes come from: a file for each kind of source, all of one shape."""

from __future__ import annotations

from tracegist.sources._base import Chunk, Position, Progress, Source
from tracegist.sources.push import Journal, JournalFull, PushSource
from tracegist.sources.spool import SpoolSource
from tracegist.sources.stdin import StdinSource
from tracegist.sources.tail import TailSource

__all__ = [
    "Chunk",
    "Journal",
    "JournalFull",
    "Position",
    "Progress",
    "PushSource",
    "Source",
    "SpoolSource",
    "StdinSource",
    "TailSource",
]
