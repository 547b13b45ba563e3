"""Tell systemd how the service is, in the protocol of sd_notify(3): datagrams to the socket that NOTIFY_SOCKET names.

Without systemd nothing is sent and nothing goes wrong:

>>> Notifier({}).send("READY=1")
False
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

__all__ = ["Notifier"]


class Notifier:
    """The way to the service manager, if there is one.

    :param environ: NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are read from it; None for the process's own
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        environ = os.environ if environ is None else environ
        address = environ.get("NOTIFY_SOCKET", "")
        # A leading @ stands for the zero byte of the abstract namespace.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._watchdog = _watchdog(environ)

    @property
    def watchdog(self) -> float | None:
        """Seconds within which WATCHDOG=1 has to be sent again and again, or None if nobody waits for it."""
        return self._watchdog if self._address else None

    def send(self, *assignments: str) -> bool:
        """Send ``NAME=value`` lines in one datagram.

        :return: whether they were handed over; a manager that is not there or does not listen is no failure of the service
        """
        if not self._address:
            return False
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as datagram:
                datagram.settimeout(0)
                datagram.sendto("\n".join(assignments).encode(), self._address)
        except OSError:
            return False
        return True


def _watchdog(environ: Mapping[str, str]) -> float | None:
    """WATCHDOG_PID keeps a child from answering for its parent."""
    microseconds = environ.get("WATCHDOG_USEC", "")
    if not microseconds.isdecimal() or environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(microseconds) / 1e6 or None
