"""Which pushes were kept already: for each producer the highest number and which of the last 64 there were.

That is the window by which IPsec refuses what is replayed (RFC 4303, 3.4.3): a producer may have pushes under way side by
side, and one that is further behind than the window is taken for one that was kept. A key without a number is one push.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

import msgspec

__all__ = ["WINDOW", "Producers"]

WINDOW: Final = 64


class _Seen(msgspec.Struct, array_like=True):
    """What was kept of a producer.

    :param highest: its highest number
    :param kept: a bit for each of the last 64, the lowest for the highest number
    """

    producer: str
    highest: int = 0
    kept: int = 1


class Producers:
    """A table of so many producers; the one longest silent is forgotten first.

    :param most: producers, and keys
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: OrderedDict[str, _Seen] = OrderedDict()

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._seen)

    def knows(self, producer: str, sequence: int | None) -> bool:
        """Tell whether a push was kept already."""
        seen = self._seen.get(producer)
        if seen is None or sequence is None:
            return seen is not None
        behind = seen.highest - sequence
        return behind >= WINDOW or (behind >= 0 and bool(seen.kept >> behind & 1))

    def keep(self, producer: str, sequence: int | None) -> None:
        """Remember that a push was kept."""
        number = sequence or 0
        seen = self._seen.get(producer)
        if seen is None:
            self._seen[producer] = _Seen(producer, number)
        else:
            self._seen.move_to_end(producer)
            ahead = number - seen.highest
            if ahead > 0:
                older = seen.kept << ahead if ahead < WINDOW else 0
                seen.highest, seen.kept = number, (older | 1) & ((1 << WINDOW) - 1)
            elif -ahead < WINDOW:
                seen.kept |= 1 << -ahead
        while len(self._seen) > self._most:
            self._seen.popitem(last=False)

    def encode(self) -> bytes:
        """Write the table, the longest silent first; empty if nobody is in it."""
        return msgspec.json.encode(list(self._seen.values())) if self._seen else b""

    def load(self, data: bytes) -> None:
        """Take a table in place of this one.

        :raises ValueError: if it is none
        """
        try:
            found = msgspec.json.decode(data, type=list[_Seen])
        except msgspec.MsgspecError as error:
            raise ValueError(str(error)) from None
        self._seen = OrderedDict((seen.producer, seen) for seen in found[-self._most :])
