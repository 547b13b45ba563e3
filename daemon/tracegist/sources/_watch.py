"""Folders watched for changes: a hint that shortens the wait, never the truth. What goes wrong here is told once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from time import monotonic
from typing import TYPE_CHECKING, Final

import anyio
import structlog
from anyio import to_thread
from watchfiles import Change
from watchfiles._rust_notify import RustNotify

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

__all__ = ["FolderWatch"]

_MOST: Final = 512
_GROUPED: Final = 100
"""Milliseconds in which changes are told together."""
_STEP, _IDLE_STEP = 20, 100
"""Milliseconds between two looks at whether the system has told of anything, and where nothing happens: each is a wake-up."""
_IDLE: Final = 10.0
_TURN: Final = 5_000
"""Milliseconds after which a wait begins anew."""


class FolderWatch:
    """Tells of changes directly inside folders, as long as the system is able to.

    :param source: name of the source, for the log
    :param notify: called with the paths that were modified, and those that came or went (None if any may have)
    :param retry: seconds after which a watch that failed is tried again
    """

    def __init__(
        self, source: str, notify: Callable[[Collection[str], Collection[str] | None], None], *, retry: float = 30.0
    ) -> None:
        self._notify = notify
        self._retry = retry
        self._folders: frozenset[str] = frozenset()
        self._renewed = anyio.Event()
        self._stop = anyio.Event()
        self._failed = False
        self._log: FilteringBoundLogger = structlog.get_logger().bind(source=source)

    def watch(self, folders: Iterable[str]) -> None:
        """Watch these folders from now on, and no others; those that are too many or cannot be named are left out."""
        wanted = frozenset(sorted(folder for folder in folders if _is_utf8(folder))[:_MOST])
        if wanted != self._folders:
            self._folders = wanted
            self._renewed.set()
            self._stop.set()

    def stop(self) -> None:
        """Wake the thread that waits, so that :meth:`run` can be cancelled without delay."""
        self._stop.set()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            self._renewed, self._stop = anyio.Event(), anyio.Event()
            try:
                await self._follow()
            except Exception as error:  # noqa: BLE001 - a hint may fail in any way; the scan finds what it would have told
                if not self._failed:
                    self._log.info("source.watch_failed", reason=str(error) or type(error).__name__)
                self._failed = True
                with anyio.move_on_after(self._retry):
                    await self._renewed.wait()

    async def _follow(self) -> None:
        if not self._folders:
            await self._renewed.wait()
            return
        # One that has a thread all the time takes none from those that others wait for.
        limiter = anyio.CapacityLimiter(1)
        with RustNotify(sorted(self._folders), False, False, 0, False, True) as watcher:  # noqa: FBT003 - no keywords there
            # Whatever changed before the watch stood has not been told.
            self._notify((), None)
            changed = monotonic()
            while True:
                step = _STEP if monotonic() - changed < _IDLE else _IDLE_STEP
                found = await to_thread.run_sync(watcher.watch, _GROUPED, step, _TURN, self._stop, limiter=limiter)
                if found == "stop":
                    return
                if isinstance(found, set):
                    changed = monotonic()
                    modified = {path for kind, path in found if kind == Change.modified}
                    self._notify(modified, {path for kind, path in found if kind != Change.modified})


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
