"""Find the daemon that a verb without paths asks."""

from __future__ import annotations

from pathlib import Path

from tracegist.client import Client

__all__ = ["find_daemon"]


def find_daemon(config: Path | None, socket: Path | None) -> Client:
    """Choose the socket: the one that was named, the configured one, or the host's where the user has none.

    :raises ConfigError: if the configuration cannot be used
    """
    if socket is not None:
        return Client(socket)
    from tracegist.config import SYSTEM_SOCKET, load  # noqa: PLC0415

    loaded = load(config)
    configured = loaded.config.server.socket
    if loaded.origin("server.socket") == "default" and not configured.exists() and SYSTEM_SOCKET.exists():
        return Client(SYSTEM_SOCKET)
    return Client(configured)
