"""Instructions of the engine's hot paths, which no other process changes: a slow-down is seen on a machine however busy.

``target/venv/bin/python -m tests.bench.instructions [--renew]``

Counted by cachegrind in the native module that is shipped, for each load as the difference of two runs, one with twice the
work of the other: all that Python does, the first event of a series and unpacking a vocabulary are in both. Compared with
`instructions.json` beside this file: the exit code is 1 if a load takes TOLERANCE more than there; if it takes as much less,
it is said, so that the figures are renewed. They hold for one compiler and one kind of processor, for which libraries choose
their loops: on another nothing is compared, and it is said.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import msgspec

from tracegist._engine import Engine

__all__ = ["LOADS", "TOLERANCE"]

TOLERANCE: Final = 0.05
"""Of a load's figure. Hashes are seeded anew by each process, which is worth some thousandths."""

_KEPT: Final = Path(__file__).with_suffix(".json")
_START: Final = 1_764_000_000_000_000_000
_RECEIVED: Final = 2_000_000_000_000_000_000
_BLOCK: Final = 40
"""Records ingested at once: less than 64 KiB, so that it is done on one thread."""
_RENDERINGS: Final = 20
"""One alone varies by a tenth: what is kept from one to the next lies elsewhere in each process."""
_SERVICES: Final = ("frontend", "checkout", "cart", "payment", "shipping", "catalog", "quote", "ledger")


class _Kept(msgspec.Struct):
    """What is compared with: instructions for each unit of work, and where they were counted."""

    made_on: str
    instructions: dict[str, int]


def _feed(engine: Engine, record: Callable[[int], str], records: int, times: int = 1) -> None:
    """Ingest so many records once or twice; made are as many in either case, for Python's work is not what is counted."""
    starts = range(0, 2 * records, _BLOCK)
    blocks = ["".join(map(record, range(start, start + _BLOCK))).encode() for start in starts]
    for block in blocks[: len(blocks) * times // 2]:
        engine.ingest("load", block, received=_RECEIVED)


def _request(number: int) -> str:
    """A request of two spans of one service, whose parent is in another's."""
    service, now = _SERVICES[number % len(_SERVICES)], _START + number * 1_000_000
    took = 1_000_000 + number * 7919 % 50_000_000
    status = '{"code":2,"message":"upstream timeout"}' if number % 97 == 0 else "{}"
    spans = ",".join(
        f'{{"traceId":"{number // 8:032x}","spanId":"{number * 2 + one + 1:016x}","parentSpanId":"{number * 2 + one:016x}",'
        f'"name":"GET /{service}/v1/{"list" if one else "item"}","kind":{2 + one},"startTimeUnixNano":"{now}",'
        f'"endTimeUnixNano":"{now + took}","attributes":[{{"key":"http.request.method","value":{{"stringValue":"GET"}}}},'
        f'{{"key":"http.response.status_code","value":{{"intValue":"200"}}}},'
        f'{{"key":"net.peer.ip","value":{{"stringValue":"10.0.0.{number % 256}"}}}}],"status":{status}}}'
        for one in range(2)
    )
    return (
        f'{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{service}"}}}}]}},'
        f'"scopeSpans":[{{"scope":{{"name":"otel-sdk"}},"spans":[{spans}]}}]}}]}}\n'
    )


def _line(number: int) -> str:
    """A line as many programs write it, of one of forty templates."""
    second, shape = number // 100, number % 40
    return (
        f"2026-11-24 23:{second // 60 % 60:02}:{second % 60:02},{number % 1000:03} {'ERROR' if shape == 7 else 'INFO'} "
        f"[worker-{number % 16}] {_SERVICES[shape % 8]}.{chr(97 + shape)}{chr(98 + shape % 20)}: request {number * 7919} "
        f"of user u{number % 5003} took {number * 31 % 900} ms\n"
    )


def _otlp(times: int) -> None:
    _feed(Engine(), _request, 2000, times)


def _text(times: int) -> None:
    _feed(Engine(), _line, 4000, times)


def _render(times: int) -> None:
    """What comes between two renderings is a thousandth of the state."""
    engine = Engine()
    _feed(engine, _request, 2000)
    _feed(engine, _line, 4000)
    for number in range(times * _RENDERINGS):
        engine.ingest("load", _line(number).encode(), received=_RECEIVED)
        engine.summary(budget=2000)


LOADS: Final[dict[str, tuple[Callable[[int], None], int]]] = {
    "OTLP/JSON span": (_otlp, 4000),
    "text line": (_text, 4000),
    "rendering of 2,000 tokens": (_render, _RENDERINGS),
}
"""By the unit of their work: what does it, and how many units it does in one time."""


def _count(name: str, times: int) -> int:
    """Instructions of a process that does a load so many times."""
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    command += [sys.executable, "-P", __file__, "--do", name, "--times", str(times)]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    found = re.search(r"I\s+refs:\s+([\d,]+)", ran.stderr)
    if ran.returncode or found is None:
        msg = f"valgrind could not count {name}: {ran.stderr[-500:]}"
        raise SystemExit(msg)
    return int(found[1].replace(",", ""))


def _measure() -> dict[str, int]:
    with ThreadPoolExecutor(max(1, min(2, os.cpu_count() or 1))) as pool:
        jobs = {(name, times): pool.submit(_count, name, times) for name in LOADS for times in (1, 2)}
    return {name: (jobs[name, 2].result() - jobs[name, 1].result()) // units for name, (_, units) in LOADS.items()}


def _here() -> str:
    """What the figures depend on beside the code: the compiler, and whether memchr and others have AVX2."""
    rustc = shutil.which("rustc") or "rustc"
    compiler = subprocess.run([rustc, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    try:
        wide = "avx2" in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").split()
    except OSError:
        wide = False
    return f"{os.uname().machine}{' with AVX2' if wide else ''}, rustc {compiler}"


def main() -> int:
    """Count and compare, or write what was counted."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--renew", action="store_true", help="keep what is counted as what is compared with")
    arguments.add_argument("--do", choices=list(LOADS), help=argparse.SUPPRESS)
    arguments.add_argument("--times", type=int, default=1, help=argparse.SUPPRESS)
    told = arguments.parse_args()
    if told.do:
        LOADS[told.do][0](told.times)
        return 0
    if shutil.which("valgrind") is None:
        print("instructions are not counted: valgrind is missing (apt-get install valgrind)")
        return 0
    here = _here()
    if told.renew:
        counted = _measure()
        _KEPT.write_bytes(msgspec.json.format(msgspec.json.encode(_Kept(here, counted)), indent=2) + b"\n")
        print("\n".join(f"{name:28} {count:12,}" for name, count in counted.items()))
        return 0
    kept = msgspec.json.decode(_KEPT.read_bytes(), type=_Kept)
    if here != kept.made_on:
        print(
            f"instructions are not compared: the figures are of {kept.made_on}, this is {here} (--renew makes them anew)"
        )
        return 0
    worse = False
    for name, count in _measure().items():
        before = kept.instructions[name]
        change = count / before - 1
        worse |= change > TOLERANCE
        verdict = "slower" if change > TOLERANCE else "faster: renew the figures" if change < -TOLERANCE else ""
        print(f"{name:28} {before:12,} > {count:12,} instructions  {change:+7.2%}  {verdict}")
    if worse:
        print(
            "where they go: valgrind --tool=callgrind …/examples/ingest FILE; if they are well spent, --renew",
            file=sys.stderr,
        )
    return int(worse)


if __name__ == "__main__":
    raise SystemExit(main())
