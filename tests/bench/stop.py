"""How long the daemon takes to be gone after SIGTERM, with a large state and while it reads as fast as it can.

``target/venv/bin/python -m tests.bench.stop [ROUNDS] [MIB] [DISK]``: 20 rounds after 600 MiB (50 MiB of state) unless said
otherwise, and if DISK is given, on a disk that syncs so many MiB a second. Each round starts the daemon on the state of the
one before and stops it at a random moment, until half as much again has been read.
"""

from __future__ import annotations

import random
import statistics
import sys
import time

from .disk import Disk
from .host import host, write_spans


def main(rounds: int = 20, mib: int = 600, rate: int = 0) -> None:
    """Measure."""
    random_ = random.Random(1)
    with host() as made:
        file, more = made.folder / "load.jsonl", made.folder / "more.part"
        write_spans(more, mib << 19, first=write_spans(file, mib << 20))
        whole = file.stat().st_size
        made.configure(
            f'[[sources]]\ntype = "tail"\npaths = ["{made.folder}/*.jsonl"]\n',
            engine='trace_hold = "10m"\nmax_open_spans = 2_000_000\nmemory_limit = "1GiB"',
        )
        environ = {}
        if rate:
            disk = Disk(made.folder)
            environ = disk.environ
            disk.slow(made.state, rate << 20)
        made.start(**environ)
        made.until(lambda: made.status()["ledger"]["bytes"] >= whole)
        made.stop()
        more.rename(more.with_suffix(".jsonl"))
        size = whole + more.with_suffix(".jsonl").stat().st_size
        times: list[float] = []
        read = whole
        while len(times) < rounds and read < size:
            made.start(**environ)
            made.until(lambda read=read: made.status()["ledger"]["bytes"] > read)  # type: ignore[misc]
            time.sleep(random_.uniform(0, 0.5))  # not for anything to happen: the moment is to be any
            read = int(made.status()["ledger"]["bytes"])
            times.append(made.stop())
            newest = max(made.state.glob("snapshot-*.tgs"), key=lambda path: path.stat().st_mtime)
            print(
                f"{read >> 20} MiB read, {newest.stat().st_size / 2**20:.0f} MiB of state: gone after {times[-1]:.2f} s",
                flush=True,
            )
        print(f"gone after {statistics.median(times):.2f} s (median), {max(times):.2f} s (longest of {len(times)})")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
