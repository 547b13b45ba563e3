"""``trace.evidence``: the raw events behind a number, cut where the budget ends, and gone on with by a cursor."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import anyio.to_thread
import msgspec
from msgspec import Struct

from tracegist import _engine
from tracegist.errors import TokenBudgetExceeded
from tracegist.mcp.account import Account
from tracegist.mcp.budget import Answer, Budget, longest, tame

__all__ = ["Evidence", "evidence"]

_NUMBER: Final = re.compile(r"#?([0-9]{1,18})")
_CURSOR: Final = re.compile(r"([0-9]{1,9})\.([0-9]{1,9})")


class Evidence(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be asked."""

    id: str | int
    budget: Budget = 1000
    cursor: str | None = None
    encoding: str | None = None

    @property
    def number(self) -> int:
        """The number behind the #.

        :raises ValueError: if there is none
        """
        match = _NUMBER.fullmatch(str(self.id).strip())
        if match is None:
            msg = f"id {str(self.id)[:80]!r} is no number of evidence: give what stands behind a #, such as 12"
            raise ValueError(msg)
        return int(match[1])

    @property
    def place(self) -> tuple[int, int]:
        """Where to go on: which event, and which of its characters.

        :raises ValueError: if the cursor is none
        """
        match = _CURSOR.fullmatch(self.cursor or "0.0")
        if match is None:
            msg = f"cursor {str(self.cursor)[:80]!r} is none of this tool's: take it from the answer before, or leave it out"
            raise ValueError(msg)
        return int(match[1]), int(match[2])


class _Event(Struct):
    raw: str
    role: str = ""
    time: str = ""
    source: str = ""


class _Found(Struct):
    id: int
    service: str
    operation: str
    kind: str
    count: int
    events: list[_Event]


@dataclass(frozen=True, slots=True)
class _Page:
    """Events from a place on, the last of them perhaps cut.

    :param start: the first event, and the first of its characters
    :param end: the event behind the last, or the one that was cut, and how many of its characters were given
    """

    found: _Found
    start: tuple[int, int]
    end: tuple[int, int]

    @property
    def cursor(self) -> str | None:
        """Where the next page begins; None behind the last."""
        return None if self.end[0] >= len(self.found.events) else f"{self.end[0]}.{self.end[1]}"

    def answer(self) -> Answer:
        """Put it in words, and in an object."""
        found = self.found
        events = list(self._events())
        content: dict[str, Any] = {
            name: getattr(found, name) for name in ("id", "service", "operation", "kind", "count")
        }
        content["events"] = events
        if self.cursor is not None:
            content["cursor"] = self.cursor
        return Answer("\n".join(self._lines(events)) + "\n", content)

    def _events(self) -> Iterator[dict[str, Any]]:
        (first, skipped), (last, given) = self.start, self.end
        for number in range(first, min(last + (given > 0), len(self.found.events))):
            event = self.found.events[number]
            raw = event.raw[skipped if number == first else 0 : given if number == last else None]
            yield {"role": event.role, "time": event.time, "source": event.source, "raw": raw}

    def _lines(self, events: Sequence[dict[str, Any]]) -> Iterator[str]:
        found = self.found
        subject = " ".join(part for part in (found.service, found.operation, found.kind) if part)
        yield f"#{found.id} {subject}: {found.count} in all, {len(found.events)} kept"
        for event in events:
            yield ""
            yield " ".join(event[name] for name in ("role", "time", "source") if event[name])
            yield event["raw"]
        if self.cursor is not None:
            yield ""
            yield f"# more with cursor {self.cursor}"


async def evidence(account: Account, asked: Evidence) -> Answer:
    """Give the raw events, as many and as much of them as fit.

    :raises TraceNotFound: if the number was never given, or its events have expired
    :raises TokenBudgetExceeded: if not even a character of them fits
    :raises ValueError: if the number or the cursor is none
    """
    number, start = asked.number, asked.place
    encoding = asked.encoding or await account.encoding()
    _engine.count_tokens("", encoding)
    found = msgspec.json.decode(await account.evidence(number), type=_Found)
    for event in found.events:
        event.raw, event.source = tame(event.raw), tame(event.source)
    if start[0] >= len(found.events) or start[1] >= max(len(found.events[start[0]].raw), 1):
        msg = f"cursor {asked.cursor} is behind the last event: leave it out to begin anew"
        raise ValueError(msg)

    return await anyio.to_thread.run_sync(_page, found, start, asked.budget, encoding)


def _page(found: _Found, start: tuple[int, int], budget: int, encoding: str) -> Answer:
    """Give as many events as fit, and of the next one as much as does."""

    def fits(end: tuple[int, int]) -> bool:
        return _Page(found, start, end).answer().tokens(encoding) <= budget

    events = len(found.events)
    whole = longest(events - start[0], lambda count: fits((start[0] + count, 0)))
    last = start[0] + max(whole, 0)
    end = (last, 0)
    if last < events:
        before = start[1] if last == start[0] else 0
        more = longest(
            len(found.events[last].raw) - before - 1, lambda count: count == 0 or fits((last, before + count))
        )
        end = (last, before + more) if more > 0 else (last, before)
    if end == start:
        needed = _Page(found, start, (start[0], start[1] + 1)).answer().tokens(encoding)
        msg = f"a budget of {budget} tokens is too small for an event: ask for {needed} or more"
        raise TokenBudgetExceeded(msg)
    return _Page(found, start, end).answer()
