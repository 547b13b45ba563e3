"""Record a program's own spans and log records while it runs, and ask at any moment what they amount to."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tracegist.event import Event, Kind, Level

if TYPE_CHECKING:
    from tracegist.analysis import Analysis, TraceAnalyzer

__all__ = ["TraceSession", "trace_session"]

_BATCH: Final = 256


@dataclass(frozen=True, slots=True)
class _Open:
    """A span that has begun."""

    session: str
    trace: str
    span: str


# Which span a task is in; asyncio and threads each have their own, which is what a context variable is for.
_current: ContextVar[_Open | None] = ContextVar("tracegist_current_span", default=None)


class TraceSession:
    """What :func:`trace_session` gives: spans and log records go in, analyses come out.

    :param name: the service that the events are of
    :param analyzer: what they are fed to
    """

    def __init__(self, name: str, analyzer: TraceAnalyzer) -> None:
        self.name = name
        self.analyzer = analyzer
        self._id = _random(8)
        self._pending: list[Event] = []
        self._lock = threading.Lock()

    @contextmanager
    def span(self, operation: str, *, kind: Kind = "internal", **attributes: object) -> Iterator[None]:
        """Record what happens inside as a span, a child of the span around it; an exception makes it a failed one.

        :param operation: what is done; keep it free of ids, or each call is an operation of its own
        :param attributes: what else is known
        """
        around = self._around()
        inside = _Open(self._id, around.trace if around else _random(16), _random(8))
        token = _current.set(inside)
        began = time.perf_counter_ns()
        failure = ""
        try:
            yield
        except Exception as error:
            failure = f"{type(error).__name__}: {error}"
            raise
        finally:
            _current.reset(token)
            self._record(
                Event(
                    kind=kind,
                    time=time.time_ns(),
                    duration=time.perf_counter_ns() - began,
                    service=self.name,
                    operation=operation,
                    message=failure,
                    failed=bool(failure),
                    trace=inside.trace,
                    span=inside.span,
                    parent=around.span if around else "",
                    attributes=attributes,
                )
            )

    def log(self, message: str, *, level: Level = "info", logger: str = "", **attributes: object) -> None:
        """Record a log record in the span around it.

        :param message: its text
        :param level: how grave it is
        :param logger: who wrote it
        :param attributes: what else is known
        """
        around = self._around()
        self._record(
            Event(
                kind="log",
                time=time.time_ns(),
                service=self.name,
                operation=logger,
                message=message,
                level=level,
                failed=level in {"error", "fatal"},
                trace=around.trace if around else "",
                span=around.span if around else "",
                attributes=attributes,
            )
        )

    def logging_handler(self) -> logging.Handler:
        """Return a handler that records what the standard library's loggers write.

        >>> import anyio, logging
        >>> from tracegist import trace_session
        >>> async def program():
        ...     async with trace_session("cart") as session:
        ...         logger = logging.getLogger("cart.store")
        ...         logger.addHandler(handler := session.logging_handler())
        ...         logger.error("no route to %s", "redis")
        ...         logger.removeHandler(handler)
        ...         return session.analysis(budget=300).ledger.events
        >>> anyio.run(program)
        1
        """
        return _Handler(self)

    def analysis(self, *, budget: int | None = None, focus: str | None = None) -> Analysis:
        """Say what has happened so far, within a budget of tokens.

        :raises TokenBudgetExceeded: if the header alone does not fit
        """
        self.flush()
        return self.analyzer.analysis(budget=budget, focus=focus)

    def flush(self) -> None:
        """Feed what has been recorded to the analyzer; this happens by itself every few hundred events."""
        with self._lock:
            pending, self._pending = self._pending, []
        if pending:
            self.analyzer.feed(pending)

    def _around(self) -> _Open | None:
        around = _current.get()
        return around if around is not None and around.session == self._id else None

    def _record(self, event: Event) -> None:
        with self._lock:
            self._pending.append(event)
            full = len(self._pending) >= _BATCH
        if full:
            self.flush()


class _Handler(logging.Handler):
    def __init__(self, session: TraceSession) -> None:
        super().__init__()
        self._session = session

    def emit(self, record: logging.LogRecord) -> None:
        """Record a log record; one that cannot be formatted is left to :meth:`logging.Handler.handleError`."""
        try:
            self._session.log(record.getMessage(), level=_level(record.levelno), logger=record.name)
        except Exception:  # noqa: BLE001 - logging must not take the program down
            self.handleError(record)


def _level(number: int) -> Level:
    steps: tuple[tuple[int, Level], ...] = (
        (logging.CRITICAL, "fatal"),
        (logging.ERROR, "error"),
        (logging.WARNING, "warn"),
        (logging.INFO, "info"),
        (logging.DEBUG, "debug"),
    )
    return next((level for least, level in steps if number >= least), "trace")


def _random(size: int) -> str:
    """Random ids, as W3C Trace Context wants them: not all zero, which 8 bytes never are in practice."""
    return os.urandom(size).hex()


@asynccontextmanager
async def trace_session(name: str, *, analyzer: TraceAnalyzer | None = None) -> AsyncIterator[TraceSession]:
    """Record a program's own spans and log records for as long as the context lasts.

    >>> import anyio
    >>> from tracegist import trace_session
    >>> async def program():
    ...     async with trace_session("cart") as session:
    ...         for _ in range(10):
    ...             with session.span("load cart", user="ann"):
    ...                 session.log("cache miss", level="warn")
    ...         return session.analysis(budget=300)
    >>> analysis = anyio.run(program)
    >>> analysis.ledger.events, analysis.tokens <= 300
    (20, True)

    :param name: the service that the events are of
    :param analyzer: what they are fed to; None for an :class:`~tracegist.Analyzer` of its own
    """
    if analyzer is None:
        from tracegist.analysis import Analyzer  # noqa: PLC0415 - the native engine is loaded when it is needed

        analyzer = Analyzer()
    session = TraceSession(name, analyzer)
    try:
        yield session
    finally:
        session.flush()
