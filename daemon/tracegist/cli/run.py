"""``tracegist run``: the daemon."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

from cyclopts import Parameter

from tracegist.cli._options import ConfigFile

if TYPE_CHECKING:
    from tracegist.config import Config

__all__ = ["run"]

_TURN: Final = 0.0005
"""Seconds that a thread may keep the interpreter while another waits for it."""


def run(
    *,
    config: ConfigFile = None,
    sample: Annotated[bool, Parameter(negative=())] = False,
    output: Path | None = None,
    state: Path | None = None,
    socket: Path | None = None,
    log_level: Literal["debug", "info", "warning", "error"] | None = None,
) -> None:
    """Run the daemon: read the sources, keep the summary, serve the socket.

    It goes on until SIGTERM or Ctrl-C, commits what it has read, and goes on
    from there at the next start. Without a configuration file it reads
    journald, /var/log and a spool folder, and serves a socket; see: tracegist
    config show.

    Examples:
        tracegist run --sample
        tracegist run --config tracegist.toml --output ~/summary
        my-service 2>&1 | tracegist run --config config/examples/developer.toml

    :param sample: Read a bundled recording of a real system instead of the sources, its clock moved to now.
    :param output: Folder for summary.md and summary.json.
    :param state: Folder for what outlives a restart.
    :param socket: Unix socket to serve.
    :param log_level: How much the daemon says of itself.
    """
    import anyio  # noqa: PLC0415

    from tracegist.config import load  # noqa: PLC0415

    overrides: dict[str, tuple[object, str]] = {
        key: (value.absolute(), option)
        for key, value, option in (
            ("output.folder", output, "--output"),
            ("state.folder", state, "--state"),
            ("server.socket", socket, "--socket"),
        )
        if value is not None
    }
    if log_level is not None:
        overrides["log.level"] = (log_level, "--log-level")
    loaded = load(config, overrides=overrides)

    from tracegist.daemon import serve  # noqa: PLC0415

    def reload() -> Config:
        return load(config, overrides=overrides).config

    # Who asks is answered by the event loop: it waits no longer than this for the turn of a thread that reads.
    sys.setswitchinterval(_TURN)
    anyio.run(lambda: serve(loaded.config, sample=sample, reload=reload))
    # All is committed and closed. The system takes back the memory at once; an interpreter would do it object by object, which
    # for a large state takes longer than the commit did.
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(0)
