"""How long a record waits to be counted, alone and beside sources that never rest; and what waiting costs in memory.

``target/venv/bin/python -m tests.bench.fairness [RECORDS] [MIB]``: 200 records, beside files of 400 MiB, unless said otherwise.
A record is appended to a file of its own, and the socket is asked until it has been counted. Then the same with a disk that
syncs 2 MiB a second, where there is a C compiler, and 50 readers of the stream who never read: the memory of the daemon.
"""

from __future__ import annotations

import random
import shutil
import socket
import statistics
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from .disk import Disk
from .host import Host, host, write_spans

_RECORD = '{"time":"2026-01-01T00:00:00Z","level":"info","service":"quiet","msg":"one more"}\n'


def resident(made: Host) -> int:
    """Bytes of memory that the daemon has."""
    status = Path(f"/proc/{made.pid}/status").read_text()
    return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmRSS"))


def measure(made: Host, name: str, records: int) -> None:
    """Append records at random moments, and print how long each took to be counted."""
    quiet, times, random_ = made.folder / "quiet.log", [], random.Random(1)

    def stream() -> int:
        return next(int(one["events"]) for one in made.status()["sources"] if one["name"] == "quiet")

    before, read, began = stream(), made.status()["ledger"]["bytes"], time.monotonic()
    for number in range(1, records + 1):
        time.sleep(random_.uniform(0, 0.05))  # the moment is to be any
        with quiet.open("a") as file:
            file.write(_RECORD)
        appended = time.monotonic()
        made.until(lambda number=number: stream() >= before + number, 0.002)  # type: ignore[misc]
        times.append(time.monotonic() - appended)
    rate = (made.status()["ledger"]["bytes"] - read) / (time.monotonic() - began) / 2**20
    times.sort()
    print(
        f"{name:44} p50 {statistics.median(times) * 1e3:6.0f} ms   p99 {times[len(times) * 99 // 100] * 1e3:6.0f} ms   "
        f"{rate:5.1f} MiB/s taken in, {resident(made) >> 20} MiB resident",
        flush=True,
    )


def main(records: int = 200, mib: int = 400) -> None:
    """Measure."""
    with ExitStack() as stack:
        made = stack.enter_context(host())
        quiet = f'[[sources]]\ntype = "tail"\nname = "quiet"\npaths = ["{made.folder}/quiet.log"]\n'
        (made.folder / "quiet.log").touch()
        made.configure(quiet)
        made.start()
        measure(made, "alone", records)
        made.stop()
        busy = ""
        for number in range(3):
            file = made.folder / f"busy{number}.jsonl"
            write_spans(file, mib << 20, first=number * 10_000_000)
            busy += f'[[sources]]\ntype = "tail"\nname = "busy{number}"\npaths = ["{file}"]\n'
        try:
            disk = Disk(made.folder)
        except FileNotFoundError:
            disk = None
        first = busy.split("[[sources]]")[1]
        made.configure(f"{quiet}[[sources]]{first}")
        made.start()
        measure(made, "beside one that never rests", records)
        made.stop()
        made.configure(quiet + busy)
        made.start()
        measure(made, "beside three", records // 2)
        made.stop()
        # Anew, so that there is as much to read.
        shutil.rmtree(made.state)
        made.start(**(disk.environ if disk else {}))
        if disk is not None:
            disk.slow(made.folder, 2 << 20)
        for _ in range(50):
            reader = stack.enter_context(socket.socket(socket.AF_UNIX))
            reader.connect(str(made.socket))
            reader.sendall(b"GET /summary/stream HTTP/1.1\r\nHost: x\r\n\r\n")
        made.until(lambda: made.status()["summary"]["subscribers"] == 50)
        measure(made, "and on a slow disk, 50 readers not reading", records // 2)
        status = made.status()
        print(
            f"{status['waiting_bytes'] >> 10} KiB read and not taken in; the last commit took {status['commit']['took_s']} s"
        )
        if disk is not None:
            disk.work()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
