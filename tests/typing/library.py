"""The public names as a typed program uses them: checked by mypy, never run."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import assert_type

from tracegist import (
    Analysis,
    Analyzer,
    Answer,
    BudgetAwareSummarizer,
    Event,
    Query,
    TokenBudgetQueue,
    TokenCounter,
    TraceAnalyzer,
    analyze_trace,
    stream_events,
    trace_session,
)
from tracegist.analysis import Fact, Ledger, Verdict


class Own:
    """An analyzer of one's own has these two methods and need not know of ours."""

    def feed(self, events: Event | Iterable[Event], /) -> int:
        """Take events."""
        raise NotImplementedError

    def analysis(self, *, budget: int | None = None, focus: str | None = None) -> Analysis:
        """Give the account."""
        raise NotImplementedError


def files(path: Path) -> None:
    """Whole files in, an account out."""
    analysis = analyze_trace(path, "b.jsonl", budget=500, window="5m", baseline=timedelta(hours=1), focus="cart")
    assert_type(analysis, Analysis)
    assert_type(analysis.verdicts, tuple[Verdict, ...])
    assert_type(analysis.facts, tuple[Fact, ...])
    assert_type(analysis.ledger, Ledger)
    assert_type(list(stream_events(path, "otlp")), list[Event])


def questions(analyzer: Analyzer) -> None:
    """A question in, an answer out; lists are text or sequences."""
    answer = analyzer.query("series", where="status=error", group_by=["service"], select="count", limit=3)
    assert_type(answer, Answer)
    assert_type(answer.cursor, str | None)
    assert_type(answer.records(), list[dict[str, str | int | float | None]])
    assert_type(Query(where="service=cart").to_json(), bytes)


async def events(path: Path) -> None:
    """Both kinds of loop, a session, and what keeps to a budget."""
    assert_type([event async for event in stream_events(path)], list[Event])
    analyzer: TraceAnalyzer = Analyzer(budget=300)
    async with trace_session("cart", analyzer=analyzer) as session:
        with session.span("load", kind="client", user="ann"):
            session.log("cache miss", level="warn")
        assert_type(session.analysis(), Analysis)
    assert_type(BudgetAwareSummarizer(Own(), budget=100).prompt("{summary}"), str)
    assert_type(TokenCounter().count("text"), int)


async def queue(numbers: TokenBudgetQueue[int]) -> None:
    """The queue gives back what was put in."""
    await numbers.put(1)
    assert_type(await numbers.get(), int)
    async for number in numbers:
        assert_type(number, int)


def mistakes() -> None:
    """What mypy has to refuse: an unused ignore is an error of its own."""
    Event(kind="nonsense")  # type: ignore[arg-type]
    Event().failed = True  # type: ignore[misc]
    Query(limit="3")  # type: ignore[arg-type]
    Analyzer(window=300)  # type: ignore[arg-type]
    BudgetAwareSummarizer(object(), budget=1)  # type: ignore[arg-type]
