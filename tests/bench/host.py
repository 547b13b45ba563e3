"""A daemon on a folder of its own, and made-up spans for it to read: what the measurements here share."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

__all__ = ["Host", "host", "write_spans"]

_BORN: Final = 1_767_225_600_000_000_000
_DEADLINE: Final = 120.0
_LINE: Final = 50
OFF: Final = 'otlp = "off"\n'


class Host:
    """A configuration, its folders, and the daemon that runs on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.output = folder / "out"
        self.log = folder / "stderr"
        self.socket = folder / "t.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def configure(
        self, sources: str, *, state: str = "", engine: str = "", output: str = "", otlp: bool = True
    ) -> None:
        """Write the configuration: the sources, and further lines of some sections."""
        (self.folder / "tracegist.toml").write_text(
            f'[state]\nfolder = "{self.state}"\n{state}\n[engine]\n{engine}\n'
            f'[output]\nfolder = "{self.output}"\n{output}\n[server]\nsocket = "{self.socket}"\n'
            f"{'' if otlp else OFF}{sources}"
        )

    @property
    def pid(self) -> int:
        """Of the daemon."""
        assert self._process is not None
        return self._process.pid

    def start(self, **environ: str) -> None:
        """Start the daemon, and wait until it answers."""
        command = [sys.executable, "-m", "tracegist", "run", "--config", str(self.folder / "tracegist.toml")]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, env={**os.environ, **environ}
            )
        self.until(self._answers, 0.01)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> float:
        """End the daemon; the seconds it took to be gone."""
        assert self._process is not None
        began = time.monotonic()
        self._process.send_signal(how)
        self._process.wait(_DEADLINE)
        self._process = None
        return time.monotonic() - began

    def get(self, path: str) -> bytes:
        """Ask the socket."""
        with self._client() as client:
            return client.get(path).content

    def status(self) -> dict[str, Any]:
        """What ``/status`` says."""
        answer: dict[str, Any] = json.loads(self.get("/status"))
        return answer

    def events(self) -> int:
        """How many events were decoded."""
        return int(self.status()["ledger"]["events"])

    def notices(self) -> list[str]:
        """What the header says beside the account."""
        found: list[str] = self.status()["notices"]
        return found

    def post(self, path: str, data: bytes) -> httpx.Response:
        """Push to the socket."""
        with self._client() as client:
            return client.post(path, content=data)

    def until(self, condition: Callable[[], object], pause: float = 0.05) -> None:
        """Wait for the daemon to come to something."""
        deadline = time.monotonic() + _DEADLINE
        while not condition():
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                raise TimeoutError(self.log.read_text()[-2000:])
            time.sleep(pause)

    def _client(self) -> httpx.Client:
        transport = httpx.HTTPTransport(uds=str(self.socket))
        return httpx.Client(transport=transport, base_url="http://x", timeout=_DEADLINE)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket)) == 0


@contextmanager
def host() -> Iterator[Host]:
    """A host in a temporary folder; its daemon is ended with it."""
    with tempfile.TemporaryDirectory(prefix="tg") as folder:
        made = Host(Path(folder))
        try:
            yield made
        finally:
            if made._process is not None:
                made.stop(signal.SIGKILL)


def write_spans(path: Path, size: int, *, first: int = 0) -> int:
    """Append OTLP lines of about `size` bytes in all: 24 services, 240 operations, traces of 5 spans, 10,000 spans/s.

    :param first: the number of the first span; different numbers, different spans
    :return: the number behind the last one
    """
    random_ = random.Random(first)
    number, written = first, 0
    with path.open("ab") as file:
        while written < size:
            line = _line(number, random_)
            written += file.write(line)
            number += _LINE
    return number


def _line(first: int, random_: random.Random) -> bytes:
    services: dict[int, list[dict[str, object]]] = {}
    for number in range(first, first + _LINE):
        start = _BORN + number * 100_000
        operation = random_.randrange(240)
        failed = random_.random() < 0.01
        span: dict[str, object] = {
            "traceId": f"{number // 5 + 1:032x}",
            "spanId": f"{number + 1:016x}",
            "parentSpanId": f"{number:016x}" if number % 5 else "",
            "name": f"GET /operation/{operation}",
            "kind": 2,
            "startTimeUnixNano": str(start),
            "endTimeUnixNano": str(start + int(random_.lognormvariate(15, 1.2))),
            "attributes": [
                {"key": "url.path", "value": {"stringValue": f"/item/{random_.randrange(10**6)}"}},
                {"key": "net.peer.ip", "value": {"stringValue": f"10.0.0.{random_.randrange(256)}"}},
            ],
            "status": {"code": 2, "message": "upstream timeout"} if failed else {},
        }
        services.setdefault(operation % 24, []).append(span)
    resources = [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": f"service-{number}"}}]},
            "scopeSpans": [{"spans": spans}],
        }
        for number, spans in services.items()
    ]
    return json.dumps({"resourceSpans": resources}, separators=(",", ":")).encode() + b"\n"
