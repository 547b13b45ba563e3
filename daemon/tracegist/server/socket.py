"""The Unix socket: made with its mode and group, taken over from systemd, or refused because another daemon has it."""

from __future__ import annotations

import errno
import os
import socket
import stat
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, TypeAlias

from tracegist.errors import ConfigError, DaemonRunning, TracegistError

if TYPE_CHECKING:
    from tracegist.config import Server

__all__ = ["Listener", "listen", "peer_of"]

_FIRST_PASSED: Final = 3
Socket: TypeAlias = socket.socket
# sun_path holds 108 bytes and the zero byte at its end.
_LONGEST: Final = 107
_BACKLOG: Final = 128
_PROBE_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket that listens; a context manager that closes it and removes it from the file system.

    :param socket: the socket itself
    :param path: where it can be connected to
    :param identity: device and inode of what this process put there; None for a socket that systemd made and keeps
    :param otlp: a listening TCP socket that systemd made for OTLP; None if it made none
    """

    socket: Socket
    path: Path
    identity: tuple[int, int] | None
    otlp: Socket | None = None

    def __enter__(self) -> Self:
        """Nothing to do: it listens already."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close it, and remove it unless another daemon has put its own there since."""
        self.socket.close()
        if self.otlp is not None:
            self.otlp.close()
        if self.identity is None:
            return
        try:
            if _identity(self.path) == self.identity:
                self.path.unlink()
        except OSError:
            return


def listen(server: Server, environ: Mapping[str, str]) -> Listener:
    """Listen on the socket that systemd passed, or else on the configured one.

    A socket that nobody listens on any more is replaced. It appears under its name only once its mode and group are set.

    :param environ: LISTEN_PID and LISTEN_FDS are read from it
    :raises DaemonRunning: if a daemon listens on it
    :raises ConfigError: if the path is too long or is something else, or the group is unknown or not this user's to give
    :raises TracegistError: if the socket cannot be made for another reason
    """
    passed, otlp = _passed(server.socket, environ)
    if passed is not None:
        return replace(passed, otlp=otlp)
    path = server.socket
    # Made under another name in the same folder, which must fit as well.
    half = path.with_name(f".{os.getpid()}.sock")
    longest = max(len(os.fsencode(path)), len(os.fsencode(half)))
    if longest > _LONGEST:
        msg = f"server.socket: {path} makes an address of {longest} bytes, and {_LONGEST} is all there is room for: shorten it"
        raise ConfigError(msg)
    group = _group_id(server.group)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # As open as the socket in it.
        wide = group is not None or server.mode & 0o007
        path.parent.mkdir(mode=0o755 if wide else 0o750, parents=True, exist_ok=True)
        _refuse_or_forget(path)
        half.unlink(missing_ok=True)
        listening.bind(os.fspath(half))
        if group is not None:
            _give(half, group, server.group or "")
        half.chmod(server.mode)
        listening.listen(_BACKLOG)
        identity = _identity(half)
        half.replace(path)
    except OSError as error:
        listening.close()
        _forget(half)
        msg = f"cannot make the socket {path}: {error.strerror}; server.socket or --socket chooses another place"
        raise TracegistError(msg) from None
    except TracegistError:
        listening.close()
        _forget(half)
        raise
    return Listener(listening, path, identity, otlp)


def peer_of(connected: socket.socket) -> int:
    """The process id at the other end of a connected Unix socket; 0 if it is in another namespace."""
    credentials = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid: int = struct.unpack("3i", credentials)[0]
    return pid


def _passed(path: Path, environ: Mapping[str, str]) -> tuple[Listener | None, socket.socket | None]:
    """sd_listen_fds(3): the sockets of the units begin at descriptor 3; a Unix socket to be asked, and TCP for OTLP."""
    count = environ.get("LISTEN_FDS", "")
    if environ.get("LISTEN_PID") != str(os.getpid()) or not count.isdecimal():
        return None, None
    found: Listener | None = None
    otlp: socket.socket | None = None
    for descriptor in range(_FIRST_PASSED, _FIRST_PASSED + int(count)):
        os.set_inheritable(descriptor, False)  # noqa: FBT003 - takes no keyword
        passed = socket.socket(fileno=descriptor)
        listens = passed.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        if passed.type != socket.SOCK_STREAM or not listens:
            passed.detach()
        elif passed.family == socket.AF_UNIX:
            listener = Listener(passed, Path(os.fsdecode(passed.getsockname())), None)
            found = listener if found is None or listener.path == path else found
        elif passed.family in (socket.AF_INET, socket.AF_INET6):
            otlp = passed
        else:
            passed.detach()
    return found, otlp


def _refuse_or_forget(path: Path) -> None:
    """Find out whether somebody listens on what is there; what nobody listens on may be replaced."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        msg = f"server.socket: {path} is there already and is no socket: remove it or choose another place"
        raise ConfigError(msg)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PROBE_SECONDS)
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            return
        except OSError as error:
            # A full backlog is a daemon as well, if a busy one; so is one whose socket is closed to this user.
            if error.errno in (errno.ENOENT, errno.ECONNRESET):
                return
            msg = f"socket {path} is in use: {error.strerror or error}; stop the other daemon, or choose another with --socket"
            raise DaemonRunning(msg) from None
        pid = peer_of(probe)
    msg = f"socket {path} is in use by pid {pid}: stop that daemon, or choose another with --socket"
    raise DaemonRunning(msg)


def _group_id(name: str | None) -> int | None:
    if name is None:
        return None
    import grp  # noqa: PLC0415 - reads the system's databases, and few name a group

    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        msg = f'server.group: there is no group "{name}" on this host'
        raise ConfigError(msg) from None


def _give(path: Path, group: int, name: str) -> None:
    try:
        os.chown(path, -1, group)
    except PermissionError:
        msg = f'server.group: this user may not give the socket to "{name}": it has to be a member of that group'
        raise ConfigError(msg) from None


def _identity(path: Path) -> tuple[int, int]:
    status = path.lstat()
    return status.st_dev, status.st_ino


def _forget(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return
