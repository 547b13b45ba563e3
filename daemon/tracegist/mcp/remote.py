"""A daemon's account, over its socket: each question on its own, so that a daemon may come and go."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import anyio.to_thread
import httpx
import msgspec

from tracegist.client import Client
from tracegist.config import Duration
from tracegist.errors import DaemonUnreachable
from tracegist.mcp.account import Report

__all__ = ["RemoteAccount"]

_T = TypeVar("_T")

_DURATIONS: Final = ("window", "baseline")
# The stream says that it lives every 15 s.
_SILENCE: Final = 60.0


class _Usual(msgspec.Struct):
    encoding: str


class _Status(msgspec.Struct):
    summary: _Usual


class RemoteAccount:
    """The account of a daemon.

    :param socket: its Unix socket
    """

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def prepare(self, report: Report, *, anew: bool) -> None:
        """Nothing to do: the daemon is up to date."""

    async def encoding(self) -> str:
        """Tell whose tokens the daemon counts."""
        status = await self._ask(lambda client: client.status())
        return msgspec.json.decode(status, type=_Status).summary.encoding

    async def summary(self, asked: Mapping[str, Any]) -> bytes:
        """Ask for a summary."""
        options: dict[str, Any] = {
            name: Duration(value) if name in _DURATIONS else value for name, value in asked.items()
        }
        return await self._ask(lambda client: client.summary(**options))

    async def query(self, question: Mapping[str, Any]) -> bytes:
        """Put a question to the daemon."""
        asked = msgspec.json.encode(question)
        return await self._ask(lambda client: client.query(asked))

    async def evidence(self, number: int) -> bytes:
        """Ask for the raw events behind a number."""
        return await self._ask(lambda client: client.evidence(number))

    async def updates(self) -> AsyncIterator[str]:
        """Follow the daemon's stream of summaries.

        :raises DaemonUnreachable: if it is not there, or leaves
        """
        transport = httpx.AsyncHTTPTransport(uds=str(self._socket), verify=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://tracegist", timeout=_SILENCE) as client:
            try:
                async with client.stream("GET", "/summary/stream") as response:
                    text = ""
                    async for line in response.aiter_lines():
                        if line.startswith("data: "):
                            text += line.removeprefix("data: ") + "\n"
                        elif not line and text:
                            yield text
                            text = ""
            except httpx.HTTPError as error:
                msg = f"the daemon on {self._socket} cannot be followed: {error}"
                raise DaemonUnreachable(msg) from None

    async def _ask(self, question: Callable[[Client], _T]) -> _T:
        def ask() -> _T:
            with Client(self._socket) as client:
                return question(client)

        return await anyio.to_thread.run_sync(ask)
