"""How long a command takes that has next to nothing to do, beside Python itself.

``target/venv/bin/python -m tests.bench.start [--times 40]``

Each command is run that often, in turn with the others, so that all have the same share of whatever else the machine does:
Python with nothing to do, `tracegist --help`, and `tracegist summarize` on a file of 100 KB. Printed are the wall time and that
of a processor, user and system: the median, and the shortest.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from .host import write_spans

_SIZE: Final = 100 << 10


def _run(command: list[str]) -> tuple[float, float]:
    """Seconds on the wall, and of a processor."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    took = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return took, used.ru_utime + used.ru_stime


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=40)
    times: int = parser.parse_args().times
    with tempfile.TemporaryDirectory(prefix="tg") as folder:
        file = Path(folder) / "spans.jsonl"
        write_spans(file, _SIZE)
        tracegist = [sys.executable, "-P", "-m", "tracegist"]
        commands = {
            "python -c pass": [sys.executable, "-P", "-c", "pass"],
            "tracegist --help": [*tracegist, "--help"],
            "tracegist summarize, 100 KB": [*tracegist, "summarize", str(file)],
        }
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(times):
            for name, command in commands.items():
                found[name].append(_run(command))
    print(f"{'':28} {'wall':>9} {'shortest':>9} {'processor':>9} {'shortest':>9}")
    for name, runs in found.items():
        columns = (figure for of in zip(*runs, strict=True) for figure in (statistics.median(of), min(of)))
        print(f"{name:28} " + " ".join(f"{1000 * figure:6.0f} ms" for figure in columns))


if __name__ == "__main__":
    main()
