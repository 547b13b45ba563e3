"""One daemon at a time in a state folder: two would commit over each other."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import structlog

from tracegist.errors import DaemonRunning

__all__ = ["lock_folder"]

_LOCK: Final = "lock"


@contextlib.contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Hold the folder, which is made if it is not there; the system lets go of it whatever ends this process.

    A folder that cannot be written to is not locked: nobody else can commit to it either, and the daemon can go on serving.

    :raises DaemonRunning: if another process holds it
    """
    path = folder / _LOCK
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        log = structlog.stdlib.get_logger(__name__)
        log.warning("state.not_locked", path=path, reason=error.strerror)
        yield
        return
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = file.read(20).decode("ascii", "replace").strip()
            msg = f"state folder {folder} is in use by pid {owner or 'unknown'}: stop that daemon, or choose another folder"
            raise DaemonRunning(msg) from None
        with contextlib.suppress(OSError):
            # For the message above alone, which can do without it on a full disk.
            file.truncate(0)
            file.write(b"%d\n" % os.getpid())
        yield
