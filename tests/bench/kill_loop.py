"""Kills under load: a thousand times SIGKILL at any moment, while files grow, rotate and are dropped, and batches are pushed.

    target/venv/bin/python -m tests.bench.kill_loop [--kills 1000] [--seed 1] [--sources renamed,push,...] [--peer]

At every rest (``--rest`` kills apart) the writers pause until all is counted and committed; then old files are deleted,
compressed or truncated. At the end the counts of every source are compared with what was written, and the whole account
with that of one pass over the same bytes; with the single source ``file`` or ``push`` the state too, byte for byte. The
exit code is 0 if there is no difference. ``--peer`` does the same to the OpenTelemetry Collector, on the files alone.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from tracegist._engine import Engine
from tracegist.offline import ingest_paths

from .load import Compressed, Dated, Dropped, Growing, Pushed, Records, Renamed, Shifted, Truncated
from .readers import COLLECTOR, HOLD, Collector, Reader, Tracegist, settle, summary, until

FILES: Final = {
    "file": Growing,
    "renamed": Renamed,
    "shifted": Shifted,
    "dated": Dated,
    "truncated": Truncated,
    "compressed": Compressed,
}
SOURCES: Final = (*FILES, "spool", "push")
_TICK: Final = 0.01
_NUMBER: Final = re.compile(r" #\d+")
Writer = Growing | Dropped | Pushed


class Load:
    """Writers at work on threads of their own: one that pushes may wait for long.

    :param rate: records a second of each
    """

    def __init__(self, writers: Sequence[Writer], random_: random.Random, rate: float) -> None:
        self.writers = writers
        self._random = random_
        self._rate = rate
        self._over = threading.Event()
        self._failed: list[BaseException] = []
        pushing = [writer for writer in writers if isinstance(writer, Pushed)]
        groups = [[writer for writer in writers if not isinstance(writer, Pushed)], *([writer] for writer in pushing)]
        self._locks = [threading.Lock() for _ in groups]
        self._threads = [
            threading.Thread(target=self._work, args=pair, daemon=True)
            for pair in zip(groups, self._locks, strict=True)
        ]

    @property
    def made(self) -> int:
        """Records of all writers."""
        return sum(writer.records.made for writer in self.writers)

    def start(self) -> None:
        """Begin to write."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Write no more."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    @contextmanager
    def rest(self) -> Iterator[None]:
        """Pause, with every record complete."""
        with ExitStack() as stack:
            for lock in self._locks:
                stack.enter_context(lock)
            if self._failed:
                raise self._failed[0]
            for writer in self.writers:
                writer.finish()
            yield

    def _work(self, writers: Sequence[Writer], lock: threading.Lock) -> None:
        try:
            due = time.monotonic()
            while not self._over.wait(self._random.uniform(0, 2 * _TICK)):
                now = time.monotonic()
                most = 2 * self._rate * min(1.0, now - due)
                due = now
                with lock:
                    for writer in writers:
                        writer.write(self._random.randrange(1, 2 + int(most)))
                        # Once in two seconds on average.
                        if self._random.random() < _TICK / 2:
                            writer.rotate()
        except BaseException as error:
            self._failed.append(error)
            raise


def attack(
    reader: Reader, load: Load, random_: random.Random, *, kills: int, rest: int, up: float, say: Callable[[str], None]
) -> None:
    """Kill it again and again, and see between that it comes to the right count."""
    began = time.monotonic()
    reader.start()
    until(reader.ready)
    startup = time.monotonic() - began
    load.start()
    drift = 0
    for kill in range(1, kills + 1):
        # A third of them while it starts: these moments are to be any, so they are slept for.
        time.sleep(random_.uniform(0, 1.2 * startup) if random_.random() < 0.35 else startup + random_.uniform(0, up))
        reader.kill()
        reader.start()
        if kill == kills:
            load.stop()
        if kill % rest == 0 or kill == kills:
            with load.rest():
                # What was slow to come before is waited for in the end: it is lost if it is not there then.
                expected = load.made + (max(drift, 0) if kill == kills else drift)
                now = settle(reader, expected)[0] - load.made
                if now != drift:
                    say(f"after {kill} kills: {now - drift:+} records since the last rest")
                drift = now
                for writer in load.writers:
                    writer.tidy()
            say(f"{kill} kills, {load.made:,} records, {time.monotonic() - began:.0f} s")


def differences(reader: Tracegist, writers: Sequence[Writer]) -> list[str]:
    """What it says otherwise than one pass over the same bytes."""
    truths = [writer.records for writer in writers]
    engine = Engine(trace_hold=HOLD)
    ingest_paths(engine, [records.truth for records in truths], block=64 << 10)
    there, here = summary(reader.engine()), summary(engine)
    found = [f"{key}: {there[key]} for {here[key]}" for key in ("ledger", "verdicts") if there[key] != here[key]]
    lines = [{_NUMBER.sub("", fact["text"]) for fact in said["facts"]} for said in (there, here)]
    found += [f"said, and not in one pass: {line}" for line in sorted(lines[0] - lines[1])]
    found += [f"in one pass, and not said: {line}" for line in sorted(lines[1] - lines[0])]
    if len(truths) == 1 and truths[0].source in {"file", "push"}:
        found += _differing_bytes(reader, writers[0])
    return found


def _differing_bytes(reader: Tracegist, writer: Writer) -> list[str]:
    """Compare states byte for byte, where one stream in one order is all there was."""
    loaded = reader.snapshot()
    if loaded is None:
        return ["there is no snapshot"]
    state, progress = loaded
    (stream,) = progress or ["push/load"]
    engine = Engine(trace_hold=HOLD)
    truth = writer.records.truth
    source = str(writer.path) if isinstance(writer, Growing) else ""
    engine.ingest(stream, truth.read_bytes(), received=truth.stat().st_mtime_ns, source=source)
    same = engine.snapshot()
    if state == same:
        return []
    at = next((at for at, pair in enumerate(zip(state, same, strict=False)) if pair[0] != pair[1]), -1)
    return [f"the state ({len(state)} bytes) is not that of one pass ({len(same)} bytes), from byte {at} on"]


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1, help="of the moments, and of what is written")
    parser.add_argument("--sources", default=",".join(SOURCES), help=f"some of {','.join(SOURCES)}")
    parser.add_argument("--rate", type=float, default=150, help="records a second of each source")
    parser.add_argument(
        "--up", type=float, default=0.9, help="seconds it is left alone for at most, once it has started"
    )
    parser.add_argument("--rest", type=int, default=25, help="kills between two rests")
    parser.add_argument("--peer", action="store_true", help="the collector beside it, on the files")
    parser.add_argument("--synchronous", action="store_true", help="the collector with stanza.synchronousLogEmitter")
    parser.add_argument("--folder", type=Path, help="an empty one, which is kept; else a temporary one")
    return parser.parse_args()


def main() -> int:
    """Kill, compare, and print a table."""
    options = _parse()
    sources = options.sources.split(",")
    if unknown := set(sources) - set(SOURCES):
        sys.exit(f"--sources {','.join(unknown)}: choose from {','.join(SOURCES)}")
    with tempfile.TemporaryDirectory(prefix="tg") as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        return _run(folder, sources, options)


def _run(folder: Path, sources: Sequence[str], options: argparse.Namespace) -> int:
    random_ = random.Random(options.seed)
    ticks = itertools.count()
    logs, truths = folder / "logs", folder / "truth"
    logs.mkdir()
    truths.mkdir()
    peer = options.peer or options.synchronous
    daemon = Tracegist(folder)
    writers: list[Writer] = []
    for source in sources:
        records = Records(source, ticks, truths / source)
        if source in FILES:
            writers.append(FILES[source](logs / f"{source}.log", records, random_))
        elif source == "spool" and not peer:
            writers.append(Dropped(folder / "spool", records))
        elif not peer:
            writers.append(Pushed(daemon.client, records))
    daemon.configure(_toml(writers))
    reader: Reader = daemon
    if peer:
        if not COLLECTOR.exists():
            sys.exit(f"{COLLECTOR} is not there: tests/bench/collector/build.sh builds it")
        patterns = {writer.records.source: writer.pattern for writer in writers if isinstance(writer, Growing)}
        reader = Collector(folder, patterns, synchronous=options.synchronous)
    load = Load(writers, random_, options.rate)
    began = time.monotonic()
    try:
        attack(
            reader,
            load,
            random_,
            kills=options.kills,
            rest=options.rest,
            up=options.up,
            say=lambda line: print(line, flush=True),
        )
    except BaseException:
        reader.kill()
        raise
    reader.stop()
    failed = _table(reader, load, options, time.monotonic() - began)
    if isinstance(reader, Tracegist):
        found = differences(reader, writers)
        print("\n".join(found[:20]) or "the account is that of one pass over the same bytes")
        failed = failed or bool(found)
    for writer in writers:
        writer.close()
    return int(failed)


def _table(reader: Reader, load: Load, options: argparse.Namespace, seconds: float) -> bool:
    print(f"{reader.name}: {options.kills} kills in {seconds:.0f} s, seed {options.seed}")
    print(f"{'source':12}{'rotations':>10}{'records':>10}{'lost':>8}{'doubled':>8}  where")
    failed = False
    for writer in load.writers:
        account = reader.account(writer.records)
        lost, doubled = sum(account.lost.values()), sum(account.doubled.values())
        failed = failed or lost + doubled > 0
        name = f"{writer.records.source:12}{writer.rotations:>10}"
        print(f"{name}{account.made:>10}{lost:>8}{doubled:>8}  {account.where}")
    return failed


def _toml(writers: Sequence[Writer]) -> str:
    sources = []
    for writer in writers:
        name = f'[[sources]]\nname = "{writer.records.source}"\n'
        if isinstance(writer, Growing):
            sources.append(f'{name}type = "tail"\npaths = [{json.dumps(writer.pattern)}]\n')
        elif isinstance(writer, Dropped):
            sources.append(f'{name}type = "spool"\nfolder = {json.dumps(str(writer.path))}\n')
        else:
            sources.append(f'{name}type = "push"\n')
    return "".join(sources)


if __name__ == "__main__":
    sys.exit(main())
