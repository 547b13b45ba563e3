"""Render the summary while there is news, put it on the disk and tell those who wait for it.

In come the engine's state and the notices of the daemon; out go ``summary.md`` and ``summary.json``, each replaced as a
whole, and the latest :class:`Rendering` for the socket and its streams.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import anyio
import anyio.to_thread
import msgspec
import structlog

from tracegist.errors import TokenBudgetExceeded

if TYPE_CHECKING:
    from tracegist._engine import Engine
    from tracegist.config import Output, Summary

__all__ = ["Publisher", "Rendering", "Subscription", "replace_file"]

# A summary says how far behind it is, and that grows while nothing happens.
_REFRESH: Final = 10.0
_SHORTEST_PACE: Final = 0.01


@dataclass(frozen=True, slots=True)
class Rendering:
    """A summary as it was published.

    :param number: counts the renderings of this process, from 1
    :param generation: of the engine when it was rendered
    :param text: for people and models
    :param json: the object that :meth:`tracegist._engine.Engine.summary` returns, as UTF-8
    :param tokens: that `text` takes
    :param at: when, in seconds of the monotonic clock
    """

    number: int
    generation: int
    text: str
    json: bytes
    tokens: int
    at: float


class _Summary(msgspec.Struct):
    """What is needed here of the engine's object."""

    text: str
    tokens: int


class Publisher:
    """Keeps the default summary up to date: in memory, on the disk and with everyone who has subscribed.

    :param engine: whose state is rendered
    :param summary: what the summary is like
    :param output: where it is put, and how often
    :param notices: what the daemon has to say in the header at the moment
    :param alive: called after every round; a daemon whose rounds stop is stuck
    :param pace: seconds between two calls of `alive` at most, however long the interval
    """

    def __init__(
        self,
        engine: Engine,
        summary: Summary,
        output: Output,
        *,
        notices: Callable[[], Sequence[str]] = tuple,
        alive: Callable[[], object] = lambda: None,
        pace: float = 5.0,
    ) -> None:
        self.engine = engine
        self.summary = summary
        self.output = output
        self.latest: Rendering | None = None
        self.failures: dict[str, str] = {}
        self.subscribers = 0
        self._notices = notices
        self._alive = alive
        self._pace = max(pace, _SHORTEST_PACE)
        self._rendered: tuple[object, ...] = ()
        self._written = 0
        self._changed = anyio.Event()
        self._wake = anyio.Event()
        self._closed = False
        self._round_at = time.monotonic()
        self._log = structlog.stdlib.get_logger(__name__)

    @property
    def notices(self) -> list[str]:
        """What the header says beside the account itself: the daemon's notices, and this publisher's."""
        return [*self._notices(), *self.failures.values()]

    @property
    def idle(self) -> float:
        """Seconds since the last round: many mean that rendering or the disk hangs."""
        return time.monotonic() - self._round_at

    @property
    def files(self) -> tuple[Path, Path]:
        """``summary.md`` and ``summary.json``."""
        return self.output.folder / "summary.md", self.output.folder / "summary.json"

    def reconfigure(self, summary: Summary, output: Output) -> None:
        """Go on with other settings, at once."""
        if output.folder != self.output.folder:
            self._written = 0
        self.summary, self.output = summary, output
        self._wake.set()

    async def run(self) -> None:
        """Publish once an interval while there is news, until cancelled."""
        while True:
            self._wake = anyio.Event()
            due = time.monotonic() + self.output.interval.seconds
            await self.publish()
            while (left := due - time.monotonic()) > 0 and not self._wake.is_set():
                with anyio.move_on_after(min(left, self._pace)):
                    await self._wake.wait()
                self._beat()

    async def publish(self) -> None:
        """Do one round: render if there is news, and write what is not on the disk yet."""
        # Not asked on the event loop: the engine answers when it is done with what it is at.
        generation = await anyio.to_thread.run_sync(self.engine.generation)
        if self._is_news(generation):
            await self._render(generation)
        if self.latest is not None and self._written != self.latest.number:
            await self._write(self.latest)
        self._beat()

    def subscribe(self) -> Subscription:
        """Follow the renderings, from the latest on."""
        return Subscription(self)

    async def next_after(self, number: int) -> Rendering | None:
        """Wait for a rendering newer than that `number`: the newest, whatever was published in between.

        :return: None once there will be no more
        """
        while not self._closed:
            if self.latest is not None and self.latest.number > number:
                return self.latest
            await self._changed.wait()
        return None

    def close(self) -> None:
        """End the subscriptions."""
        self._closed = True
        self._changed.set()

    def render(self, notices: list[str], asked: Mapping[str, Any] | None = None) -> bytes:
        """Render a summary now; blocks for as long as the engine takes.

        :param notices: what the header says beside
        :param asked: keyword arguments of :meth:`tracegist._engine.Engine.summary` that differ from the configured ones
        :return: UTF-8 JSON
        :raises TokenBudgetExceeded: if the budget is too small even for the header
        :raises ValueError: if something asked for is unknown or out of range
        """
        configured = self.summary
        options: dict[str, Any] = {
            "budget": configured.budget,
            "encoding": configured.encoding,
            "window": int(configured.window),
            "baseline": int(configured.baseline),
            "now": time.time_ns(),
            **(asked or {}),
        }
        try:
            return self.engine.summary(notices=notices, **options)
        except TokenBudgetExceeded:
            if not notices:
                raise
            # Notices can be long; the status and the log have them as well.
            return self.engine.summary(**options)

    def _basis(self, generation: int) -> tuple[object, ...]:
        """All that a rendering depends on, but for the time."""
        return generation, self.summary, *self.notices

    def _is_news(self, generation: int) -> bool:
        if self.latest is None or time.monotonic() - self.latest.at >= _REFRESH:
            return True
        return self._basis(generation) != self._rendered

    async def _render(self, generation: int) -> None:
        # Of before the state is read: what comes in meanwhile is rendered once more rather than missed.
        basis = self._basis(generation)
        try:
            rendered = await anyio.to_thread.run_sync(self.render, self.notices)
        except (TokenBudgetExceeded, ValueError) as error:
            self._failed("render", f"no summary can be rendered: {error}")
            return
        self._recovered("render")
        summary = msgspec.json.decode(rendered, type=_Summary)
        self._rendered = basis
        number = self.latest.number + 1 if self.latest is not None else 1
        self.latest = Rendering(number, generation, summary.text, rendered, summary.tokens, time.monotonic())
        changed, self._changed = self._changed, anyio.Event()
        changed.set()

    async def _write(self, rendering: Rendering) -> None:
        text, json = self.files
        try:
            await anyio.to_thread.run_sync(replace_file, text, rendering.text.encode(errors="replace"))
            await anyio.to_thread.run_sync(replace_file, json, rendering.json + b"\n")
        except OSError as error:
            self._failed("write", f"summary not written to {self.output.folder}: {error.strerror}")
        else:
            self._recovered("write")
            self._written = rendering.number

    def _failed(self, step: str, message: str) -> None:
        if self.failures.get(step) != message:
            self._log.error("publish.failed", step=step, reason=message)
        self.failures[step] = message

    def _recovered(self, step: str) -> None:
        if self.failures.pop(step, None) is not None:
            self._log.info("publish.recovered", step=step)

    def _beat(self) -> None:
        self._round_at = time.monotonic()
        self._alive()


class Subscription:
    """Follows the renderings of a publisher while it is entered.

    It remembers which one it has given last and nothing else: whoever is slow gets the newest, and nothing piles up.
    """

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._seen = 0

    def __enter__(self) -> Self:
        """Be counted."""
        self._publisher.subscribers += 1
        return self

    def __exit__(self, *exc: object) -> None:
        """Be counted no more."""
        self._publisher.subscribers -= 1

    async def newest(self) -> Rendering | None:
        """Wait for what has not been given yet; may be cancelled and called again.

        :return: None once there will be no more
        """
        rendering = await self._publisher.next_after(self._seen)
        if rendering is not None:
            self._seen = rendering.number
        return rendering


def replace_file(path: Path, data: bytes) -> None:
    """Replace a file as a whole: a reader sees the old bytes or the new ones, never half of them.

    It is not synced: the content follows from the state, which is, and it is written anew within a second of a start. A sync
    every second would cost more than all the rest.

    :raises OSError: if it cannot be written; the old file is then still there
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # One name, whoever is killed while writing: the next round writes over it. No link is followed out of the folder.
    half = path.with_name(f".{path.name}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(half, flags, 0o666), "wb") as file:
            file.write(data)
        half.replace(path)
    except OSError:
        half.unlink(missing_ok=True)
        raise
