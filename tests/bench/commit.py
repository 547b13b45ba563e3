"""What a commit costs, and what it keeps waiting: on states of 1 MiB and of 50 MiB.

``target/venv/bin/python -m tests.bench.commit [ROUNDS]``: 20 rounds each unless said otherwise. Of every commit: how long the
engine's lock was held while the state was copied, how long the copy took to become bytes, how long those took to be safe on
the disk, all together, by the clock and of a
processor; beside it, as the least that any program would need, ``cp`` and an fsync of as many bytes. Then, while
blocks of spans come in one after the other, with commits and without: the longest that the event loop was late, and that
a block took to be ingested.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Collection, Iterator, Mapping
from pathlib import Path
from typing import Final, Self

import anyio

from tracegist._engine import Engine
from tracegist.commit import Committer
from tracegist.pipeline import Pipeline
from tracegist.sources import Chunk, Position, Progress

MIB: Final = 1 << 20
_BORN: Final = 1_767_225_600_000_000_000
_SERVICES: Final = 12
_BLOCK: Final = 40 * _SERVICES
_TICK: Final = 0.002
_CP: Final = shutil.which("cp") or "/bin/cp"


def blocks(first: int = 0) -> Iterator[bytes]:
    """OTLP lines of spans without end: 12 services, 240 operations, traces of 5 spans, 50,000 spans a second."""
    number = first
    while True:
        lines = []
        for service in range(_SERVICES):
            spans = ",".join(_span(place, service) for place in range(number, number + _BLOCK // _SERVICES))
            number += _BLOCK // _SERVICES
            lines.append(
                f'{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":'
                f'"service-{service}"}}}}]}},"scopeSpans":[{{"spans":[{spans}]}}]}}]}}\n'
            )
        yield "".join(lines).encode()


def _span(number: int, service: int) -> str:
    start = _BORN + number * 20_000
    # Ids are as random as those of programs: what repeats would be written faster than it is in life.
    trace, parent = (number // 5) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 128), number * 0x9E3779B97F4A7C15
    # The end of a trace's id is left for whoever gives the same spans again.
    return (
        f'{{"traceId":"{trace >> 32:024x}{0:08x}","spanId":"{(parent + 0x9E3779B97F4A7C15) % (1 << 64):016x}",'
        f'"parentSpanId":"{parent % (1 << 64):016x}","name":"GET /operation/{service}/{number % 20}","kind":2,'
        f'"startTimeUnixNano":"{start}","endTimeUnixNano":"{start + number * 7919 % 40_000_000}"}}'
    )


def fill(size: int) -> tuple[Engine, int]:
    """An engine whose state takes about so many bytes; and the number of the next span."""
    engine = Engine(max_open_spans=10_000_000, trace_hold=10**13, max_memory=4 << 30)
    number, step = 0, max(1, size // MIB // 4)
    made = blocks()
    while len(engine.snapshot()) < size:
        for _ in range(step * 20):
            engine.ingest("load", next(made), received=_BORN)
            number += _BLOCK
    return engine, number


class Load:
    """A source that never rests.

    :param first: the number of its first span
    """

    def __init__(self, first: int) -> None:
        self.name = "load"
        self._first = first

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        pass

    async def chunks(self, progress: Mapping[str, Progress]) -> AsyncGenerator[Chunk, None]:
        """Yield blocks without end."""
        del progress
        made = blocks(self._first)
        ready = [next(made) for _ in range(50)]
        offset = 0
        while True:
            # Made before, lest making them is what is measured. In traces of their own, for those of the first time would grow
            # without end, and a commit enters anew all that have grown.
            data = ready[offset % len(ready)].replace(b'00000000","spanId"', b'%08x","spanId"' % (offset // len(ready)))
            offset += 1
            yield Chunk(source="load", stream="load", data=data, position=Position(offset=offset), received=_BORN)

    async def committed(self, progress: Mapping[str, Progress]) -> Collection[str]:
        """Keep everything."""
        del progress
        return ()


async def stalls(engine: Engine, first: int, committer: Committer | None, seconds: float) -> tuple[float, float, int]:
    """The longest that the loop was late and that a block took, in seconds; and how many blocks there were."""
    pipeline = Pipeline(engine, [Load(first)])
    late = longest = 0.0
    blocks_before = 0

    async def tick() -> None:
        nonlocal late
        while True:
            due = time.perf_counter() + _TICK
            await anyio.sleep(_TICK)
            late = max(late, time.perf_counter() - due)

    async def watch() -> None:
        nonlocal longest, blocks_before
        version, since = await pipeline.news(0), time.perf_counter()
        while True:
            version = await pipeline.news(version)
            now = time.perf_counter()
            longest, since = max(longest, now - since), now
            blocks_before += 1

    async with anyio.create_task_group() as tasks:
        for task in (pipeline.run, tick, watch):
            tasks.start_soon(task)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            if committer is None:
                await anyio.sleep(seconds)
            else:
                await committer.commit(pipeline)
        tasks.cancel_scope.cancel()
    return late, longest, blocks_before


def show(name: str, times: list[tuple[float, float]]) -> None:
    """Print of what was measured a median and what one in a hundred is longer than; and the median time of a processor."""
    ordered = sorted(time for time, _ in times)
    p99 = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
    processor = statistics.median(processor for _, processor in times)
    print(
        f"  {name:34} p50 {statistics.median(ordered) * 1e3:7.1f} ms   p99 {p99 * 1e3:7.1f} ms   "
        f"of a processor {processor * 1e3:6.1f} ms",
        flush=True,
    )


def copied(source: Path, target: Path) -> tuple[float, float]:
    """Seconds that ``cp`` and an fsync of the copy take; and those of a processor."""
    began = _now()
    subprocess.run([_CP, str(source), str(target)], check=True)
    descriptor = os.open(target, os.O_RDWR)
    os.fsync(descriptor)
    os.close(descriptor)
    took = _between(began, _now())
    target.unlink()
    return took


def _now() -> tuple[float, float]:
    mine, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return time.perf_counter(), sum(one.ru_utime + one.ru_stime for one in (mine, children))


def _between(began: tuple[float, float], ended: tuple[float, float]) -> tuple[float, float]:
    return ended[0] - began[0], ended[1] - began[1]


def main(rounds: int = 20) -> None:
    """Measure."""
    for size in (MIB, 50 * MIB):
        engine, number = fill(size)
        with tempfile.TemporaryDirectory(prefix="tg", dir=Path.cwd()) as folder:
            committer = Committer(Path(folder))
            progress = {"load": Progress(source="load", position=Position(offset=1, path="/var/log/load"))}
            steps: dict[str, list[tuple[float, float]]] = {}
            state: list[bytes] = []
            for _ in range(rounds):
                at = [_now()]
                capture = engine.capture()
                at.append(_now())
                state = capture.encode()
                at.append(_now())
                generation = committer.write(state, progress)
                at.append(_now())
                peer = copied(Path(folder) / f"snapshot-{generation}.tgs", Path(folder) / "copy")
                for place, name in enumerate(
                    ("copied, the engine's lock held", "put in order", "written, synced, renamed")
                ):
                    steps.setdefault(name, []).append(_between(at[place], at[place + 1]))
                steps.setdefault("all together", []).append(_between(at[0], at[3]))
                steps.setdefault("cp and fsync of as many bytes", []).append(peer)
            print(f"{sum(map(len, state)) / MIB:.1f} MiB of state, {rounds} commits")
            for name, times in steps.items():
                show(name, times)
            for name, given in (("without commits", None), ("commits without a pause", committer)):
                late, longest, count = anyio.run(stalls, engine, number, given, 5.0)
                print(
                    f"  {name + ', 5 s:':34} loop late by {late * 1e3:.0f} ms at most, "
                    f"a block by {longest * 1e3:.0f} ms, {count} blocks of {_BLOCK} spans",
                    flush=True,
                )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
