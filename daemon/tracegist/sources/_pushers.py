"""Who pushes: a table of so many names, each a stream of its own; further ones share one, and what they push counts as well.

Names go in as they come. One that is silent for longer than a whole segment of the journal makes room for another: what it
pushed is committed by then, and nothing has to be remembered of it. Who pushes time and again keeps its place in any flood.
"""

from __future__ import annotations

from collections import OrderedDict
from time import monotonic
from typing import Final

__all__ = ["OTHER", "Pushers"]

OTHER: Final = "(other)"
"""The name of those that found no room; nobody can push under it by himself."""

_PATIENCE: Final = 60.0
"""Seconds that a segment is at least appended to before it is ended to make room for names."""


class Pushers:
    """The table.

    :param most: names
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._newest: OrderedDict[str, int] = OrderedDict()
        self._shared = 0
        self._refused = False
        self._begun = monotonic()

    @property
    def figures(self) -> dict[str, int]:
        """How many names there are, how many there may be, and how many pushes went to those that share one stream."""
        return {"names": len(self._newest), "max_names": self._most, "shared_pushes": self._shared}

    @property
    def wanting(self) -> bool:
        """Whether names found no room, for so long that a segment may be ended before it is full."""
        return self._refused and monotonic() - self._begun >= _PATIENCE

    def enter(self, name: str, newest: int, oldest: int) -> str:
        """Give a push the name that it goes by: its own, or that of all others.

        :param newest: the segment that is appended to
        :param oldest: the first that is not removed yet
        """
        if name not in self._newest and len(self._newest) >= self._most:
            longest, last = next(iter(self._newest.items()))
            if last >= oldest - 1:
                self._shared += 1
                self._refused = True
                return OTHER
            del self._newest[longest]
        self.wrote(name, newest)
        return name

    def wrote(self, name: str, segment: int) -> None:
        """Remember that something of a name is in a segment."""
        if name != OTHER:
            self._newest[name] = max(segment, self._newest.get(name, 0))
            self._newest.move_to_end(name)

    def begin(self) -> None:
        """A segment is begun: there may soon be room."""
        self._refused = False
        self._begun = monotonic()
