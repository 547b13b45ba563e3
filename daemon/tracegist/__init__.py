"""tracegist: what happens on a trace host, within a budget of tokens.

The same engine as the daemon's, for a program's own events and files:

- :func:`analyze_trace` says what happened in files;
- :class:`Analyzer` takes :class:`Event` objects or bytes and gives an :class:`Analysis`;
- :func:`trace_session` records a program's spans and log records;
- :func:`stream_events` reads events out of a file, with ``for`` or ``async for``;
- :class:`TokenCounter`, :class:`TokenBudgetQueue` and :class:`BudgetAwareSummarizer` keep to a budget.

Importing the package loads nothing; a name loads what it needs when it is first used (PEP 562).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracegist.analysis import Analysis, Analyzer, TraceAnalyzer, analyze_trace
    from tracegist.budget import BudgetAwareSummarizer, TokenBudgetQueue
    from tracegist.errors import QueryError, TokenBudgetExceeded, TracegistError, TraceNotFound
    from tracegist.event import Event
    from tracegist.query import Answer, Query
    from tracegist.session import trace_session
    from tracegist.stream import stream_events
    from tracegist.tokens import TokenCounter

__all__ = [
    "Analysis",
    "Analyzer",
    "Answer",
    "BudgetAwareSummarizer",
    "Event",
    "Query",
    "QueryError",
    "TokenBudgetExceeded",
    "TokenBudgetQueue",
    "TokenCounter",
    "TraceAnalyzer",
    "TraceNotFound",
    "TracegistError",
    "analyze_trace",
    "stream_events",
    "trace_session",
]

_HOMES = {
    "Analysis": "analysis",
    "Analyzer": "analysis",
    "Answer": "query",
    "BudgetAwareSummarizer": "budget",
    "Event": "event",
    "Query": "query",
    "QueryError": "errors",
    "TokenBudgetExceeded": "errors",
    "TokenBudgetQueue": "budget",
    "TokenCounter": "tokens",
    "TraceAnalyzer": "analysis",
    "TraceNotFound": "errors",
    "TracegistError": "errors",
    "analyze_trace": "analysis",
    "stream_events": "stream",
    "trace_session": "session",
}


def __getattr__(name: str) -> object:
    """Import what a public name needs, once."""
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module  # noqa: PLC0415

    value = getattr(import_module(f"tracegist.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
