"""Every error tracegist raises on purpose; each class says in a sentence when it is raised."""

from __future__ import annotations

__all__ = [
    "ConfigError",
    "DaemonRunning",
    "DaemonUnreachable",
    "SnapshotError",
    "SourceError",
    "TokenBudgetExceeded",
    "TraceNotFound",
    "TracegistError",
]


class TracegistError(Exception):
    """The base of all of them: catch it to catch whatever tracegist itself has to say."""


class TokenBudgetExceeded(TracegistError):
    """Raised when what must be said does not fit the token budget; the message names the smallest that would do."""


class TraceNotFound(TracegistError):
    """Raised when a file, a trace or a piece of evidence that was asked for is not there, or not any more."""


class SnapshotError(TracegistError):
    """Raised when the bytes of a snapshot are torn, damaged, or of a schema this version does not read."""


class ConfigError(TracegistError):
    """Raised when the configuration cannot be used; the message names the file and the path inside it."""


class DaemonRunning(TracegistError):
    """Raised when another daemon has the socket or the state folder already; the message says which process."""


class SourceError(TracegistError):
    """Raised when a source cannot be opened or read, and only that source: the others go on."""


class DaemonUnreachable(TracegistError):
    """Raised when no daemon answers on the socket; the message names the socket and how to start one."""
