"""The folder of a spool: what was dropped into it, and where that goes when it has been read. Blocks: for worker threads."""

from __future__ import annotations

import os
import stat as modes
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from tracegist.sources._identity import printable

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from tracegist.sources._base import Progress
    from tracegist.sources._reader import RecordReader

__all__ = ["Drop", "SpoolFolder", "failure"]

_UNFINISHED: Final = (".tmp", ".part")
_REASON: Final = ".reason"


@dataclass(slots=True, eq=False)
class Drop:
    """A file in the folder.

    :param looked: when it was last found changed
    :param trouble: why it cannot be read, or not to its end
    :param over: whether it has been read as far as it ever will be
    :param content: a hash of all that is in it; empty if it is not asked for
    """

    stream: str
    path: str
    inode: int
    size: int
    mtime: int
    looked: float
    reader: RecordReader | None = None
    offset: int = 0
    trouble: str = ""
    over: bool = False
    content: str = ""


class SpoolFolder:
    """The folder, with ``done`` and ``failed`` in it.

    :param source: name of the source, for the log
    :param path: absolute
    """

    def __init__(self, source: str, path: str) -> None:
        self.path = path
        self._told: set[str] = set()
        self._log: FilteringBoundLogger = structlog.get_logger().bind(source=source)

    def make(self) -> None:
        """Make the folders that are not there.

        :raises OSError: if that is not possible
        """
        for name in ("", "done", "failed"):
            os.makedirs(os.path.join(self.path, name), exist_ok=True)

    def list(self) -> list[tuple[str, os.stat_result]]:
        """All that was dropped, oldest first."""
        found = []
        with os.scandir(self.path) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.name.endswith(_UNFINISHED):
                    continue
                try:
                    stat = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if not modes.S_ISDIR(stat.st_mode):
                    found.append((entry.path, stat))
        return sorted(found, key=lambda one: (one[1].st_mtime_ns, one[0]))

    def move(self, drop: Drop, known: Progress | None) -> bool:
        """Move a file to where it belongs, with the reason beside it if it failed; tell whether that was done."""
        name = os.path.basename(drop.path)
        reason = failure(drop, known)
        folder = os.path.join(self.path, "failed" if reason else "done")
        try:
            if os.lstat(drop.path).st_ino != drop.inode:
                # Another file has been given its name; that one is still to be read.
                return True
            os.makedirs(folder, exist_ok=True)
            target = _free(folder, name)
            if reason:
                Path(target + _REASON).write_text(f"{printable(drop.path)}: {reason}\n")
            os.rename(drop.path, target)
        except FileNotFoundError:
            return True
        except OSError as error:
            if drop.path not in self._told:
                self._told.add(drop.path)
                self._log.warning("spool.not_moved", path=printable(drop.path), reason=error.strerror or str(error))
            return False
        self._told.discard(drop.path)
        if reason:
            self._log.warning("spool.failed", path=printable(target), reason=reason)
        else:
            self._log.info("spool.done", path=printable(target), events=known.events if known else 0)
        return True


def failure(drop: Drop, known: Progress | None) -> str:
    """Say why a file is no success; empty if it is one."""
    if not drop.trouble and known and not known.events and known.rejected:
        return f"none of {known.rejected} records could be decoded; the first: {known.reason}"
    if drop.trouble and known and known.events:
        return f"{drop.trouble} (the {known.events} events before count)"
    return drop.trouble


def _free(folder: str, name: str) -> str:
    """Find a path for `name` that nothing has yet: with a number before its ending if need be."""
    stem, ending = os.path.splitext(name)
    target, number = os.path.join(folder, name), 1
    while os.path.lexists(target) or os.path.lexists(target + _REASON):
        number += 1
        target = os.path.join(folder, f"{stem}.{number}{ending}")
    return target
