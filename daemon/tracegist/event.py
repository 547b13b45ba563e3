"""The one shape that every format decodes into, as Python sees it: a span, or a log record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

__all__ = ["Event", "Kind", "Level"]

Kind: TypeAlias = Literal["internal", "server", "client", "producer", "consumer", "log"]
"""A span by its role, or a log record."""

Level: TypeAlias = Literal["", "trace", "debug", "info", "warn", "error", "fatal"]
"""How grave a log record says it is; empty where it does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One span or log record.

    >>> from tracegist import Event
    >>> event = Event(kind="server", service="cart", operation="GET /cart", duration=12_000_000)
    >>> event.failed
    False

    :param kind: a span by its role, or ``"log"``
    :param time: nanoseconds since the epoch: a span's end, a log record's own time; None for the time it is fed
    :param duration: nanoseconds a span took; None for what takes no time
    :param service: who did it
    :param operation: what was done: a span's name, a log record's logger
    :param message: a log record's text, or why a span failed
    :param level: a log record's severity
    :param failed: whether the span's status is an error, or the record's level is error or above
    :param trace: the trace it belongs to: 32 hex digits, or empty
    :param span: its own span, or the span a log record was written in: 16 hex digits, or empty
    :param parent: the span's parent: 16 hex digits, or empty
    :param attributes: what else is known, by OpenTelemetry's names where it has one
    """

    kind: Kind = "internal"
    time: int | None = None
    duration: int | None = None
    service: str = ""
    operation: str = ""
    message: str = ""
    level: Level = ""
    failed: bool = False
    trace: str = ""
    span: str = ""
    parent: str = ""
    # What stands in a record may be any JSON value.
    attributes: Mapping[str, Any] = field(default_factory=dict)
