"""A daemon of its own for a benchmark: started on a configuration, asked over its socket, measured from ``/proc``."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

__all__ = ["Daemon"]


class Daemon:
    """`tracegist run` on some sources, ended when it is left.

    :param folder: for its configuration, state and socket
    :param sources: the ``[[sources]]`` of its configuration, as TOML
    :param wrap: a command that it is started with
    """

    def __init__(self, folder: Path, sources: str, *, wrap: Sequence[str] = ()) -> None:
        self.folder = folder
        self._wrap = wrap
        self._socket = folder / "t.sock"
        self._config = folder / "tracegist.toml"
        self._config.write_text(
            f'[state]\nfolder = "{folder}/state"\n[output]\nfolder = "{folder}/out"\n'
            f'[server]\nsocket = "{self._socket}"\n[log]\nformat = "json"\n{sources}'
        )

    def __enter__(self) -> Self:
        """Start it, and wait until it answers."""
        self.started = time.monotonic()
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("TRACEGIST_", "XDG_"))}
        with (self.folder / "stderr").open("ab") as log:
            self.process = subprocess.Popen(
                [*self._wrap, sys.executable, "-m", "tracegist", "run", "--config", str(self._config)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=environ,
            )
        self.until(self._connectable)
        self.client = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(self._socket)), base_url="http://x", timeout=30.0
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self.client.close()
        self.process.terminate()
        self.process.wait()

    def until(self, condition: Callable[[], object], *, seconds: float = 300.0, pause: float = 0.05) -> None:
        """Wait for something; what the daemon said is shown if it does not come."""
        deadline = time.monotonic() + seconds
        while not condition():
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit((self.folder / "stderr").read_text()[-4000:])
            time.sleep(pause)

    def status(self) -> dict[str, Any]:
        """What ``/status`` says."""
        answer: dict[str, Any] = json.loads(self.client.get("/status").content)
        return answer

    def events(self) -> int:
        """How many events were decoded."""
        return int(self.status()["ledger"]["events"])

    def seconds(self) -> float:
        """CPU time it has taken so far, of all its threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _connectable(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self._socket)) == 0
