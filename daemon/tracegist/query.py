"""Questions to the engine, as every face carries them: the fields of a query, and its answer.

>>> from tracegist import Analyzer, Event
>>> analyzer = Analyzer()
>>> analyzer.feed([Event(service="shop", operation="POST /pay", duration=2_000_000, failed=True)])
1
>>> answer = analyzer.query(where="status=error", group_by="service", select="count")
>>> answer.records()
[{'service': 'shop', 'count': 1, 'evidence': 1}]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

__all__ = ["Answer", "Column", "Exactness", "Listed", "Query", "Stretch", "Value", "facts_as_configured"]

Listed: TypeAlias = str | Sequence[str]
"""Several words: text with commas between them, or a sequence."""

Value: TypeAlias = str | int | float | None
"""A value of a row; which unit it has is said by its column."""


class Query(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A question: what is None is as the engine has it. The engine alone judges what it says.

    :param what: what is asked for: ``series``, ``edges``, ``templates`` …; `docs/query.md` has them all
    :param where: which events: terms with spaces between them, such as ``service=pay* status=error "timed out"``
    :param of: whom it is about, where a question needs one: a trace id or its beginning, ``#12``, two services, a template
    :param since: from when: ``5m`` before the newest event, ``14:02``, RFC 3339, ``all``
    :param until: until when: likewise, or ``now``
    :param group_by: dimensions, a row for each combination
    :param select: measures, a column each
    :param order_by: columns to sort by; ``-`` in front for the largest first, ``+`` for the smallest
    :param limit: rows of a page at most
    :param compare: what to compare with: ``baseline``, a length before the window such as ``10m``, or ``FROM..TO``
    :param budget: tokens that the text may take
    :param encoding: whose tokens
    :param cursor: where to go on: as the page before gave it, with the same question
    :param format: how the text is written: ``text`` or ``csv``
    """

    what: str | None = None
    where: str | None = None
    of: str | None = None
    since: str | None = None
    until: str | None = None
    group_by: Listed | None = None
    select: Listed | None = None
    order_by: Listed | None = None
    limit: int | None = None
    compare: str | None = None
    budget: int | None = None
    encoding: str | None = None
    cursor: str | None = None
    format: Literal["text", "csv"] | None = None

    def to_json(self) -> bytes:
        """Write it as the engine reads it."""
        return msgspec.json.encode(self)


def facts_as_configured(question: Mapping[str, Any], *, window: int, baseline: int) -> dict[str, Any]:
    """Ask for facts of the same window as the summary, against the same baseline; other questions stay as they are.

    :param question: the fields of a query
    :param window: nanoseconds
    :param baseline: nanoseconds
    """
    asked = dict(question)
    if asked.get("what") == "facts" and asked.get("since") is None:
        asked["since"] = f"{int(window)}ns"
        if asked.get("compare") is None and baseline > 0:
            asked["compare"] = f"{int(baseline)}ns"
    return asked


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of event time.

    :param since: RFC 3339, UTC
    :param until: RFC 3339, UTC
    :param seconds: its length
    """

    since: str
    until: str
    seconds: int


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column of the rows.

    :param name: its name
    :param unit: ``text``, ``count``, ``1/min``, ``share``, ``ns``, ``time`` (RFC 3339, UTC) or ``evidence``
    """

    name: str
    unit: str


class Exactness(msgspec.Struct, frozen=True, kw_only=True):
    """How exact an answer is.

    :param exact: whether all of its values are
    :param error: the share of itself that a time may be off by; counts are exact
    :param notes: what else a reader must know
    """

    exact: bool
    error: float
    notes: tuple[str, ...] = ()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that fits its budget.

    :param what: what was asked for
    :param text: lines of few tokens
    :param tokens: tokens of the text, exactly as tiktoken counts them
    :param budget: tokens that were allowed
    :param encoding: whose tokens
    :param window: the stretch of time that it speaks of
    :param compared: the one that it compares with, if it does
    :param columns: the columns of the rows
    :param rows: the rows that stand in the text: values by column
    :param totals: values of all rows together, by column; None where there is none
    :param total_rows: all rows
    :param position: rows before this page
    :param left_out: rows after this page
    :param left_out_totals: what those add up to, by column; None where nothing adds up
    :param cursor: goes on behind this page, with the same question; None at the end
    :param exactness: how exact it is
    """

    what: str
    text: str
    tokens: int
    budget: int
    encoding: str
    window: Stretch
    compared: Stretch | None
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    totals: tuple[Value, ...]
    total_rows: int
    position: int
    left_out: int
    left_out_totals: tuple[Value, ...]
    cursor: str | None
    exactness: Exactness

    @classmethod
    def from_json(cls, data: bytes) -> Answer:
        """Read what the engine or the daemon answered."""
        return msgspec.json.decode(data, type=cls)

    def records(self) -> list[dict[str, Value]]:
        """Give each row as a dictionary by the names of the columns."""
        names = [column.name for column in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]
