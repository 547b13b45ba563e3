"""What it costs to follow a file that grows, beside the OpenTelemetry Collector that makes metrics of the same spans.

    target/venv/bin/python -m tests.bench.tailing [--spans 500000] [--rate 100]

A file of OTLP/JSON lines is appended to at a rate, in MB a second (0: as fast as it can be written), while one of the two
follows it; the load is that of `tests.bench.throughput`. Printed are the CPU time that each takes from the first byte on until
its last span is counted, the time from the last byte to then, and the first as multiples of tracegist's. The Collector is left
out where `tests/bench/collector/build.sh` has not built it.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path
from typing import Final

from .collector_process import Collector
from .daemon import Daemon
from .throughput import write

_BLOCK: Final = 256 << 10


def _append(path: Path, data: bytes, rate: float) -> None:
    """Append whole lines at a rate, in bytes a second."""
    began, written = time.monotonic(), 0
    with path.open("ab", buffering=0) as file:
        while written < len(data):
            end = data.find(b"\n", min(written + _BLOCK, len(data) - 1)) + 1
            written += file.write(data[written:end])
            if rate:
                time.sleep(max(0.0, began + written / rate - time.monotonic()))


def _follow(who: Daemon | Collector, path: Path, data: bytes, spans: int, rate: float) -> tuple[float, float]:
    """Measure one: seconds of CPU time, and those from the last byte to the last span."""
    before = who.seconds()
    _append(path, data, rate)
    ended = time.monotonic()
    if isinstance(who, Daemon):
        who.until(lambda: who.events() >= spans, pause=0.01)
    else:
        who.until(spans)
    return who.seconds() - before, time.monotonic() - ended


def main() -> None:
    """Have each follow the same bytes, and print what it took them."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--spans", type=int, default=500_000)
    arguments.add_argument("--rate", type=float, default=100.0, help="MB a second")
    told = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        load, path = folder / "load", folder / "grows.jsonl"
        write(load, told.spans, random.Random(7))
        data = load.read_bytes()
        path.touch()
        with Daemon(folder, f'[[sources]]\ntype = "tail"\npaths = ["{path}"]\n') as daemon:
            found = {"tracegist": _follow(daemon, path, data, told.spans, told.rate * 1e6)}
        if Collector.PROGRAM.exists():
            path.write_bytes(b"")
            with Collector([str(path)], folder) as collector:
                found["collector"] = _follow(collector, path, data, told.spans, told.rate * 1e6)
        for who, (used, late) in found.items():
            times = used / found["tracegist"][0]
            print(f"{who:10} CPU {used:6.2f} s ({times:5.2f} x)  behind at the end {late:6.2f} s")


if __name__ == "__main__":
    main()
