"""OTLP over TCP, where OpenTelemetry SDKs look for it."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tracegist.config import Address

__all__ = ["listen_otlp"]

_BACKLOG: Final = 128


def listen_otlp(address: Address) -> socket.socket:
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
