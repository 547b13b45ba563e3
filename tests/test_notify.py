"""What systemd hears of the daemon."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tracegist.notify import Notifier


@pytest.fixture
def manager() -> Iterator[socket.socket]:
    """What listens on NOTIFY_SOCKET."""
    with (
        tempfile.TemporaryDirectory(prefix="tg", dir="/tmp") as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
    ):
        manager.bind(str(Path(folder) / "notify"))
        manager.settimeout(5)
        yield manager


def test_send__manager_listens__hears_lines(manager: socket.socket) -> None:
    """Several assignments are one datagram."""
    assert Notifier({"NOTIFY_SOCKET": manager.getsockname()}).send("READY=1", "STATUS=naïve")
    assert manager.recv(1000).decode() == "READY=1\nSTATUS=naïve"


def test_send__abstract_address__is_understood() -> None:
    """Containers have no file for it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        name = f"tracegist-test-{os.getpid()}"
        manager.bind(f"\0{name}")
        manager.settimeout(5)
        assert Notifier({"NOTIFY_SOCKET": f"@{name}"}).send("WATCHDOG=1")
        assert manager.recv(100) == b"WATCHDOG=1"


def test_send__nobody_there__no_failure() -> None:
    """A manager that is gone, or never was, stops nothing."""
    assert not Notifier({}).send("READY=1")
    assert not Notifier({"NOTIFY_SOCKET": "/nowhere/notify"}).send("READY=1")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({}, None),
    ],
)
def test_watchdog__of_the_environment__in_seconds(environ: dict[str, str], expected: float | None) -> None:
    """The interval is taken only where it is meant for this process."""
    assert Notifier({"NOTIFY_SOCKET": "/run/notify", **environ}).watchdog == expected


def test_watchdog__no_socket__nobody_waits() -> None:
    """An interval without a manager means nothing."""
    assert Notifier({"WATCHDOG_USEC": "30000000"}).watchdog is None
