"""What the daemon says of itself, on standard error: structlog's events and the standard library's records in one stream.

Under journald each line is JSON behind its priority (``<6>``, see sd-daemon(3)), in a terminal it is coloured, anywhere else
it is JSON with a timestamp. Events have names such as ``commit.failed``; what belongs to them stands in the other fields.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TextIO

import structlog

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

    from tracegist.config import Log

__all__ = ["configure", "is_journal"]

_PRIORITIES: Final = {"critical": 2, "error": 3, "warning": 4, "info": 6, "debug": 7}
# They tell their users about every request and every change of a file; what matters of it, the daemon says itself.
_TALKATIVE: Final = ("uvicorn", "watchfiles", "asyncio", "httpx", "mcp")


def configure(log: Log, *, stream: TextIO | None = None, environ: Mapping[str, str] | None = None) -> None:
    """Send everything that is logged from now on to `stream`; may be called again with another level or format.

    :param log: the section of the configuration
    :param stream: where to write; None for standard error
    :param environ: the environment; None for the process's own
    """
    stream = sys.stderr if stream is None else stream
    journal = is_journal(stream, os.environ if environ is None else environ)
    shared: list[Processor] = [structlog.stdlib.add_log_level, structlog.stdlib.ExtraAdder(), _flatten]
    if not journal:
        shared.append(structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"))
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(log.format, journal=journal, terminal=stream.isatty()),
            ],
        )
    )
    level = logging.getLevelNamesMapping()[log.level.upper()]
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    # A log that cannot be written (its disk is full, its reader gone) must not stop what is logged about.
    logging.raiseExceptions = False
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Tell whether `stream` is the one that systemd connected to the journal: JOURNAL_STREAM names its device and inode."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def _renderers(chosen: str, *, journal: bool, terminal: bool) -> list[Processor]:
    if chosen == "console" or (chosen == "auto" and terminal and not journal):
        return [structlog.dev.ConsoleRenderer(colors=terminal, timestamp_key="time", pad_event_to=24)]
    render = structlog.processors.JSONRenderer(ensure_ascii=False)

    def render_with_priority(logger: WrappedLogger, method: str, event: EventDict) -> str:
        # What the journal keeps is worth little without its priority: `journalctl -p warning` goes by it.
        return f"<{_PRIORITIES.get(event.get('level', method), 6)}>{render(logger, method, event)!s}"

    return [structlog.processors.format_exc_info, render_with_priority if journal else render]


def _flatten(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """File names and messages are written by strangers: no escape sequence or line break of theirs reaches a terminal."""
    for key, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            text = value.rstrip("\n")
            event[key] = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
        elif isinstance(value, os.PathLike):
            event[key] = str(value)
    return event
