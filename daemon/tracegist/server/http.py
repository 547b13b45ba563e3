"""The ASGI applications, and uvicorn as a task of the daemon: no signal handlers and no logging of its own."""

from __future__ import annotations

import contextlib
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import anyio
import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from tracegist.config import Address
from tracegist.server.answers import Refusal, refuse
from tracegist.server.routes import make_otlp_routes, make_routes
from tracegist.server.tcp import listen_otlp

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Sequence

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from tracegist.server.routes import Backend
    from tracegist.server.socket import Listener

__all__ = ["HttpServer", "make_app"]

_KEEP_ALIVE: Final = 30
_LAST_ANSWERS: Final = 1
# Each connection costs a descriptor, of which the tailed files need some too.
_CONNECTIONS: Final = 256
_RETRY_SECONDS: Final = 30.0
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
    """Leaves the signals alone: they are the daemon's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpServer:
    """Serves on the Unix socket, and OTLP over TCP, until it is told to stop.

    :param backend: what the routes answer from
    :param listener: the sockets; whoever made them closes them
    :param otlp: where OTLP is taken over TCP, unless the listener has a socket for it
    :param retry: seconds after which an address that is taken is tried again
    """

    def __init__(
        self, backend: Backend, listener: Listener, *, otlp: Address = _OFF, retry: float = _RETRY_SECONDS
    ) -> None:
        self._listener = listener
        self._address = otlp
        self._retry = retry
        self._log = structlog.stdlib.get_logger(__name__)
        self._asked = _make_server(make_app(make_routes(backend)))
        self._told = _make_server(make_app(make_otlp_routes(backend)))
        self._over = anyio.Event()
        self.otlp: str | None = None
        """Where OTLP is taken over TCP; None if it is not."""
        self.otlp_failure = ""
        """Why it is not, though it should be."""

    async def run(self) -> None:
        """Serve until :meth:`stop`; what is being answered then has a second to finish."""
        async with anyio.create_task_group() as tasks:
            if self._listener.otlp is not None or not self._address.off:
                tasks.start_soon(self._serve_otlp)
            await self._asked.serve(sockets=[self._listener.socket])

    def stop(self) -> None:
        """Take no more connections, answer what was asked, and let :meth:`run` return."""
        self._asked.should_exit = self._told.should_exit = True
        self._over.set()

    async def _serve_otlp(self) -> None:
        listening = self._listener.otlp or await self._listen()
        if listening is None:
            return
        with listening:
            host, port = listening.getsockname()[:2]
            self.otlp = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            self._log.info("otlp.listening", address=self.otlp)
            await self._told.serve(sockets=[listening])
            self.otlp = None

    async def _listen(self) -> socket.socket | None:
        """Wait until the address is free; the daemon goes on meanwhile, and says so."""
        while not self._over.is_set():
            try:
                listening = listen_otlp(self._address)
            except OSError as error:
                reason = f"{error.filename}: {error.strerror}"
                if reason != self.otlp_failure:
                    self._log.warning("otlp.not_listening", reason=reason, advice="server.otlp chooses another, or off")
                self.otlp_failure = reason
            else:
                self.otlp_failure = ""
                return listening
            with anyio.move_on_after(self._retry):
                await self._over.wait()
        return None


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
