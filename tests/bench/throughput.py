"""Spans a second of the whole program beside what one would write instead, in one run on the same file.

``target/venv/bin/python -m tests.bench.throughput [--spans 500000] [--runs 3] [--files 1] [--peers PYTHON]``

Made are OTLP/JSON lines of 50 spans, 670 bytes a span, of 24 services and 240 operations. Each peer is a process of its own
that ends with count, errors and quantiles of every (service, operation): a loop over orjson, and a query of DuckDB, which are
installed in target/peers unless PYTHON has them; and the OpenTelemetry Collector with its spanmetrics connector, where
`tests/bench/collector/build.sh` has built it. Runs alternate. Printed are wall time and CPU time (the least of each,
for other processes only add to them), and both as multiples of tracegist's. `--files 2` reads the same load as two files,
for what two cores make of it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from .collector_process import Collector

__all__ = ["write"]

_SERVICES: Final = [
    "frontend",
    "checkout",
    "cart",
    "currency",
    "payment",
    "shipping",
    "email",
    "recommendation",
    "productcatalog",
    "ad",
    "quote",
    "accounting",
    "fraud",
    "image",
    "search",
    "auth",
    "user",
    "inventory",
    "pricing",
    "review",
    "order",
    "notify",
    "gateway",
    "ledger",
]
_START: Final = 1_764_000_000_000_000_000
_ORJSON: Final = """
import orjson, sys
seen = {}
for path in sys.argv[1:]:
    for line in open(path, "rb"):
        for r in orjson.loads(line)["resourceSpans"]:
            service = next(a["value"]["stringValue"] for a in r["resource"]["attributes"] if a["key"] == "service.name")
            for scope in r["scopeSpans"]:
                for s in scope["spans"]:
                    e = seen.setdefault((service, s["name"]), [[], 0])
                    e[0].append(int(s["endTimeUnixNano"]) - int(s["startTimeUnixNano"]))
                    e[1] += s["status"].get("code") == 2
for d, _ in seen.values():
    d.sort()
    [d[int(q * (len(d) - 1))] for q in (.5, .95, .99)]
print(sum(len(d) for d, _ in seen.values()))
"""
_DUCKDB: Final = """
import duckdb, sys
duckdb.sql("set enable_progress_bar = false")
rows = duckdb.sql(f'''
with line as (select unnest(resourceSpans) r from read_json({sys.argv[1:]}, format='newline_delimited',
              maximum_object_size=100000000)),
scope as (select list_filter(r.resource.attributes, lambda a: a.key = 'service.name')[1].value.stringValue service,
                 unnest(r.scopeSpans) s from line),
span as (select service, unnest(s.spans) p from scope)
select service, p.name, count(*) n, count_if(p.status.code = 2) errors,
       approx_quantile(p.endTimeUnixNano::BIGINT - p.startTimeUnixNano::BIGINT, [.5, .95, .99]) q
from span group by 1, 2''').fetchall()
print(sum(r[2] for r in rows))
"""


@dataclass(slots=True)
class _Best:
    wall: float = float("inf")
    cpu: float = float("inf")


def _attribute(key: str, kind: str, value: str) -> dict[str, object]:
    return {"key": key, "value": {kind: value}}


def write(path: Path, spans: int, chance: random.Random, now: int = _START) -> int:
    """Make the load, from a time on.

    :return: the time of its last span, in nanoseconds since the epoch
    """
    with path.open("w", encoding="ascii") as file:
        for done in range(0, spans, 50):
            groups: dict[str, list[dict[str, object]]] = {}
            for _ in range(min(50, spans - done)):
                service = chance.choice(_SERVICES)
                verb, route = (
                    chance.choice(("GET", "POST")),
                    chance.choice(("list", "item/{id}", "health", "v1/query", "db")),
                )
                now += chance.randrange(1000, 200_000)
                failed = chance.random() < 0.01
                message = f"upstream timeout after {chance.randrange(100, 3000)}ms calling {chance.choice(_SERVICES)}"
                attributes = [
                    _attribute("http.request.method", "stringValue", verb),
                    _attribute("url.path", "stringValue", f"/{service}/item/{chance.randrange(10**6)}"),
                    _attribute("http.response.status_code", "intValue", "500" if failed else "200"),
                    _attribute("net.peer.ip", "stringValue", f"10.{chance.randrange(256)}.{chance.randrange(256)}.7"),
                    _attribute("thread.id", "intValue", str(chance.randrange(64))),
                ]
                groups.setdefault(service, []).append(
                    {
                        "traceId": f"{chance.getrandbits(128):032x}",
                        "spanId": f"{chance.getrandbits(64):016x}",
                        "parentSpanId": f"{chance.getrandbits(64):016x}",
                        "name": f"{verb} /{service}/{route}",
                        "kind": chance.choice((1, 2, 3)),
                        "startTimeUnixNano": str(now),
                        "endTimeUnixNano": str(now + int(chance.lognormvariate(15, 1.2))),
                        "attributes": attributes,
                        "status": {"code": 2, "message": message} if failed else {},
                    }
                )
            request = [
                {
                    "resource": {
                        "attributes": [
                            _attribute("service.name", "stringValue", service),
                            _attribute("host.name", "stringValue", "trace-host-1"),
                            _attribute("process.pid", "intValue", str(1000 + number)),
                        ]
                    },
                    "scopeSpans": [{"scope": {"name": "otel-sdk", "version": "1.2"}, "spans": batch}],
                }
                for number, (service, batch) in enumerate(groups.items())
            ]
            file.write(json.dumps({"resourceSpans": request}, separators=(",", ":")) + "\n")
    return now


def _run(work: Callable[[], str], best: _Best) -> str:
    begun, before = time.perf_counter(), os.times()
    answer = work()
    after = os.times()
    best.wall = min(best.wall, time.perf_counter() - begun)
    used = after.children_user + after.children_system - before.children_user - before.children_system
    best.cpu = min(best.cpu, used)
    return answer


def _answer(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _collect(files: list[str], spans: int, folder: Path) -> str:
    """Have the collector make metrics of all spans, and stop it once it has counted them.

    :return: how many it counted
    """
    with Collector(files, folder) as collector:
        return str(collector.until(spans))


def _peers() -> str:
    """Install what is compared with, once: never where the product's own dependencies are."""
    folder = Path(__file__).parents[2] / "target" / "peers"
    pinned = Path(__file__).with_name("peers.txt").read_bytes()
    python, made = folder / "bin" / "python", folder / "peers.txt"
    if not made.exists() or made.read_bytes() != pinned:
        venv.create(folder, with_pip=True, clear=True)
        install = [
            str(python),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--requirement",
            str(Path(__file__).with_name("peers.txt")),
        ]
        subprocess.run(install, check=True)
        made.write_bytes(pinned)
    return str(python)


def main() -> None:
    """Make the load, let everybody read it in turn, and print what it took them."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--spans", type=int, default=500_000)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--files", type=int, default=1)
    arguments.add_argument("--peers", metavar="PYTHON", help="has orjson and duckdb")
    told = arguments.parse_args()
    python = told.peers or _peers()
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"load{number}.jsonl" for number in range(told.files)]
        chance, now = random.Random(7), _START
        for path in paths:
            now = write(path, told.spans // told.files, chance, now)
        size = sum(path.stat().st_size for path in paths)
        files = [str(path) for path in paths]
        ours = [sys.executable, "-P", "-m", "tracegist", "summarize", *files, "--budget", "1000", "--format", "json"]
        peers = {
            "tracegist": partial(_answer, ours),
            "orjson": partial(_answer, [python, "-c", _ORJSON, *files]),
            "duckdb": partial(_answer, [python, "-c", _DUCKDB, *files]),
        }
        if Collector.PROGRAM.exists():
            peers["collector"] = partial(_collect, files, told.spans, Path(folder))
        best = {name: _Best() for name in peers}
        for run in range(told.runs):
            for name, command in list(peers.items()):
                try:
                    answer = _run(command, best[name])
                except subprocess.CalledProcessError as error:
                    print(f"{name}: left out: {error.stderr.strip().splitlines()[-1]}")
                    del peers[name]
                    continue
                count = json.loads(answer)["ledger"]["events"] if name == "tracegist" else int(answer)
                if count != told.spans // told.files * told.files:
                    sys.exit(f"{name} counted {count} of {told.spans} spans in run {run}")
    for name in peers:
        wall, cpu, mine = best[name].wall, best[name].cpu, best["tracegist"]
        print(
            f"{name:10} {told.spans / wall:11,.0f} spans/s {size / wall / 1e6:7.1f} MB/s  wall {wall:6.2f} s "
            f"({wall / mine.wall:5.2f} x)  CPU {cpu:6.2f} s ({cpu / mine.cpu:5.2f} x)"
        )


if __name__ == "__main__":
    main()
