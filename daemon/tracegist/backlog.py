"""What a source has read and the engine has not taken yet: bounded by bytes, and what becomes of what is too much."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

import anyio

from tracegist.sources._base import Chunk, Gap

__all__ = ["Backlog", "Overload"]

Overload: TypeAlias = Literal["wait", "drop"]

_BESIDE: Final = 512
"""Bytes that a chunk takes beside its data: many small ones are not for nothing."""


@dataclass(slots=True)
class _Place:
    """A place in the queue; what is dropped there later makes the gap in it wider."""

    chunk: Chunk


class Backlog:
    """The chunks of one source, in their order.

    :param source: its name
    :param size: bytes that may be here; one chunk always may, whatever its size
    :param overload: ``wait`` keeps one chunk ready and holds the source back; ``drop`` keeps as many as there is room for and
        lets go what comes then, leaving a gap that says how much it was
    """

    def __init__(self, source: str, size: int, overload: Overload = "wait") -> None:
        self._reason = f"overload of {source}"
        self._size = size
        self._overload = overload
        self._queue: deque[_Place] = deque()
        self._gaps: dict[str, _Place] = {}
        self._ended = False
        self._changed = anyio.Event()
        self.taken = 0
        """Bytes that are here, or taken and not :meth:`done` with."""

    async def put(self, chunk: Chunk) -> None:
        """Add a chunk, or let it go."""
        size = _weight(chunk)
        if self._overload == "drop" and self._full(size):
            self._drop(chunk)
            return
        while self._full(size) or (self._overload == "wait" and self._queue):
            await self._changed.wait()
        self._gaps.pop(chunk.stream, None)
        self._queue.append(_Place(chunk))
        self.taken += size
        self._notify()

    async def get(self) -> Chunk | None:
        """Take the oldest chunk, or None if there will be no more; say :meth:`done` afterwards."""
        while not self._queue:
            if self._ended:
                return None
            await self._changed.wait()
        place = self._queue.popleft()
        if self._gaps.get(place.chunk.stream) is place:
            del self._gaps[place.chunk.stream]
        self._notify()
        return place.chunk

    def done(self, chunk: Chunk) -> None:
        """Give back the room that a chunk took."""
        self.taken -= _weight(chunk)
        self._notify()

    def end(self) -> None:
        """Add no more."""
        self._ended = True
        self._notify()

    def _full(self, size: int) -> bool:
        return size > 0 and self.taken > 0 and self.taken + size > self._size

    def _drop(self, chunk: Chunk) -> None:
        """Keep the position, and how much was let go: with what was let go of the stream before, if nothing is between."""
        gap = Gap(reason=self._reason, bytes=len(chunk.data), lines=max(1, chunk.data.count(b"\n")))
        place = self._gaps.get(chunk.stream)
        before = place.chunk.gap if place is not None else None
        if place is not None and before is not None and not chunk.replaces:
            gap = replace(gap, bytes=gap.bytes + before.bytes, lines=gap.lines + before.lines)
            place.chunk = replace(chunk, data=b"", gap=gap, replaces=place.chunk.replaces)
            return
        place = self._gaps[chunk.stream] = _Place(replace(chunk, data=b"", gap=gap))
        self._queue.append(place)
        self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


def _weight(chunk: Chunk) -> int:
    return len(chunk.data) + _BESIDE if chunk.data else 0
