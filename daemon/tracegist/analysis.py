"""The engine for a program's own events: feed an :class:`Analyzer`, or hand whole files to :func:`analyze_trace`."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import Final, Literal, Protocol, TypeAlias, runtime_checkable

import msgspec

from tracegist import _engine
from tracegist._config.units import Duration
from tracegist._otlp import encode
from tracegist.errors import SourceError
from tracegist.event import Event
from tracegist.query import Answer, Listed, Query

__all__ = [
    "Analysis",
    "Analyzer",
    "Attribute",
    "Fact",
    "Ledger",
    "Length",
    "Reason",
    "TraceAnalyzer",
    "Verdict",
    "Window",
    "analyze_trace",
]

Length: TypeAlias = str | timedelta | Duration
"""A length of time: ``"5m"``, a timedelta, or a Duration."""

_OWN: Final = "program"
_BATCH: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The stretch of event time that an analysis speaks of.

    :param since: RFC 3339, UTC
    :param until: RFC 3339, UTC
    :param seconds: its length
    :param baseline_seconds: length of the stretch before it that it is compared with; 0 where there is none
    """

    since: str = ""
    until: str = ""
    seconds: float = 0
    baseline_seconds: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """What most of the bad calls of a verdict have in common, and few of the others.

    :param bad: what is bad of the calls: ``failing`` or ``slow``
    :param key: the attribute's key
    :param value: its value
    :param also: ``key=value`` of others that the same calls have
    :param of_bad: its share among the bad calls: 0 to 1
    :param of_all: its share among all
    :param looked_at: bad calls that were looked at to tell
    :param exact: whether all calls were; else the shares are within about ``1 / sqrt(looked_at)``
    """

    bad: str = ""
    key: str = ""
    value: str = ""
    also: tuple[str, ...] = ()
    of_bad: float = 0
    of_all: float = 0
    looked_at: int = 0
    exact: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is wrong and where it comes from.

    :param service: the service at fault
    :param operation: its operation, message or callee that shows it most
    :param kind: ``slow``, ``network``, ``failing``, ``errors``, ``stopped`` or ``new``
    :param since: RFC 3339, UTC; None where it cannot be told
    :param severity: 0 to 1
    :param confidence: 0 to 1
    :param before: in the baseline: ns for ``slow`` and ``network``, a share for ``failing``, else events a call
    :param after: the same, in the window
    :param evidence: numbers for :meth:`Analyzer.evidence`
    :param victims: services that suffer with it
    :param alternative: another service that explains it about as well; None where the evidence tells
    :param attribute: what sets its bad calls apart from the rest; None where nothing does
    """

    service: str
    operation: str
    kind: str
    since: str | None = None
    severity: float = 0
    confidence: float = 0
    before: float | None = None
    after: float | None = None
    evidence: tuple[int, ...] = ()
    victims: tuple[str, ...] = ()
    alternative: str | None = None
    attribute: Attribute | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One statement that stands in the text.

    :param section: the section it stands in
    :param service: whom it is about
    :param operation: what of it
    :param measure: what is measured
    :param before: in the baseline; None where there is none
    :param after: in the window
    :param since: RFC 3339, UTC; None where it cannot be told
    :param weight: what it is worth against others
    :param evidence: a number for :meth:`Analyzer.evidence`
    :param tokens: tokens of its line
    :param text: its line
    """

    section: str
    service: str = ""
    operation: str = ""
    measure: str = ""
    before: float | None = None
    after: float | None = None
    since: str | None = None
    weight: float = 0
    evidence: int | None = None
    tokens: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why records were rejected.

    :param count: records
    :param bytes: their bytes
    :param stream: where the first one stood
    :param offset: and where in it
    :param detail: what was found there, in words
    :param sample: its first bytes, with secrets taken out
    """

    count: int = 0
    bytes: int = 0
    stream: str = ""
    offset: int = 0
    detail: str = ""
    sample: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What became of every byte.

    :param bytes: read: ``parsed_bytes`` and ``rejected_bytes``
    :param records: read
    :param events: decoded
    :param rejected: records that could not be read
    :param dropped: events let go unread
    :param evicted: spans, sets of evidence, series, streams and what was remembered of them let go to stay within the limits
    :param coarsened: times that a timeline became coarser to stay within the limits
    :param unpaired: calls of which only the beginning or the end was seen
    :param other: events counted together because there was no room for a series of their own
    :param late: events that came after their time was no longer kept apart
    :param ahead: events ahead of the time they were received by more than a day
    :param reasons: why records were rejected
    """

    bytes: int = 0
    parsed_bytes: int = 0
    rejected_bytes: int = 0
    records: int = 0
    events: int = 0
    rejected: int = 0
    dropped: int = 0
    evicted: int = 0
    coarsened: int = 0
    unpaired: int = 0
    other: int = 0
    late: int = 0
    ahead: int = 0
    reasons: Mapping[str, Reason] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What happened, within a budget.

    :param text: the summary, in lines; what came from events is quoted, cut and freed of secrets
    :param tokens: tokens of the text, exactly as tiktoken counts them
    :param budget: tokens that were allowed
    :param encoding: whose tokens
    :param window: the stretch it speaks of
    :param verdicts: what is wrong, the gravest first; empty where nothing is
    :param facts: the statements that stand in the text, in order
    :param left_out: statements that found no room
    :param ledger: what became of every byte
    """

    text: str
    tokens: int
    budget: int
    encoding: str
    window: Window
    verdicts: tuple[Verdict, ...]
    facts: tuple[Fact, ...]
    ledger: Ledger
    left_out: int = 0

    @classmethod
    def from_json(cls, data: bytes | str) -> Analysis:
        """Read what the engine, the daemon and ``tracegist summarize --format json`` write.

        :raises ValueError: if it is something else
        """
        return msgspec.json.decode(data, type=cls)

    def __str__(self) -> str:
        """Return the text."""
        return self.text


@runtime_checkable
class TraceAnalyzer(Protocol):
    """What takes events and gives an account of them: :class:`Analyzer`, or one of your own."""

    def feed(self, events: Event | Iterable[Event], /) -> int:
        """Take events; return how many."""

    def analysis(self, *, budget: int | None = None, focus: str | None = None) -> Analysis:
        """Give the account of everything fed so far."""


class Analyzer:
    """An engine of a program's own: bounded in memory, safe to use from any number of threads.

    >>> from tracegist import Analyzer, Event
    >>> analyzer = Analyzer(budget=300)
    >>> analyzer.feed(Event(kind="log", service="cart", level="error", message="no route to redis"))
    1
    >>> analysis = analyzer.analysis()
    >>> analysis.tokens <= analysis.budget == 300
    True
    >>> analysis.ledger.events
    1

    :param budget: tokens of an analysis, unless it asks for others
    :param encoding: whose tokens: ``o200k_base`` or ``cl100k_base``
    :param window: the stretch of event time, up to the newest event, that an analysis speaks of
    :param baseline: the stretch before it that it is compared with
    :param host: the name that stands in the header; empty leaves it out
    :raises ValueError: if the encoding is unknown or a length cannot be read
    """

    def __init__(
        self,
        *,
        budget: int = 1000,
        encoding: str = "o200k_base",
        window: Length = "5m",
        baseline: Length = "1h",
        host: str = "",
    ) -> None:
        _engine.count_tokens("", encoding)
        self.budget = budget
        self.encoding = encoding
        self._window = _nanoseconds(window)
        self._baseline = _nanoseconds(baseline)
        self._engine = _engine.Engine(host=host)

    def feed(self, events: Event | Iterable[Event], /) -> int:
        """Take one event or many, in the order in which they ended.

        :return: how many
        """
        taken = 0
        rest = iter((events,) if isinstance(events, Event) else events)
        while batch := tuple(islice(rest, _BATCH)):
            now = time.time_ns()
            taken += self._engine.ingest(_OWN, encode(batch, now=now), received=now, format="otlp")[0]
        return taken

    def feed_bytes(self, data: bytes, *, stream: str = "bytes", format: str | None = None) -> tuple[int, int]:
        """Take whole records of any format that the engine knows.

        :param stream: names one ordered sequence of bytes; its format is remembered
        :param format: the format's name, or None to tell it by content
        :return: events decoded, and records rejected
        """
        events, rejected, _ = self._engine.ingest(stream, data, received=time.time_ns(), format=format)
        return events, rejected

    def feed_files(self, *paths: str | os.PathLike[str], format: str | None = None) -> tuple[int, int]:
        """Take whole files, those furthest behind in event time first; gzip, zstd, xz and bzip2 are unpacked.

        :param format: the format's name, or None to tell it by content
        :return: events decoded, and records rejected
        :raises TraceNotFound: if a file is not there
        :raises SourceError: if a file cannot be read, or not to its end; what was read of it, and the others, count
        """
        from tracegist.offline import ingest_paths  # noqa: PLC0415 - reading is not needed for a program's own events

        files = ingest_paths(self._engine, paths, format=format)
        if damage := next((file.damage for file in files if file.damage), ""):
            raise SourceError(damage)
        return sum(file.events for file in files), sum(file.rejected for file in files)

    def analysis(
        self,
        *,
        budget: int | None = None,
        focus: str | None = None,
        sections: Sequence[str] | None = None,
        window: Length | None = None,
        baseline: Length | None = None,
    ) -> Analysis:
        """Give the account of everything fed so far.

        :param budget: tokens; None for the analyzer's own
        :param focus: only facts whose service, operation or message contains this text
        :param sections: only these sections, by name
        :raises TokenBudgetExceeded: if the header alone does not fit; the message names the smallest budget
        :raises ValueError: if a section is unknown
        """
        answer = self._engine.summary(
            budget=self.budget if budget is None else budget,
            encoding=self.encoding,
            window=self._window if window is None else _nanoseconds(window),
            baseline=self._baseline if baseline is None else _nanoseconds(baseline),
            focus=focus,
            sections=None if sections is None else list(sections),
        )
        return Analysis.from_json(answer)

    def query(
        self,
        what: str | None = None,
        *,
        where: str | None = None,
        of: str | None = None,
        since: str | None = None,
        until: str | None = None,
        group_by: Listed | None = None,
        select: Listed | None = None,
        order_by: Listed | None = None,
        limit: int | None = None,
        compare: str | None = None,
        budget: int | None = None,
        cursor: str | None = None,
        format: Literal["text", "csv"] | None = None,
    ) -> Answer:
        """Answer a question, within a budget of tokens: the fields are those of :class:`tracegist.query.Query`.

        :param budget: tokens; None for the analyzer's own
        :raises QueryError: if a word makes no sense, or asks for what was never kept; the message points at it
        :raises TokenBudgetExceeded: if not even one row fits
        :raises TraceNotFound: if what is asked for is not there, or not any more
        """
        question = Query(
            what=what,
            where=where,
            of=of,
            since=since,
            until=until,
            group_by=group_by,
            select=select,
            order_by=order_by,
            limit=limit,
            compare=compare,
            budget=self.budget if budget is None else budget,
            encoding=self.encoding,
            cursor=cursor,
            format=format,
        )
        return Answer.from_json(self._engine.query(question.to_json()))

    def evidence(self, number: int) -> tuple[str, ...]:
        """Return the raw events behind ``#number``, secrets taken out.

        :raises TraceNotFound: if the number was never given, or its events have expired
        """
        found = msgspec.json.decode(self._engine.evidence(number), type=_Evidence)
        return tuple(event.raw for event in found.events)

    def snapshot(self) -> bytes:
        """Return the whole state, to be merged elsewhere or kept."""
        return self._engine.snapshot()

    def merge(self, snapshot: bytes) -> None:
        """Add the state of another analyzer, or of a daemon.

        :raises SnapshotError: if the bytes are damaged or of an unknown version
        """
        self._engine.merge(snapshot)


class _EvidenceEvent(msgspec.Struct):
    raw: str


class _Evidence(msgspec.Struct):
    events: tuple[_EvidenceEvent, ...]


def analyze_trace(
    *paths: str | os.PathLike[str],
    budget: int = 1000,
    encoding: str = "o200k_base",
    window: Length = "5m",
    baseline: Length = "1h",
    focus: str | None = None,
    sections: Sequence[str] | None = None,
) -> Analysis:
    r"""Say what happened in these files, within a budget of tokens.

    >>> import pathlib, tempfile
    >>> from tracegist import analyze_trace
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = pathlib.Path(folder, "app.log")
    ...     _ = log.write_text("2026-01-01T00:00:00Z ERROR upstream timed out\n" * 20)
    ...     analysis = analyze_trace(log, budget=500)
    >>> analysis.ledger.events, analysis.tokens <= 500
    (20, True)

    :param paths: files of any format that the engine knows
    :param budget: tokens the text may take
    :raises TraceNotFound: if a file is not there
    :raises SourceError: if a file cannot be read
    :raises TokenBudgetExceeded: if the header alone does not fit
    """
    analyzer = Analyzer(budget=budget, encoding=encoding, window=window, baseline=baseline)
    analyzer.feed_files(*paths)
    return analyzer.analysis(focus=focus, sections=sections)


def _nanoseconds(length: Length) -> int:
    if isinstance(length, str):
        return int(Duration.parse(length))
    if isinstance(length, timedelta):
        return length // timedelta(microseconds=1) * 1000
    return int(length)
