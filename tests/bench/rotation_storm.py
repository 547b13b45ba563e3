"""Rotations as fast as they come: a writer at a steady rate whose file is renamed, compressed or truncated many times a second.

    target/venv/bin/python -m tests.bench.rotation_storm [--modes renamed,...] [--seconds 30] [--interval 0.1] [--peer]

``renamed``: renamed and made anew, nothing deleted. ``shifted``: renamed to .1, .2 and so on, all but the newest 20 deleted.
``compressed``: renamed and compressed at once. ``copied``: truncated in place when all in it was counted. ``truncated``:
truncated in place whatever was read: what was still unread is gone, and that is the end of a file as it was then. Anything
lost besides stands under "beyond", and the exit code is 0 if that and "doubled" are nothing. ``--peer`` does the same to the
OpenTelemetry Collector.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
import tempfile
import time
from bisect import bisect
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from .load import Compressed, Growing, Records, Renamed, Shifted, Truncated
from .readers import Account, Collector, Reader, Tracegist, settle, until

MODES: Final = {
    "renamed": Renamed,
    "shifted": Shifted,
    "compressed": Compressed,
    "copied": Truncated,
    "truncated": Truncated,
}
_KEPT: Final = 20
_TICK: Final = 0.005
_BLOCK: Final = 4
# Tens of thousands of blocks are series, and their evidence is of no use here.
_ENGINE: Final = 'max_series = 200000\nmax_evidence = "1MiB"\n'


@dataclass
class Storm:
    """A writer, and what it did when.

    :param ends: for each file there was, the number behind its last record
    :param turned: when it was rotated
    :param written: times and the numbers that were reached by then
    """

    writer: Growing
    mode: str
    ends: list[int] = field(default_factory=list)
    turned: list[float] = field(default_factory=list)
    written: list[tuple[float, int]] = field(default_factory=list)

    def blow(self, reader: Reader, *, seconds: float, interval: float, rate: float) -> float:
        """Write and rotate; return how many seconds it took."""
        began = turned = time.monotonic()
        while (now := time.monotonic()) < began + seconds:
            due = int((now - began) * rate) - self.writer.records.made
            if due > 0:
                self.writer.write(due)
                self.written.append((time.monotonic(), self.writer.records.made))
            if now >= turned + interval:
                self._turn(reader)
                turned = max(turned + interval, time.monotonic() - interval)
            time.sleep(_TICK)
        self.writer.finish()
        return time.monotonic() - began

    def _turn(self, reader: Reader) -> None:
        # Whole blocks, so that what is lost of a block was lost of one file.
        self.writer.write(-self.writer.records.made % _BLOCK)
        if self.mode in {"copied", "truncated"}:
            self.writer.finish()
        if self.mode == "copied":
            until(lambda: (reader.read() or 0) >= self.writer.records.made)
        self.writer.rotate()
        self.ends.append(self.writer.records.made)
        self.turned.append(time.monotonic())
        if self.mode != "renamed":
            self.writer.tidy()

    def judge(self, account: Account) -> tuple[dict[int, int], float]:
        """Tell what was destroyed before it was read from what was lost.

        :return: what was not the unread end of a file that was destroyed, and for how many seconds the oldest of the others
            had been there to be read
        """
        beyond: dict[int, int] = {}
        oldest = 0.0
        reached: dict[int, int | None] = {}
        for number, count in sorted(account.lost.items(), reverse=True):
            place = bisect(self.ends, number)
            gone = place + (0 if isinstance(self.writer, Truncated) else _KEPT)
            destroyed = self.mode != "renamed" and gone < len(self.turned)
            # Block by block from the end of the file: what lies before one that was read, even in part, was there to be read.
            if not destroyed or number + account.block != reached.get(place, self.ends[place]):
                beyond[number] = count
                continue
            reached[place] = number if count == account.block else None
            oldest = max(oldest, self.turned[gone] - self._time_of(number + account.block - 1))
        return beyond, oldest

    def _time_of(self, number: int) -> float:
        place = bisect(self.written, number, key=lambda entry: entry[1])
        return self.written[min(place, len(self.written) - 1)][0]


def main() -> int:
    """One storm after another, and a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--modes", default=",".join(MODES), help=f"some of {','.join(MODES)}")
    parser.add_argument("--seconds", type=float, default=30, help="of each")
    parser.add_argument("--interval", type=float, default=0.1, help="seconds between two rotations")
    parser.add_argument("--rate", type=float, default=500, help="records a second")
    parser.add_argument("--peer", action="store_true", help="the collector in the place of tracegist")
    parser.add_argument("--synchronous", action="store_true", help="the collector with stanza.synchronousLogEmitter")
    options = parser.parse_args()
    modes = options.modes.split(",")
    if unknown := set(modes) - set(MODES):
        sys.exit(f"--modes {','.join(unknown)}: choose from {','.join(MODES)}")
    heads = ("rot/min", "records", "lost", "beyond", "doubled", "oldest s", "rest s")
    print(f"{'mode':12}" + "".join(f"{head:>10}" for head in heads) + "  where")
    failed = [run(mode, options) for mode in modes]
    return int(any(failed))


def run(mode: str, options: argparse.Namespace) -> bool:
    """A storm of one kind; whether anything was doubled, or lost beyond what was destroyed."""
    with tempfile.TemporaryDirectory(prefix="tg") as name:
        folder = Path(name)
        (folder / "logs").mkdir()
        records = Records(mode, itertools.count(), folder / "truth", block=_BLOCK)
        writer = MODES[mode](folder / "logs" / f"{mode}.log", records, random.Random(1))
        writer.kept = _KEPT
        reader: Reader
        if options.peer or options.synchronous:
            reader = Collector(folder, {mode: writer.pattern}, synchronous=options.synchronous)
        else:
            reader = Tracegist(folder)
            reader.configure(f'[[sources]]\ntype = "tail"\npaths = [{json.dumps(writer.pattern)}]\n', engine=_ENGINE)
        reader.start()
        try:
            until(reader.ready)
            storm = Storm(writer, mode)
            seconds = storm.blow(reader, seconds=options.seconds, interval=options.interval, rate=options.rate)
            _, rested = settle(reader, records.made)
        except BaseException:
            reader.kill()
            raise
        reader.stop()
        account = reader.account(records)
        writer.close()
    beyond, oldest = storm.judge(account)
    amounts = [records.made, *(sum(part.values()) for part in (account.lost, beyond, account.doubled))]
    figures = "".join(f"{amount:>10}" for amount in (round(60 * len(storm.turned) / seconds), *amounts))
    where = replace(account, lost=beyond).where
    print(f"{mode:12}{figures}{oldest:>10.2f}{rested:>10.1f}  {where}", flush=True)
    return bool(beyond or account.doubled)


if __name__ == "__main__":
    sys.exit(main())
