"""How long news takes to be seen, and an answer to come, while the daemon takes in a steady stream of spans.

    target/venv/bin/python -m tests.bench.latency [--seconds 20] [--rates 0,25,100,1000] [--asks 200]

For each rate, in MB of OTLP lines appended a second: a record is appended to a quiet file ten times a second, and the time
until the socket counts it is "visible"; ``GET /summary`` is asked so many times a second, on one connection and each at its
own moment whether the one before was late or not, and what it takes from that moment on is "summary". More than the engine
takes is a source that never ends. The daemon and this program share the machine's cores.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import random
import socket
import time
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Final

from .host import Host, host, write_spans

_RECORD: Final = '{"time":"2026-01-01T00:00:00Z","level":"info","service":"quiet","msg":"one more"}\n'
_PACE: Final = 0.1
_BLOCK: Final = 1 << 20
_LOOKS: Final = 0.01
"""Seconds between two looks at what is counted: the error of what is measured here."""


class _Connection(http.client.HTTPConnection):
    """To the daemon's socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("x", timeout=120)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)

    def answer(self, path: str) -> bytes:
        """Ask."""
        self.request("GET", path)
        return self.getresponse().read()


def append(path: Path, sample: Path, rate: float, over: Event) -> None:
    """Append to a file at a rate, the lines of the sample again and again."""
    data, written, place = sample.read_bytes(), 0, 0
    began = time.monotonic()
    with path.open("ab", buffering=0) as file:
        while not over.wait(0.005):
            due = int((time.monotonic() - began) * rate) - written
            while due > 0:
                end = data.find(b"\n", min(place + min(due, _BLOCK), len(data) - 1)) + 1
                count = file.write(data[place:end])
                place, written, due = end % len(data), written + count, due - count


def ask(path: Path, rate: float, over: Event, found: multiprocessing.SimpleQueue[list[float]]) -> None:
    """Ask for the summary at a rate; what is late waits for nobody, so that a stall shows in all that it delays."""
    connection, times = _Connection(path), []  # type: _Connection, list[float]
    due = time.monotonic()
    while not over.is_set():
        due += 1 / rate
        time.sleep(max(0.0, due - time.monotonic()))
        connection.answer("/summary")
        times.append(time.monotonic() - due)
    found.put(times)


def watch(made: Host, times: list[float], seconds: float) -> None:
    """Append records to a quiet file, and see when each is counted."""
    connection, random_ = _Connection(made.socket), random.Random(1)

    def counted() -> int:
        sources = json.loads(connection.answer("/status"))["sources"]
        return next(int(one["events"]) for one in sources if one["name"] == "quiet")

    before, end, number = counted(), time.monotonic() + seconds, 0
    while time.monotonic() < end:
        time.sleep(random_.uniform(0, 2 * _PACE))  # the moment is to be any
        with (made.folder / "quiet.log").open("a") as file:
            file.write(_RECORD)
        appended, number = time.monotonic(), number + 1
        while counted() < before + number:
            time.sleep(_LOOKS)
        times.append(time.monotonic() - appended)


def measure(made: Host, rate: float, sample: Path, options: argparse.Namespace) -> None:
    """One row."""
    over, seen = multiprocessing.Event(), []  # type: Event, list[float]
    asked: multiprocessing.SimpleQueue[list[float]] = multiprocessing.SimpleQueue()
    # Processes of their own: what one of them is late by is not to be the interpreter's turn of another.
    others = [multiprocessing.Process(target=ask, args=(made.socket, options.asks, over, asked))]
    if rate:
        busy = made.folder / "busy.jsonl"
        others.append(multiprocessing.Process(target=append, args=(busy, sample, rate * 1e6, over)))
    before, began = made.status()["ledger"]["bytes"], time.monotonic()
    for other in others:
        other.start()
    watch(made, seen, options.seconds)
    taken = (made.status()["ledger"]["bytes"] - before) / (time.monotonic() - began) / 1e6
    over.set()
    times = asked.get()
    for other in others:
        other.join()
    print(
        f"{rate:6g} MB/s appended, {taken:6.1f} taken in   visible {_show(seen)}   summary {_show(times)}", flush=True
    )


def _show(times: list[float]) -> str:
    ordered = sorted(times)
    p50, p99 = (ordered[len(ordered) * share // 100] * 1e3 for share in (50, 99))
    return f"p50 {p50:7.1f} ms  p99 {p99:7.1f} ms  longest {ordered[-1] * 1e3:7.1f} ms"


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20, help="of each row")
    parser.add_argument("--rates", default="0,25,100,1000", help="MB a second")
    parser.add_argument("--asks", type=float, default=200, help="for the summary, a second")
    options = parser.parse_args()
    with host() as made:
        quiet = f'[[sources]]\ntype = "tail"\nname = "quiet"\npaths = ["{made.folder}/quiet.log"]\n'
        busy = f'[[sources]]\ntype = "tail"\nname = "busy"\npaths = ["{made.folder}/busy.jsonl"]\n'
        (made.folder / "quiet.log").touch()
        (made.folder / "busy.jsonl").touch()
        sample = made.folder / "sample.part"
        write_spans(sample, 200 << 20)
        made.configure(quiet + busy)
        for rate in map(float, options.rates.split(",")):
            made.start()
            measure(made, rate, sample, options)
            made.stop()


if __name__ == "__main__":
    main()
