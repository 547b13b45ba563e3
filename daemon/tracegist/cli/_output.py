"""Write results to standard output as UTF-8, whatever the locale says."""

from __future__ import annotations

import sys

__all__ = ["safe", "write"]


def write(content: str | bytes) -> None:
    """Write `content`, with a newline after it if it has none.

    :raises OSError: if standard output is closed or full
    """
    data = content if isinstance(content, bytes) else _encode(content)
    if not data.endswith(b"\n"):
        data += b"\n"
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _encode(text: str) -> bytes:
    try:
        # The name of a file may hold bytes that are no text; they go out as they came in.
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return text.encode(errors="replace")


def safe(text: str) -> str:
    """Keep what strangers wrote from steering the terminal."""
    return "".join(character if character.isprintable() or character in "\n\t" else "\ufffd" for character in text)
