"""Read what the command line names, and say in one line why it cannot be read."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO, Final

from tracegist.cli._failure import Unreadable, Usage
from tracegist.errors import SourceError
from tracegist.sources._compressed import reading

__all__ = ["read_whole", "standard_input"]

_BLOCK: Final = 1 << 20


def standard_input() -> BinaryIO:
    """Open standard input for reading bytes.

    :raises Usage: if it is a terminal, where nothing would come
    """
    if sys.stdin is None or sys.stdin.closed:
        msg = "standard input is closed"
        raise Unreadable(msg)
    if sys.stdin.isatty():
        msg = "standard input is a terminal: pipe something into it, such as: cat app.log | tracegist … -"
        raise Usage(msg)
    return sys.stdin.buffer


def read_whole(path: str) -> bytes:
    """Read a file, or standard input for ``-``, decompressed if it is compressed.

    :raises Unreadable: if it cannot be read, or not to its end
    :raises Usage: if standard input is a terminal
    """
    name = "standard input" if path == "-" else path
    try:
        with nullcontext(standard_input()) if path == "-" else Path(path).open("rb") as file:
            read = reading(file.read, name)
            return b"".join(iter(lambda: read(_BLOCK), b""))
    except SourceError as error:
        raise Unreadable(str(error)) from None
    except (OSError, ValueError) as error:
        msg = f"{name}: {getattr(error, 'strerror', None) or error}"
        raise Unreadable(msg) from None
