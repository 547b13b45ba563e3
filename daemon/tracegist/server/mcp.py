"""``/mcp``: the Model Context Protocol over streamable HTTP. Nothing of it is loaded before somebody asks for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

import anyio
import anyio.to_thread
import structlog
from starlette.requests import Request

from tracegist.server.answers import Refusal, refuse

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from tracegist.server.routes import Backend

__all__ = ["McpEndpoint"]


class _Sessions(Protocol):
    """What the protocol's package calls a session manager."""

    def run(self) -> AbstractAsyncContextManager[None]:
        """Keep the sessions while it is entered."""

    def handle_request(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer a request."""


class McpEndpoint:
    """An ASGI application that loads, at the first request, what answers it and all later ones.

    :param backend: what the answers come from
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._sessions: _Sessions | None = None
        self._wanted = anyio.Event()
        self._ready = anyio.Event()
        self._over = anyio.Event()
        self._failure = "the daemon is stopping"
        self._log = structlog.stdlib.get_logger(__name__)

    async def run(self) -> None:
        """Answer until :meth:`stop`; sessions and streams end with it."""
        await self._wanted.wait()
        try:
            if not self._over.is_set():
                # Half a second of imports, in which the daemon goes on.
                load = await anyio.to_thread.run_sync(_load)
                sessions = load(self._backend)
                async with sessions.run():
                    self._sessions = sessions
                    self._ready.set()
                    await self._over.wait()
        except ImportError as error:
            self._failure = f"the package mcp cannot be loaded: {error}; install tracegist with its dependencies"
            self._log.error("mcp.not_loaded", reason=str(error))
        finally:
            self._sessions = None
            self._ready.set()

    def stop(self) -> None:
        """Let :meth:`run` return."""
        self._over.set()
        self._wanted.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        self._wanted.set()
        await self._ready.wait()
        if self._sessions is not None:
            await self._sessions.handle_request(scope, receive, send)
            return
        answer = refuse(Request(scope), Refusal(HTTPStatus.SERVICE_UNAVAILABLE, self._failure))
        await answer(scope, receive, send)


def _load() -> Callable[[Backend], _Sessions]:
    from tracegist.mcp.http import make_sessions  # noqa: PLC0415 - the point of all this

    return make_sessions
