"""The OpenTelemetry Collector as a process of a benchmark: it makes metrics of spans in files, and says how many it saw."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Final, Self

__all__ = ["Collector"]

_PATIENCE: Final = 300.0
"""Seconds that it has."""


class Collector:
    """The otlpjsonfile receiver's parts, the spanmetrics connector and a counting exporter; ended when it is left.

    :param files: OTLP/JSON lines, followed as they grow
    :param folder: for its configuration
    """

    PROGRAM: ClassVar = Path(__file__).parents[2] / "target" / "collector" / "collector"
    """Built by `tests/bench/collector/build.sh`."""

    def __init__(self, files: list[str], folder: Path) -> None:
        self._tally, self._config = folder / "tally", folder / "collector.json"
        self._tally.write_text("0")
        self._config.write_text(
            json.dumps(
                {
                    "receivers": {"otlpjson": {"include": files, "start_at": "beginning", "max_log_size": "16MiB"}},
                    "connectors": {"spanmetrics": {"metrics_flush_interval": "1s"}},
                    "exporters": {"tally": {"path": str(self._tally)}, "nop": {}},
                    "service": {
                        "telemetry": {"metrics": {"level": "none"}, "logs": {"level": "error"}},
                        "pipelines": {
                            "traces": {"receivers": ["otlpjson"], "exporters": ["spanmetrics", "tally"]},
                            "metrics": {"receivers": ["spanmetrics"], "exporters": ["nop"]},
                        },
                    },
                }
            )
        )

    def __enter__(self) -> Self:
        """Start it."""
        command = [str(self.PROGRAM), f"--config={self._config}"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self.process.terminate()
        self.process.communicate()

    def events(self) -> int:
        """How many spans it has counted."""
        return int(self._tally.read_text() or 0)

    def until(self, spans: int) -> int:
        """Wait until it has counted so many.

        :raises subprocess.CalledProcessError: if it ends before, or takes too long
        """
        deadline = time.monotonic() + _PATIENCE
        while (counted := self.events()) < spans:
            if time.monotonic() > deadline or self.process.poll() is not None:
                self.process.terminate()
                _, errors = self.process.communicate()
                raise subprocess.CalledProcessError(
                    1, "collector", stderr=errors or f"only {counted} spans were counted\n"
                )
            time.sleep(0.01)
        return counted

    def seconds(self) -> float:
        """CPU time it has taken so far, of all its threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
