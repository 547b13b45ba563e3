"""The protocol on standard input and output, as a client starts it."""

from __future__ import annotations

from mcp.server.stdio import stdio_server

from tracegist.mcp.account import Account
from tracegist.mcp.server import make_server

__all__ = ["serve_stdio"]


async def serve_stdio(account: Account, *, underscores: bool = False) -> None:
    """Serve one client, until it closes standard input."""
    server = make_server(account, underscores=underscores)
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())
