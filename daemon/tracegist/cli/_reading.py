"""Read what the command line names, and say in one line why it cannot be read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

from tracegist.cli._failure import Unreadable, Usage

__all__ = ["read_whole", "standard_input"]


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
    """Read a file.

    :raises Unreadable: if it cannot be read
    """
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        msg = f"{path}: {getattr(error, 'strerror', None) or error}"
        raise Unreadable(msg) from None
