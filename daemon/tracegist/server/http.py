"""The ASGI application, and uvicorn as a task of the daemon: no signal handlers and no logging of its own."""

from __future__ import annotations

import contextlib
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from tracegist.server.answers import Refusal, refuse
from tracegist.server.routes import make_routes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.responses import Response

    from tracegist.server.routes import Backend
    from tracegist.server.socket import Listener

__all__ = ["HttpServer", "make_app"]

_KEEP_ALIVE: Final = 30
_LAST_ANSWERS: Final = 1
# Each connection costs a descriptor, of which the tailed files need some too.
_CONNECTIONS: Final = 256


def make_app(backend: Backend) -> Starlette:
    """Put the routes together with answers for all that is not among them."""
    routes = make_routes(backend)
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
    """Leaves the signals alone: they are the daemon's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpServer:
    """Serves an application on a listening socket until it is told to stop.

    :param backend: what the routes answer from
    :param listener: the socket; whoever made it closes it
    """

    def __init__(self, backend: Backend, listener: Listener) -> None:
        self._listener = listener
        self._log = structlog.stdlib.get_logger(__name__)
        self._uvicorn = _Uvicorn(
            uvicorn.Config(
                make_app(backend),
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

    async def run(self) -> None:
        """Serve until :meth:`stop`; what is being answered then has a second to finish."""
        await self._uvicorn.serve(sockets=[self._listener.socket])

    def stop(self) -> None:
        """Take no more connections, answer what was asked, and let :meth:`run` return."""
        self._uvicorn.should_exit = True
