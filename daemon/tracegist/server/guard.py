"""Who may ask over TCP: a program of this host that has the token. A page in a browser has neither the host nor the token."""

from __future__ import annotations

import hmac
import os
import secrets
from http import HTTPStatus
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.requests import Request

from tracegist.errors import ConfigError
from tracegist.server.answers import Refusal, refuse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["Guard", "read_token"]

_SHORTEST: Final = 16
_LONGEST: Final = 4096
_OTHERS: Final = 0o007


class Guard:
    """Lets requests through that come from this host and bring the token (RFC 6750).

    A name that a stranger's server resolves to this host (DNS rebinding) stands in Host, and the page it came from in Origin:
    both have to be this host's own.

    :param app: what answers them
    :param token: what has to come with each
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse to."""
        if scope["type"] != "http":
            return
        request = Request(scope)
        refusal = self._refusal(request)
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await refuse(request, refusal)(scope, receive, send)

    def _refusal(self, request: Request) -> Refusal | None:
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        if not _is_loopback(f"//{host}"):
            return Refusal(HTTPStatus.FORBIDDEN, f"this is no host called {host[:80]!r}: use 127.0.0.1 or localhost")
        if origin is not None and not _is_loopback(origin):
            return Refusal(HTTPStatus.FORBIDDEN, f"pages of {origin[:80]!r} may not ask here")
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), self._token):
            message = "a token is needed: send Authorization: Bearer and what is in the daemon's server.mcp_token_file"
            return Refusal(HTTPStatus.UNAUTHORIZED, message, headers={"WWW-Authenticate": "Bearer"})
        return None


def _is_loopback(url: str) -> bool:
    try:
        name = urlsplit(url).hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def read_token(path: Path) -> str:
    """Read the token; where there is no such file, it is made, with a token of 256 random bits that its owner alone can read.

    :raises ConfigError: if it cannot be read or made, is empty or short, or can be read by everybody
    """
    try:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(32) + "\n")
        if path.stat().st_mode & _OTHERS:
            msg = f"server.mcp_token_file: everybody can read {path}: chmod 600 it"
            raise ConfigError(msg)
        with path.open("rb") as file:
            token = file.read(_LONGEST).decode().strip()
    except OSError as error:
        msg = f"server.mcp_token_file: {path}: {error.strerror}"
        raise ConfigError(msg) from None
    except UnicodeDecodeError:
        msg = f"server.mcp_token_file: {path}: it is no text"
        raise ConfigError(msg) from None
    if len(token) < _SHORTEST or not token.isascii() or " " in token:
        msg = f"server.mcp_token_file: {path}: a token has at least {_SHORTEST} characters, none of them a space"
        raise ConfigError(msg)
    return token
