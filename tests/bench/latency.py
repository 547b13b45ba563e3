"""How long it takes until a record appended to a file is known on the socket, alone and beside a source that saturates.

    target/venv/bin/python -m tests.bench.latency [--records 300] [--backlog 400]

A record is appended to a quiet file at a random moment, and `/status` is asked until it counts. Then the same beside a second
source, of which more megabytes lie there unread than can be read in the time: one that never comes to an end. "summary" is the
time until a summary with the record in it has come over `/summary/stream`; it is rendered once a second.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from .daemon import Daemon

_PAUSE = 0.3
_LINE = '{{"level":"info","service":"{service}","msg":"order {number} was paid in {duration} ms by card","ms":{duration}}}\n'


def main() -> None:
    """Measure once alone, once beside the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=300)
    parser.add_argument("--backlog", type=int, default=400, help="MB that lie there at the start; more is written on")
    options = parser.parse_args()
    for saturated in (False, True):
        with tempfile.TemporaryDirectory(prefix="tg") as name:
            folder = Path(name)
            quiet, busy = folder / "quiet.jsonl", folder / "busy.jsonl"
            quiet.touch()
            sources = f'[[sources]]\ntype = "tail"\nname = "quiet"\npaths = ["{quiet}"]\n'
            if saturated:
                sources += f'[[sources]]\ntype = "tail"\nname = "busy"\npaths = ["{busy}"]\n'
                fill(busy, options.backlog << 20)
            with Daemon(folder, sources) as daemon:
                measure(daemon, quiet, busy if saturated else None, options.records)


def fill(path: Path, size: int) -> None:
    """Write so many bytes of records."""
    random_ = random.Random(1)
    lines = [line("busy", number, random_) for number in range(20_000)]
    block = "".join(lines).encode()
    with path.open("ab") as file:
        for _ in range(size // len(block) + 1):
            file.write(block)


def line(service: str, number: int, random_: random.Random) -> str:
    """A log record."""
    return _LINE.format(service=service, number=number, duration=random_.randrange(1000))


def measure(daemon: Daemon, quiet: Path, busy: Path | None, records: int) -> None:
    """Append records one by one, and print how long each took."""
    random_ = random.Random(2)
    over = threading.Event()
    topping = threading.Thread(target=top_up, args=(daemon, busy, over)) if busy else None
    if topping:
        topping.start()
        daemon.until(lambda: events(daemon, "busy"))
    waits, size, began, before = [], 0, time.monotonic(), daemon.status()["ledger"]["bytes"]
    for number in range(records):
        time.sleep(random_.uniform(0, 2 * _PAUSE))
        with quiet.open("a") as file:
            file.write(line("quiet", number, random_))
        appended = time.perf_counter()
        while events(daemon, "quiet") <= number:
            time.sleep(0.005)
        waits.append(time.perf_counter() - appended)
    size = daemon.status()["ledger"]["bytes"] - before
    over.set()
    if topping:
        topping.join()
    rate = size / (time.monotonic() - began) / 1e6
    show(f"beside {rate:.0f} MB/s" if busy else "alone", waits)
    if not busy:
        show("alone, in the summary", summaries(daemon, quiet, records // 5, records))


def events(daemon: Daemon, source: str) -> int:
    """How many events of a source were decoded."""
    return next(int(one["events"]) for one in daemon.status()["sources"] if one["name"] == source)


def top_up(daemon: Daemon, busy: Path, over: threading.Event) -> None:
    """See that there is always something to be read, without it becoming endless."""
    while not over.wait(0.5):
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(daemon.folder / "t.sock")), timeout=60.0) as client:
            read = client.get("http://x/status").json()["ledger"]["bytes"]
        if busy.stat().st_size - read < 200 << 20:
            fill(busy, 100 << 20)


def summaries(daemon: Daemon, quiet: Path, records: int, known: int) -> list[float]:
    """How long it takes until a summary that counts a record has come over the stream."""
    random_ = random.Random(3)
    waits = []
    headers = {"Accept": "application/json"}
    with daemon.client.stream("GET", "/summary/stream", headers=headers) as answer:
        counts = counted(answer)
        for number in range(known, known + records):
            time.sleep(random_.uniform(0, 2))
            with quiet.open("a") as file:
                file.write(line("quiet", number, random_))
            appended = time.perf_counter()
            while counts() <= number:
                pass
            waits.append(time.perf_counter() - appended)
    return waits


def counted(answer: httpx.Response) -> Callable[[], int]:
    """The next summary of a stream: how many events it has counted."""
    lines = answer.iter_lines()

    def count() -> int:
        data = next(line for line in lines if line.startswith("data:"))
        return int(json.loads(data.removeprefix("data:"))["ledger"]["events"])

    return count


def show(what: str, waits: list[float]) -> None:
    """Print the median, the 99th percentile and the longest."""
    cuts = statistics.quantiles(waits, n=100, method="inclusive")
    print(
        f"{what}: p50 {1000 * cuts[49]:.0f} ms, p99 {1000 * cuts[98]:.0f} ms, longest {1000 * max(waits):.0f} ms "
        f"({len(waits)} records)"
    )


if __name__ == "__main__":
    main()
