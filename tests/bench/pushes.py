"""Small pushes: how many a second are kept and acknowledged, by so many connections at once.

    target/venv/bin/python -m tests.bench.pushes [--connections 1 8 64] [--seconds 5] [--size 200]

Each connection sends its next push when the one before is answered. The clients are a process of their own, with as little
HTTP as will do, so that it is the daemon that is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CONFIG = """
[state]
folder = "{folder}"
[server]
socket = "{folder}/socket"
otlp = "off"
[[sources]]
type = "push"
"""


async def push(path: str, request: bytes, over: float, took: list[float]) -> None:
    """Push again and again over one connection."""
    reader, writer = await asyncio.open_unix_connection(path)
    while (began := time.perf_counter()) < over:
        writer.write(request)
        answer = await reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 202"):
            raise RuntimeError(answer.decode())
        length = next(line for line in answer.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))
        took.append(time.perf_counter() - began)
    writer.close()


def clients(path: str, connections: int, seconds: float, size: int) -> None:
    """Push over all connections, and print what came of it."""
    text = b'{"time":"2026-11-01T00:00:00Z","level":"info","service":"shop","msg":"'
    body = text + b"x" * max(0, size - len(text) - 3) + b'"}\n'
    request = b"POST /ingest/bench HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    took: list[float] = []

    async def all_of_them() -> None:
        over = time.perf_counter() + seconds
        await asyncio.gather(*(push(path, request, over, took) for _ in range(connections)))

    asyncio.run(all_of_them())
    took.sort()
    p50, p99 = (took[int(len(took) * share)] * 1000 for share in (0.5, 0.99))
    print(f"{connections:4} connections: {len(took) / seconds:8.0f} pushes/s, p50 {p50:.1f} ms, p99 {p99:.1f} ms")


def main() -> None:
    """Start a daemon and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--size", type=int, default=200)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        config = Path(folder, "tracegist.toml")
        config.write_text(CONFIG.format(folder=folder))
        daemon = subprocess.Popen(
            [sys.executable, "-m", "tracegist", "run", "--config", config], stderr=subprocess.DEVNULL
        )
        try:
            # The socket is there before the journal is.
            while not list(Path(folder).glob("journal/push/*")):
                time.sleep(0.05)
            for number in asked.connections:
                arguments = (str(Path(folder, "socket")), number, asked.seconds, asked.size)
                process = multiprocessing.Process(target=clients, args=arguments)
                process.start()
                process.join()
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait()


if __name__ == "__main__":
    main()
