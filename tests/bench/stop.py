"""How long the daemon takes to be gone after SIGTERM, while it reads a large file as fast as it can.

``target/venv/bin/python -m tests.bench.stop [ROUNDS] [MIB] [DISK]``: 20 rounds on 1,000 MiB unless said otherwise, and if DISK
is given, on a disk that syncs so many MiB a second. Each round starts the daemon on the state of the one before, or anew at the
end of the file, and stops it at a random moment.
"""

from __future__ import annotations

import random
import shutil
import sys
import time

from .disk import Disk
from .host import host, write_spans


def main(rounds: int = 20, mib: int = 1000, rate: int = 0) -> None:
    """Measure."""
    random_ = random.Random(1)
    with host() as made:
        file = made.folder / "load.jsonl"
        write_spans(file, mib << 20)
        made.configure(
            f'[[sources]]\ntype = "tail"\npaths = ["{file}"]\n', engine='trace_hold = "10m"\nmax_open_spans = 2_000_000'
        )
        environ = {}
        if rate:
            disk = Disk(made.folder)
            environ = disk.environ
            disk.slow(made.state, rate << 20)
        times, sizes = [], []
        for _ in range(rounds):
            made.start(**environ)
            time.sleep(random_.uniform(0.2, 2.5))  # not for anything to happen: the moment is to be any
            read = made.status()["ledger"]["bytes"]
            times.append(made.stop())
            newest = max(made.state.glob("snapshot-*.tgs"), key=lambda path: path.stat().st_mtime)
            sizes.append(newest.stat().st_size)
            print(
                f"{read >> 20} MiB read, {sizes[-1] / 2**20:.0f} MiB of state: gone after {times[-1]:.2f} s", flush=True
            )
            if read >= file.stat().st_size:
                shutil.rmtree(made.state)
        print(f"gone after {sorted(times)[len(times) // 2]:.2f} s (median), {max(times):.2f} s (longest of {rounds})")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
