"""TCP ports: where OpenTelemetry SDKs look for OTLP, and where clients that know no Unix socket find ``/mcp``."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, Final, Protocol

import anyio
import structlog

if TYPE_CHECKING:
    from tracegist.config import Address

__all__ = ["Port"]

_BACKLOG: Final = 128


class Server(Protocol):
    """What answers on a port."""

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer until :meth:`stop`."""

    def stop(self) -> None:
        """Take no more connections, and answer what was asked."""


class Port:
    """A port on which a server answers; if something else has it, it is tried again and again.

    :param name: what is answered there, as the configuration calls it under ``server``
    :param server: what answers
    :param address: where it should be
    :param passed: a socket that systemd made for it; None if it made none
    :param retry: seconds after which an address that is taken is tried again
    """

    def __init__(
        self, name: str, server: Server, address: Address, *, passed: socket.socket | None = None, retry: float
    ) -> None:
        self._name = name
        self._server = server
        self._wanted = address
        self._passed = passed
        self._retry = retry
        self._over = anyio.Event()
        self._log = structlog.stdlib.get_logger(__name__)
        self.address: str | None = None
        """Where it is; None if it is nowhere."""
        self.failure: str | None = None
        """Why it is not, though it should be."""

    @property
    def status(self) -> dict[str, str | None]:
        """Where it is, or why it is not."""
        return {"address": self.address, "failure": self.failure}

    async def run(self) -> None:
        """Answer until :meth:`stop`."""
        if self._passed is None and self._wanted.off:
            return
        listening = self._passed or await self._listen()
        if listening is None:
            return
        with listening:
            host, port = listening.getsockname()[:2]
            self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            self._log.info(f"{self._name}.listening", address=self.address)
            await self._server.serve(sockets=[listening])
            self.address = None

    def stop(self) -> None:
        """Take no more connections, answer what was asked, and let :meth:`run` return."""
        self._server.stop()
        self._over.set()

    async def _listen(self) -> socket.socket | None:
        """Wait until the address is free; the daemon goes on meanwhile, and says so."""
        while not self._over.is_set():
            try:
                listening = _listen(self._wanted)
            except OSError as error:
                reason = f"{error.filename}: {error.strerror}"
                if reason != self.failure:
                    advice = f"server.{self._name} chooses another, or off"
                    self._log.warning(f"{self._name}.not_listening", reason=reason, advice=advice)
                self.failure = reason
            else:
                self.failure = None
                return listening
            with anyio.move_on_after(self._retry):
                await self._over.wait()
        return None


def _listen(address: Address) -> socket.socket:
    """Listen on an address.

    :raises OSError: if it is taken, or this process may not
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address.host, address.port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        reason = "something else listens there" if error.errno == errno.EADDRINUSE else error.strerror
        raise OSError(error.errno, reason, str(address)) from None
    return listening
