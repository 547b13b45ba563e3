"""The protocol over streamable HTTP, in the daemon: sessions, which the protocol's package keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from tracegist.mcp.account import OwnAccount
from tracegist.mcp.server import make_server

if TYPE_CHECKING:
    from tracegist.server import Backend

__all__ = ["make_sessions"]

# A session is a few tasks and streams: more than the server takes connections, and no more than a host can hold.
_SESSIONS: Final = 512


def make_sessions(backend: Backend) -> StreamableHTTPSessionManager:
    """Make what keeps the sessions; who may come is decided before it: by the socket's mode, or by the guard of the port."""
    return StreamableHTTPSessionManager(make_server(OwnAccount(backend)), max_sessions=_SESSIONS)
