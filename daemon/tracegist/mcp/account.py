"""What is asked: an engine in this process, a daemon at its socket, or files that are read when somebody asks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

import anyio
import anyio.to_thread
import msgspec

from tracegist.query import facts_as_configured

if TYPE_CHECKING:
    from tracegist.server import Backend

__all__ = ["Account", "OwnAccount", "Report"]

# Answers must leave worker threads to the pipeline, however many clients there are.
_ANSWERS: Final = 2

Report: TypeAlias = Callable[[float, "float | None", str], Coroutine[Any, Any, None]]
"""Told how far something has come: so much of so much (None where that cannot be known), and of what."""


class Account(Protocol):
    """The account of a host or of files. Answers are UTF-8 JSON, as the methods of :class:`tracegist._engine.Engine` give it.

    All raise the engine's errors, and :class:`DaemonUnreachable` where there is a daemon to be asked.
    """

    async def prepare(self, report: Report, *, anew: bool) -> None:
        """Do what has to be done before an answer, and say how far it has come.

        :param anew: whether to look for what is new: not where an answer goes on with an earlier one
        """

    async def encoding(self) -> str:
        """Tell whose tokens are counted unless a question says otherwise."""

    async def summary(self, asked: Mapping[str, Any]) -> bytes:
        """Give a summary.

        :param asked: keyword arguments of :meth:`tracegist._engine.Engine.summary`; what is not given is as configured
        """

    async def query(self, question: Mapping[str, Any]) -> bytes:
        """Answer a question; its fields are those of :meth:`tracegist._engine.Engine.query`."""

    async def evidence(self, number: int) -> bytes:
        """Give the raw events behind a number."""

    def updates(self) -> AsyncIterator[str]:
        """Yield the text of the summary, and of each newer one, for as long as there are any."""


class OwnAccount:
    """The account of the daemon that this is part of.

    :param backend: what its routes answer from
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._threads = anyio.CapacityLimiter(_ANSWERS)

    async def prepare(self, report: Report, *, anew: bool) -> None:
        """Nothing to do: the daemon is up to date."""

    async def encoding(self) -> str:
        """Tell whose tokens are counted."""
        return self._backend.publisher.summary.encoding

    async def summary(self, asked: Mapping[str, Any]) -> bytes:
        """Give the published summary, or render one."""
        publisher = self._backend.publisher
        if not asked and publisher.latest is not None:
            return publisher.latest.json
        return await anyio.to_thread.run_sync(publisher.render, publisher.notices, asked, limiter=self._threads)

    async def query(self, question: Mapping[str, Any]) -> bytes:
        """Ask the engine."""
        usual = self._backend.publisher.summary
        asked = facts_as_configured(question, window=usual.window, baseline=usual.baseline)
        json = msgspec.json.encode(asked)
        return await anyio.to_thread.run_sync(self._backend.engine.query, json, limiter=self._threads)

    async def evidence(self, number: int) -> bytes:
        """Give the raw events behind a number."""
        return await anyio.to_thread.run_sync(self._backend.engine.evidence, number, limiter=self._threads)

    async def updates(self) -> AsyncIterator[str]:
        """Yield what is published."""
        with self._backend.publisher.subscribe() as subscription:
            while (rendering := await subscription.newest()) is not None:
                yield rendering.text
