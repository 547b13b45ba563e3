"""The configuration of a run on the recording: nothing of the user's is read or written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from tracegist.config import Address, Config, Duration, Summary, find_folders

__all__ = ["WINDOW", "sample_config"]

# The quiet part of the recording is a minute long: with a longer window it would not be what the rest is compared with.
WINDOW: Final = Duration.parse("1m")


def sample_config(config: Config, folder: Path) -> Config:
    """Put what would lie in the default folders into `folder`, and leave out the sources.

    A folder or a window that was chosen by the user stays as chosen. So does the socket, where the other verbs look for it,
    unless that is in the state folder.
    """
    default = find_folders(os.environ, root=os.geteuid() == 0).state
    state = folder if config.state.folder == default else config.state.folder
    output = state if config.output.folder in (default, config.state.folder) else config.output.folder
    window = WINDOW if config.summary.window == Summary().window else config.summary.window
    socket = config.server.socket
    if socket.parent == default:
        socket = folder / socket.name
    return replace(
        config,
        state=replace(config.state, folder=state),
        output=replace(config.output, folder=output),
        server=replace(config.server, socket=socket, otlp=Address("off"), mcp=Address("off")),
        summary=replace(config.summary, window=window),
        sources=(),
    )
