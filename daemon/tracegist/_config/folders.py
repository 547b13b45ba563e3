"""Where things lie by default: in the user's XDG folders, or in the system's for root and for a systemd service."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tracegist.errors import ConfigError

__all__ = ["SYSTEM_CONFIG", "SYSTEM_SOCKET", "Folders", "find_folders"]

SYSTEM_CONFIG: Final = Path("/etc/tracegist/tracegist.toml")
SYSTEM_SOCKET: Final = Path("/run/tracegist/tracegist.sock")


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
    state = _first(environ.get("STATE_DIRECTORY"))
    runtime = _first(environ.get("RUNTIME_DIRECTORY"))
    if root:
        state = state or Path("/var/lib/tracegist")
        runtime = runtime or Path("/run/tracegist")
    if state is None:
        state = _xdg(environ, "XDG_STATE_HOME", ".local/state") / "tracegist"
    if runtime is None:
        # Without a session there is no XDG_RUNTIME_DIR; a folder in /tmp could be another user's, the state folder is ours.
        given = environ.get("XDG_RUNTIME_DIR", "")
        runtime = Path(given) / "tracegist" if os.path.isabs(given) else state
    files = (
        (SYSTEM_CONFIG,)
        if root
        else (_xdg(environ, "XDG_CONFIG_HOME", ".config", missing=state) / "tracegist/tracegist.toml", SYSTEM_CONFIG)
    )
    return Folders(state, runtime, files)


def _first(folders: str | None) -> Path | None:
    """systemd lists several folders with colons between them."""
    first = (folders or "").split(":")[0]
    return Path(first) if os.path.isabs(first) else None


def _xdg(environ: Mapping[str, str], name: str, inside_home: str, *, missing: Path | None = None) -> Path:
    """The specification has relative values ignored."""
    given = environ.get(name, "")
    if os.path.isabs(given):
        return Path(given)
    home = environ.get("HOME", "")
    if not os.path.isabs(home):
        try:
            home = str(Path.home())
        except RuntimeError:
            if missing is not None:
                return missing
            msg = f"no home folder to keep state in: set {name} or state.folder"
            raise ConfigError(msg) from None
    return Path(home) / inside_home
