"""What thousands of quiet files cost: the time until a daemon has read them, and the CPU it takes from then on.

    target/venv/bin/python -m tests.bench.idle [--files 10000] [--folders 20] [--seconds 60]

It prints two lines. "idle" is the CPU time of the whole process, from /proc/PID/stat, as a share of one core. The watcher
is there, as it is by default, and has nothing to tell.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from .daemon import Daemon


def main() -> None:
    """Make the files, start a daemon on them, and watch it do nothing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--folders", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tg") as name:
        folder = Path(name)
        quiet_since = time.time() - 3600
        for number in range(options.files):
            path = folder / "log" / f"app-{number % options.folders}" / f"{number}.log"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f'{{"level":"info","msg":"file {number} was begun"}}\n')
            os.utime(path, (quiet_since, quiet_since))
        with Daemon(folder, f'[[sources]]\ntype = "tail"\npaths = ["{folder}/log/**/*.log"]\n') as daemon:
            daemon.until(lambda: daemon.events() >= options.files)
            print(
                f"start: {options.files} files read {time.monotonic() - daemon.started:.1f} s after the daemon's start"
            )
            # The commit of what was read is no part of being idle.
            time.sleep(10)
            before, began = daemon.seconds(), time.monotonic()
            time.sleep(options.seconds)
            share = (daemon.seconds() - before) / (time.monotonic() - began)
            print(f"idle: {100 * share:.2f} % of a core over {options.seconds:.0f} s")


if __name__ == "__main__":
    main()
