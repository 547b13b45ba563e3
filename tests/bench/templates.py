"""Templates of log lines beside Drain3, in one run on one core.

``target/venv/bin/python tests/bench/templates.py [FILE]``

FILE has a message a line; without it, lines of eight kinds are made, 100 bytes on average. Printed: lines a second of
tracegist's templates, of its whole engine (decoding, templates, counting, evidence), and of Drain3, with the ratios.
Drain3 is no dependency: ``target/venv/bin/python -m pip install drain3``, or ``PYTHONPATH`` of where it is.
"""

from __future__ import annotations

import importlib
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tracegist._engine import Engine, templates

_LINES = 200_000
_DRAIN_LINES = 50_000


def _made() -> list[str]:
    chance = random.Random(7)
    services, users = ["checkout", "cart", "payment", "ledger"], ["alice", "bob", "carol", "dave", "erin", "frank"]
    lines = []
    for _ in range(_LINES):
        n, service, user = chance.randrange(1 << 40), chance.choice(services), chance.choice(users)
        lines.append(
            chance.choice(
                [
                    f"charge accepted for order {n} of customer {user}, amount {n % 900}.{n % 100:02} EUR in {n % 1000}ms",
                    f"GET /api/v1/orders/{n}/items status=200 duration={n % 900}.{n % 10}ms client=10.2.{n % 256}.7",
                    f"upstream timed out after {n % 9000}ms while calling http://{service}.svc:8080/v1/{n:x}",
                    f"session {n:032x} of user {user} opened from 192.168.{n % 256}.{n // 256 % 256} with the usual rights",
                    f"cache entry product:{n} expired after {n % 3600} s and was fetched again from the database",
                    f"consumer group {service} rebalanced: generation {n % 1000}, the assigned partitions are settled",
                    f"wrote {n % 1_000_000} bytes to /var/lib/{service}/segments/{n:016x}.log, {n % 50} files remain",
                    "connection to the message broker was closed by the peer, a new one will be opened shortly",
                ]
            )
        )
    return lines


def _rate(count: int, work: Callable[[], object]) -> float:
    # Of the processor, so that what else runs on the host takes nothing away.
    began = time.process_time()
    work()
    return count / (time.process_time() - began)


def main() -> None:
    """Measure and print."""
    lines = Path(sys.argv[1]).read_text(errors="replace").splitlines() if len(sys.argv) > 1 else _made()
    data = "".join(line + "\n" for line in lines).encode()
    print(f"{len(lines):,} lines, {len(data) / max(1, len(lines)):.0f} bytes on average")
    mined = _rate(len(lines), lambda: templates(data))
    whole = _rate(len(lines), lambda: Engine().ingest("bench", data, received=time.time_ns(), format="text"))
    print(f"tracegist, templates      {mined:>12,.0f} lines/s")
    print(f"tracegist, whole engine   {whole:>12,.0f} lines/s")
    try:
        template_miner = importlib.import_module("drain3").TemplateMiner
    except ImportError:
        print("Drain3                    not installed: target/venv/bin/python -m pip install drain3")
        return
    miner, some = template_miner(), lines[:_DRAIN_LINES]

    def drain() -> None:
        for line in some:
            miner.add_log_message(line)

    peer = _rate(len(some), drain)
    print(f"Drain3                    {peer:>12,.0f} lines/s")
    print(f"ratio                     {mined / peer:>12,.1f} templates, {whole / peer:.1f} whole engine")


if __name__ == "__main__":
    main()
