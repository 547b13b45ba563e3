"""What every source is, and what it yields: chunks that end at record boundaries, each with the position behind it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol, Self

__all__ = ["Chunk", "Gap", "Position", "Progress", "Source"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a stream has been read to: always a record boundary, and enough to know the file again.

    A file is not its path: it is known by device, inode, a hash of its head (several, of the first bytes of it and of all) and
    a hash of the bytes before the offset.
    The systemd journal has cursors: the last entry's says where to go on, and the offset how much there was.
    """

    offset: int
    path: str = ""
    device: int = 0
    inode: int = 0
    head_length: int = 0
    head_hash: str = ""
    tail_length: int = 0
    tail_hash: str = ""
    cursor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What has become of a stream so far; committed together with the engine's state."""

    source: str
    position: Position
    events: int = 0
    rejected: int = 0
    reason: str = ""
    finished: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What should have come and does not: somebody took it away, it is damaged, or there was no room for it.

    :param reason: in words that the ledger counts by: no numbers in it that are others each time
    :param bytes: how much it was, as far as that is known
    :param lines: of them, if they are lines
    """

    reason: str
    bytes: int = 0
    lines: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A block of one stream, up to about 1 MiB, that ends at a record boundary.

    `stream` names one ordered sequence of bytes (a file, a pushed source) among those of all sources; `received` is in
    nanoseconds since the epoch; `finished` says that nothing of this stream will follow. `data` is empty where only the
    position has to be remembered. `replaces` names streams that have turned out to be no more, whose progress goes when
    this one's comes. `gap` says what is missing before the data. `origin` is what questions call where its events come from,
    if not as the stream.
    """

    source: str
    stream: str
    data: bytes
    position: Position
    received: int
    format: str | None = None
    finished: bool = False
    replaces: Collection[str] = ()
    gap: Gap | None = None
    origin: str = ""


class Source(Protocol):
    """Where bytes come from. Entered before it is read, left when the daemon stops; entered anew after a failure."""

    @property
    def name(self) -> str:
        """The name it has in the configuration, unique among sources."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    def chunks(self, progress: Mapping[str, Progress]) -> AsyncGenerator[Chunk, None]:
        """Yield what is there behind `progress` and then what comes, until it is cancelled or there can be no more.

        :param progress: what has become of every stream of every source so far; read once, at the start
        :raises SourceError: if nothing can be read at all for now; it is called again later
        :raises OSError: the same
        """

    async def committed(self, progress: Mapping[str, Progress]) -> Collection[str]:
        """Take note that all of `progress` (this source's streams alone) is durable: what it covers may be let go.

        :return: the streams that will never be asked for again, whose progress need not be kept
        """
