"""Every error tracegist raises on purpose; each class says in a sentence when it is raised."""

from __future__ import annotations

__all__ = [
    "ConfigError",
    "DaemonRunning",
    "DaemonUnreachable",
    "QueryError",
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


class QueryError(TracegistError):
    """Raised when a query makes no sense or asks for what was never kept; the message points at the word, in lines.

    :param message: what was found and what to do; where a word is at fault, its field and a caret follow in lines of their own
    :param field: the field of the query
    :param text: all of that field
    :param at: where the word begins in it, in characters
    :param suggestion: the nearest known word, None where none is near
    """

    def __init__(
        self, message: str, field: str = "", text: str = "", at: int = 0, suggestion: str | None = None
    ) -> None:
        super().__init__(message)
        self.field = field
        self.text = text
        self.at = at
        self.suggestion = suggestion


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
