"""Floods against a fixed memory: what a process of tracegist takes at most, attack by attack.

``target/venv/bin/python -m tests.bench.memory [--scale 1.0] [--limit 256MiB] [ATTACK …]``

Each attack is written to the standard input of `tracegist summarize -`, together with calls of a service that has nothing to
do with it; `sources` is posted to a daemon. Printed are the bytes and events of the attack and the largest resident size, also
less that of a process that has read nothing. The exit code is 1 if an attack took more than the limit and the 96 MiB for
Python, or if events are missing. That others are counted exactly meanwhile is tested in `engine/tests/memory.rs`.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final

import httpx

__all__ = ["ATTACKS", "PYTHON", "Result", "attack"]

PYTHON: Final = 96 << 20
"""Bytes that Python, its modules and blocks that are being read may take, beside the limit."""

_START: Final = 1_764_000_000_000_000_000
_SECOND: Final = 1_000_000_000
_CALLS: Final = 10
_BLOCK: Final = 1000
_QUIET: Final = "GET /cart"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an attack.

    :param events: counted; `made` of them were sent
    :param resident: the largest resident size in bytes
    :param calls: counted of the service that has nothing to do with it, as far back as is kept; `calls_made` were sent
    :param ledger: what became of it all
    :param status: of the daemon at the end, where there is one
    """

    sent: int
    events: int
    made: int
    resident: int
    calls: int = 0
    calls_made: int = 0
    ledger: dict[str, Any] = field(default_factory=dict)
    status: dict[str, Any] = field(default_factory=dict)


def _request(service: str, spans: str) -> str:
    head = f'{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{service}"}}}}]}},'
    return f'{head}"scopeSpans":[{{"spans":[{spans}]}}]}}]}}\n'


def _span(trace: int, name: str, end: int, *, span: int = 1, parent: int = 0, took: int = 5000) -> str:
    return (
        f'{{"traceId":"{trace:032x}","spanId":"{span:016x}","parentSpanId":"{parent:016x}","name":"{name}","kind":2,'
        f'"startTimeUnixNano":"{end - took}","endTimeUnixNano":"{end}"}}'
    )


def _word(number: int) -> str:
    return "".join(chr(97 + int(digit)) for digit in str(number))


def _blocks(count: int) -> Iterator[range]:
    for start in range(0, count, _BLOCK):
        yield range(start, min(start + _BLOCK, count))


def _spans(count: int, one: Callable[[int], str], service: str = "evil") -> Iterator[str]:
    for numbers in _blocks(count):
        yield _request(service, ",".join(map(one, numbers)))


def _at(number: int) -> int:
    return _START + number * 10_000


def _traces(scale: float) -> Iterator[str]:
    return _spans(int(100_000_000 * scale), lambda n: _span(n << 64 | 0xEE, "call", _at(n)))


def _operations(scale: float) -> Iterator[str]:
    return _spans(int(5_000_000 * scale), lambda n: _span(n << 64 | 0xEE, f"call {_word(n)}", _at(n)))


def _services(scale: float) -> Iterator[str]:
    for n in range(int(1_000_000 * scale)):
        yield _request(f"evil {_word(n)}", _span(n << 64 | 0xEE, "call", _at(n)))


def _templates(scale: float) -> Iterator[str]:
    for numbers in _blocks(int(5_000_000 * scale)):
        yield "".join(
            f'{{"time":{_at(n)},"level":"info","service":"evil","msg":"the {_word(n)} of {_word(n)} has {_word(n)}"}}\n'
            for n in numbers
        )


def _line(scale: float) -> Iterator[str]:
    for _ in range(int(1024 * scale)):
        yield "x" * (1 << 20)
    yield "\n"


def _year(scale: float) -> Iterator[str]:
    return _spans(int(1_000_000 * scale), lambda n: _span(n << 64 | 0xEE, "call", _START - n % 365 * 86_400 * _SECOND))


def _jumps(scale: float) -> Iterator[str]:
    return _spans(
        int(1_000_000 * scale),
        lambda n: _span(
            n << 64 | 0xEE, f"call {n % 5000}", _START + n * 7919 % 172_800 * _SECOND, took=n * 104_729 % 10**10
        ),
    )


def _endless(scale: float) -> Iterator[str]:
    # A call that ends nobody sees: its parent never comes, and thread after thread enters and does not leave.
    yield from _spans(int(1_000_000 * scale), lambda n: _span(0xEE, "call", _at(n), span=n + 2, parent=n + 1))


def _nothing(_scale: float) -> Iterator[str]:
    return iter(())


ATTACKS: Final[dict[str, Callable[[float], Iterator[str]]]] = {
    "traces": _traces,
    "operations": _operations,
    "services": _services,
    "templates": _templates,
    "line": _line,
    "year": _year,
    "jumps": _jumps,
    "endless": _endless,
}
"""By name, what makes their bytes."""


def _with_calls(flood: Iterator[str], made: list[int]) -> Iterator[bytes]:
    """Between the blocks of a flood, calls of a service that has nothing to do with it."""
    made[0] += 1
    made[1] += 1
    yield _request("shop", _span(0xAA, _QUIET, _START)).encode()
    for number, block in enumerate(flood):
        made[0] += block.count('"time"') + block.count('"spanId"')
        yield block.encode()
        if block.endswith("\n") and number % 10 == 0:
            spans = (_span((number * _CALLS + n) << 64 | 0xAA, _QUIET, _at(number)) for n in range(_CALLS))
            made[0] += _CALLS
            made[1] += _CALLS
            yield _request("shop", ",".join(spans)).encode()


def _watch(process: subprocess.Popen[bytes], seen: list[int]) -> None:
    while process.poll() is None:
        seen.append(_resident(process.pid))
        time.sleep(0.02)


def _resident(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    found = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(next(found, "0")) * 1024


def attack(name: str, scale: float, limit: str = "256MiB") -> Result:
    """Run one of the attacks against a process of its own.

    :param scale: 1 for all of it
    :param limit: `engine.memory_limit`
    """
    made = [0, 0]
    flood = ATTACKS.get(name, _nothing)(scale)
    return _summarized(_with_calls(flood, made), made, limit)


def bomb(size: int, limit: str) -> Result:
    """Have a file unpacked that is a thousand times as large as it looks."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bomb.gz"
        with gzip.open(path, "wb", compresslevel=6) as file:
            file.write(_request("shop", _span(0xAA, _QUIET, _START)).encode())
            for _ in range(size >> 20):
                file.write(b"x" * (1 << 20))
        return _summarized(iter([path.read_bytes()]), [1, 1], limit)


def _summarized(blocks: Iterator[bytes], made: list[int], limit: str) -> Result:
    environment = {**os.environ, "TRACEGIST_ENGINE_MEMORY_LIMIT": limit}
    command = [sys.executable, "-P", "-m", "tracegist", "summarize", "-", "--format", "json", "--budget", "100000"]
    command += ["--focus", _QUIET, "--window", "1d"]
    seen: list[int] = []
    sent = 0
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        watching = threading.Thread(target=_watch, args=(process, seen))
        watching.start()
        for block in blocks:
            process.stdin.write(block)
            sent += len(block)
        process.stdin.close()
        answer = process.stdout.read()
        watching.join()
    summary = json.loads(answer)
    calls = sum(int(fact["after"]) for fact in summary["facts"] if fact["operation"] == _QUIET)
    return Result(sent, summary["ledger"]["events"], made[0], max(seen), calls, made[1], summary["ledger"])


_PUSHING: Final = 32
"""Who push side by side."""


def sources(count: int, limit: str, most: int | None = None) -> Result:
    """Post to a daemon under as many names of sources, of which it keeps `most` apart."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "tracegist.toml"
        config.write_text(
            f'[engine]\nmemory_limit = "{limit}"\n[state]\nfolder = "{folder}/state"\n[output]\nfolder = "{folder}/out"\n'
            f'[server]\nsocket = "{folder}/s"\notlp = "off"\n[[sources]]\ntype = "push"\n'
            + (f"max_sources = {most}\n" if most else ""),
            encoding="utf-8",
        )
        command = [sys.executable, "-P", "-m", "tracegist", "run", "--config", str(config)]
        sent = 0
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            try:
                while not Path(f"{folder}/s").is_socket():
                    time.sleep(0.05)
                # One for each thread: they are not to be used by several at once.
                transports = (httpx.HTTPTransport(uds=f"{folder}/s") for _ in range(_PUSHING))
                with ExitStack() as stack:
                    idle: SimpleQueue[httpx.Client] = SimpleQueue()
                    for transport in transports:
                        idle.put(stack.enter_context(httpx.Client(transport=transport, base_url="http://d")))
                    client = idle.get()
                    while client.get("/status").json()["sources"][0].get("max_names") is None:
                        time.sleep(0.05)

                    def push(number: int) -> int:
                        body = f'{{"time":{_at(number)},"service":"shop","msg":"a message"}}\n'
                        mine = idle.get()
                        try:
                            mine.post(f"/ingest/evil{number}", content=body).raise_for_status()
                        finally:
                            idle.put(mine)
                        return len(body)

                    # Side by side, for each is on the disk before it is acknowledged.
                    with ThreadPoolExecutor(_PUSHING) as pool:
                        sent = sum(sum(pool.map(push, numbers)) for numbers in _blocks(count))
                    while (status := client.get("/status").json())["ledger"]["events"] < count:
                        time.sleep(0.05)
                resident = _resident(process.pid)
            finally:
                process.terminate()
    return Result(sent, status["ledger"]["events"], count, resident, ledger=status["ledger"], status=status)


def main() -> int:
    """Run the attacks that were named, or all, and print a line for each."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("attacks", nargs="*", metavar="ATTACK", help=f"{', '.join(ATTACKS)}, bomb, sources")
    arguments.add_argument("--scale", type=float, default=1.0)
    arguments.add_argument("--limit", default="256MiB")
    told = arguments.parse_args()
    from tracegist._config.units import Size  # noqa: PLC0415 - only the script itself has to have the package

    bound = int(Size.parse(told.limit)) + PYTHON
    base = attack("nothing", 0, told.limit).resident
    print(f"nothing: {base >> 20} MiB resident; bound {bound >> 20} MiB")
    failed = False
    for name in told.attacks or [*ATTACKS, "bomb", "sources"]:
        if name == "bomb":
            result = bomb(int((16 << 30) * told.scale), told.limit)
        elif name == "sources":
            result = sources(int(1_000_000 * told.scale), told.limit)
        else:
            result = attack(name, told.scale, told.limit)
        bad = result.resident > bound
        failed |= bad or result.events != result.made
        print(
            f"{name:12} {result.sent / 1e6:10.1f} MB {result.events:12,} events  {result.resident >> 20:5} MiB resident, "
            f"{(result.resident - base) >> 20:5} above nothing{'  OVER' if bad else ''}",
            flush=True,
        )
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
