"""What can go wrong for a user, as one line on standard error and an exit code: never a traceback."""

from __future__ import annotations

import os
import sys
from typing import Final

from tracegist.errors import ConfigError, DaemonUnreachable, QueryError, TracegistError

__all__ = ["EXIT_CODES", "Unreadable", "Usage", "exit_code", "report"]

FAILED: Final = 1
USAGE: Final = 2
NO_DAEMON: Final = 3
UNREADABLE: Final = 4
CONFIG: Final = 5
INTERRUPTED: Final = 130
CLOSED_PIPE: Final = 141

EXIT_CODES: Final = """\
Exit codes:
    0    done
    1    it could not be done: budget too small, evidence gone, disk full
    2    the command line makes no sense
    3    no daemon answers on the socket
    4    a named file could not be read, or no event was found in any
    5    the configuration cannot be used
    130  interrupted by Ctrl-C
    141  whoever was reading the output went away"""


class Usage(TracegistError):
    """Raised when the command line cannot be carried out as it stands."""


class Unreadable(TracegistError):
    """Raised when nothing could be read of what was named."""


def exit_code(error: TracegistError) -> int:
    """Choose the code that tells a script what happened."""
    for kind, code in (
        (Usage, USAGE),
        (QueryError, USAGE),
        (Unreadable, UNREADABLE),
        (DaemonUnreachable, NO_DAEMON),
        (ConfigError, CONFIG),
    ):
        if isinstance(error, kind):
            return code
    return FAILED


def report(message: object) -> None:
    """Write one line to standard error, whatever is in the message; a query's word at fault and its caret in two more."""
    lines = str(message).split("\n") if isinstance(message, QueryError) else [" ".join(str(message).split())]
    text = "\n".join(_printable(line) for line in [f"tracegist: {lines[0]}", *lines[1:]])
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        # There is nowhere left to say it; the exit code says it.
        return


def _printable(line: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in line)


def discard_output() -> None:
    """Send what is still buffered nowhere, or the interpreter would complain about the closed pipe on its way out."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)
    except OSError:
        return
