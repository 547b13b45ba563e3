"""Where things lie by default: in the user's XDG folders, or in the system's for root and for a systemd service."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tracegist.errors import ConfigError

__all__ = ["SYSTEM_CONFIG", "SYSTEM_SOCKET", "Folders", "find_folders", "has_journal"]

SYSTEM_CONFIG: Final = Path("/etc/tracegist/tracegist.toml")
SYSTEM_SOCKET: Final = Path("/run/tracegist/tracegist.sock")
_JOURNALS: Final = (Path("/var/log/journal"), Path("/run/log/journal"))


@dataclass(frozen=True, slots=True)
class Folders:
    """The defaults of one environment.

    :param state: what has to outlive a restart: snapshots, journals, the spool, the summary
    :param runtime: what lives as long as the daemon: the socket
    :param files: configuration files in the order in which they are looked for
    """

    state: Path
    runtime: Path
    files: tuple[Path, ...]


def find_folders(environ: Mapping[str, str], *, root: bool) -> Folders:
    """Choose the folders: what systemd hands over first, then the system's for root, then the user's.

    :param root: whether the process is the superuser's
    :raises ConfigError: if a user's folder is needed and there is no home
    """
    state = _absolute(environ, "STATE_DIRECTORY")
    runtime = _absolute(environ, "RUNTIME_DIRECTORY")
    if root:
        return Folders(state or Path("/var/lib/tracegist"), runtime or Path("/run/tracegist"), (SYSTEM_CONFIG,))
    home = _home(environ)
    if state is None:
        base = _absolute(environ, "XDG_STATE_HOME") or (home and home / ".local/state")
        if base is None:
            msg = "no home folder to keep state in: set HOME or XDG_STATE_HOME"
            raise ConfigError(msg)
        state = base / "tracegist"
    if runtime is None:
        # Without a session there is none: a folder in /tmp could be another user's, the state folder is ours.
        given = _absolute(environ, "XDG_RUNTIME_DIR")
        runtime = given / "tracegist" if given else state
    config = _absolute(environ, "XDG_CONFIG_HOME") or (home and home / ".config")
    own = (config / "tracegist/tracegist.toml",) if config else ()
    return Folders(state, runtime, (*own, SYSTEM_CONFIG))


def has_journal(environ: Mapping[str, str]) -> bool:
    """Tell whether there is a journal of the system that may be read, and journalctl on the PATH to read it with."""
    if not shutil.which("journalctl", path=environ.get("PATH", "")):
        return False
    # The folders are open to everybody; the files in them say who may read what all services wrote.
    files = (file for folder in _JOURNALS for file in folder.glob("*/system.journal"))
    return any(os.access(file, os.R_OK, effective_ids=True) for file in files)


def _absolute(environ: Mapping[str, str], name: str) -> Path | None:
    """Read a folder; XDG has relative ones ignored, and systemd lists several with colons between them."""
    value = environ.get(name, "")
    first = Path(value.split(":")[0] if name.endswith("_DIRECTORY") else value)
    return first if first.is_absolute() else None


def _home(environ: Mapping[str, str]) -> Path | None:
    try:
        return _absolute(environ, "HOME") or Path.home()
    except RuntimeError:
        return None
