"""Contents that were read already: a file that is dropped again under another name is told by what is in it.

What is remembered is a list of hashes, the oldest first, which fits into the position of a stream: so it is committed together
with the state that the contents are in, and neither is ever without the other.
"""

from __future__ import annotations

import os
import stat as modes
from hashlib import blake2b
from typing import Final

from anyio import to_thread

__all__ = ["Contents", "hash_content"]

_STEP: Final = 32 << 20
_PIECE: Final = 1 << 20
_SIZE: Final = 16


class Contents:
    """So many contents at most; the oldest is forgotten first.

    :param most: how many
    :param text: as :meth:`encode` has written them
    """

    def __init__(self, most: int, text: str = "") -> None:
        self._most = most
        self._hashes = dict.fromkeys(text.split()[-most:])

    def __contains__(self, content: str) -> bool:
        """Whether it was read already."""
        return content in self._hashes

    def add(self, content: str) -> None:
        """Remember one."""
        self._hashes.pop(content, None)
        self._hashes[content] = None
        while len(self._hashes) > self._most:
            del self._hashes[next(iter(self._hashes))]

    def encode(self) -> str:
        """Write them as text."""
        return " ".join(self._hashes)


async def hash_content(path: str) -> str:
    """Hash the whole content of a file, its length included; empty if there is nothing in it, or it is no regular file.

    :raises OSError: if it cannot be read
    """
    hashed = blake2b(digest_size=_SIZE)
    descriptor = await to_thread.run_sync(_open, path)
    if descriptor is None:
        return ""
    total = 0
    try:
        # Not in one call, for the daemon may have to stop before a large file has been read.
        while read := await to_thread.run_sync(_feed, descriptor, hashed):
            total += read
    finally:
        os.close(descriptor)
    hashed.update(total.to_bytes(8, "big"))
    return hashed.hexdigest() if total else ""


def _open(path: str) -> int | None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | os.O_NOFOLLOW)
    if modes.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return None


def _feed(descriptor: int, hashed: blake2b) -> int:
    total = 0
    while total < _STEP and (piece := os.read(descriptor, _PIECE)):
        hashed.update(piece)
        total += len(piece)
    return total
