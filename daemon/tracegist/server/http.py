"""The ASGI applications, and uvicorn as a task of the daemon: no signal handlers and no logging of its own."""

from __future__ import annotations

import contextlib
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from tracegist.config import Address
from tracegist.server.answers import Refusal, refuse
from tracegist.server.guard import Guard
from tracegist.server.mcp import McpEndpoint
from tracegist.server.routes import make_otlp_routes, make_routes
from tracegist.server.tcp import Port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from tracegist.server.routes import Backend
    from tracegist.server.socket import Listener

__all__ = ["HttpServer", "make_app"]

_KEEP_ALIVE: Final = 30
_LAST_ANSWERS: Final = 1
# Each connection costs a descriptor, of which the tailed files need some too.
_CONNECTIONS: Final = 256
_RETRY_SECONDS: Final = 30.0
_DATE_SECONDS: Final = 1.0
"""What the date in the headers of an answer may be late by."""
_OFF: Final = Address("off")


def make_app(routes: Sequence[Route]) -> Starlette:
    """Put routes together with answers for all that is not among them."""
    known = ", ".join(route.path.replace(":path", "") for route in routes)

    async def not_routed(request: Request, error: Exception) -> Response:
        status = HTTPStatus(error.status_code) if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
        headers = dict(getattr(error, "headers", None) or {})
        message = {
            HTTPStatus.NOT_FOUND: f"there is nothing at {request.url.path}; known: {known}",
            HTTPStatus.METHOD_NOT_ALLOWED: f"{request.method} is not for {request.url.path}; it takes {headers.get('Allow')}",
        }.get(status, status.phrase)
        return refuse(request, Refusal(status, message, headers=headers))

    async def failed(request: Request, error: Exception) -> Response:
        # Starlette raises it again after this answer, and uvicorn logs the traceback.
        message = f"the daemon failed at this: {type(error).__name__}; its log says more"
        return refuse(request, Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, message))

    return Starlette(routes=routes, exception_handlers={HTTPException: not_routed, Exception: failed})


class _Uvicorn(uvicorn.Server):
    """Leaves the signals alone, which are the daemon's, and does not wake ten times a second to see whether it is to stop."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._over = anyio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        """Renew the headers' date, every tenth tick of uvicorn's, until :meth:`stop`."""
        while not await self.on_tick(0):
            with anyio.move_on_after(_DATE_SECONDS):
                await self._over.wait()

    def stop(self) -> None:
        """Take no more connections, and answer what was asked."""
        self.should_exit = True
        self._over.set()


class HttpServer:
    """Serves on the Unix socket, and over TCP what the configuration says, until it is told to stop.

    :param backend: what the routes answer from
    :param listener: the sockets; whoever made them closes them
    :param otlp: where OTLP is taken over TCP, unless the listener has a socket for it
    :param mcp: where the Model Context Protocol is spoken over TCP
    :param token: what clients have to bring with them there
    :param retry: seconds after which an address that is taken is tried again
    """

    def __init__(
        self,
        backend: Backend,
        listener: Listener,
        *,
        otlp: Address = _OFF,
        mcp: Address = _OFF,
        token: str = "",
        retry: float = _RETRY_SECONDS,
    ) -> None:
        self._socket = listener.socket
        self._mcp = McpEndpoint(backend)
        self._asked = _make_server(make_app([*make_routes(backend), Route("/mcp", self._mcp)]))
        told = _make_server(make_app(make_otlp_routes(backend)))
        guarded = _make_server(make_app([Route("/mcp", Guard(self._mcp, token))]))
        self.otlp = Port("otlp", told, otlp, passed=listener.otlp, retry=retry)
        """The port for OTLP."""
        self.mcp = Port("mcp", guarded, mcp, retry=retry)
        """The port for the Model Context Protocol."""

    async def run(self) -> None:
        """Serve until :meth:`stop`; what is being answered then has a second to finish."""
        async with anyio.create_task_group() as tasks:
            for part in (self.otlp, self.mcp, self._mcp):
                tasks.start_soon(part.run)
            await self._asked.serve(sockets=[self._socket])

    def stop(self) -> None:
        """Take no more connections, answer what was asked, and let :meth:`run` return."""
        for part in (self._asked, self._mcp, self.mcp, self.otlp):
            part.stop()


def _make_server(app: Starlette) -> _Uvicorn:
    return _Uvicorn(
        uvicorn.Config(
            app,
            # Not httptools, which is faster by two fifths: it takes headers of any length.
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=_CONNECTIONS,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=_LAST_ANSWERS,
        )
    )
