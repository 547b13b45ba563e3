"""What others check of an MCP server: the protocol's conformance suite and its inspector, against a daemon of our own.

    target/venv/bin/python tests/conformance/mcp.py

Needs Node with npx, and a network for npm; the suite itself wants Node 22, which npm brings. The suite's other scenarios ask
for tools that its own server alone has.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

NODE = "node@22"
SUITE = "@modelcontextprotocol/conformance@0.2.0-alpha.12"
INSPECTOR = "@modelcontextprotocol/inspector@2.12.0"
SCENARIOS = (
    ("2025-11-25", "server-initialize"),
    ("2025-11-25", "server-session-lifecycle"),
    ("2025-11-25", "ping"),
    ("2025-11-25", "tools-list"),
    ("2025-11-25", "resources-list"),
    ("2025-11-25", "prompts-list"),
    ("2025-11-25", "completion-complete"),
    ("2025-11-25", "dns-rebinding-protection"),
    ("2026-07-28", "server-stateless"),
    ("2026-07-28", "tools-list"),
    ("2026-07-28", "resources-list"),
    ("2026-07-28", "prompts-list"),
    ("2026-07-28", "completion-complete"),
    ("2026-07-28", "caching"),
    ("2026-07-28", "http-header-validation"),
    ("2026-07-28", "sep-2164-resource-not-found"),
    ("2026-07-28", "dns-rebinding-protection"),
)
SUITE_COMMAND = ("npx", "--yes", "--package", NODE, "--package", SUITE, "conformance")
PATIENCE = 120
SHOWN = 300  # characters of a line of what went wrong


class Daemon:
    """A daemon in a folder of its own, that lets models ask on a port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "t.sock"
        config = folder / "tracegist.toml"
        config.write_text(
            f'[state]\nfolder = "{folder}/state"\n[output]\nfolder = "{folder}/out"\n'
            f'[server]\nsocket = "{self.socket}"\notlp = "off"\nmcp = "127.0.0.1:0"\n[[sources]]\ntype = "push"\n'
        )
        command = [sys.executable, "-m", "tracegist", "run", "--config", str(config)]
        self.process = subprocess.Popen(command, stderr=(folder / "stderr").open("wb"))

    def port(self) -> int:
        """Wait until it listens, and say where."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                with httpx.Client(transport=httpx.HTTPTransport(uds=str(self.socket))) as client:
                    if address := client.get("http://x/status").json()["mcp"]["address"]:
                        return int(address.rpartition(":")[2])
            except httpx.TransportError:
                pass
            if time.monotonic() > deadline or self.process.poll() is not None:
                sys.exit((self.folder / "stderr").read_text())
            time.sleep(0.05)

    @property
    def token(self) -> str:
        """What clients bring with them."""
        return (self.folder / "state/mcp-token").read_text().strip()


@asynccontextmanager
async def relay(port: int, token: str) -> AsyncIterator[int]:
    """Pass requests on with the token in them, which the suite has no way to send."""

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()

    serving: set[asyncio.Task[object] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The loop alone keeps no hold of who waits.
        serving.add(asyncio.current_task())
        inner_writer = None
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            request, _, rest = head.partition(b"\r\n")
            rest = re.sub(rb"(?im)^connection:[^\r]*\r\n", b"", rest)
            added = f"Authorization: Bearer {token}\r\nConnection: close\r\n".encode()
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
            inner_writer.write(request + b"\r\n" + added + rest)
            up = asyncio.create_task(pipe(reader, inner_writer))
            await pipe(inner_reader, writer)
            up.cancel()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            serving.discard(asyncio.current_task())
            for stream in (writer, inner_writer):
                if stream is not None:
                    stream.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def run(*command: str) -> tuple[int, str]:
    """Run a command, and give what it says."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, stdin=asyncio.subprocess.DEVNULL
    )
    said, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    return process.returncode or 0, said.decode(errors="replace")


async def suite(url: str) -> int:
    """Run the scenarios; how many failed. Parts of one that need the reference server's own tools say so, and do not count."""
    failed = 0
    for version, scenario in SCENARIOS:
        command = (*SUITE_COMMAND, "server", "--url", url, "--scenario", scenario, "--spec-version", version)
        code, said = await run(*command)
        errors = [line.strip() for line in said.splitlines() if line.strip().startswith("Error:")]
        wrong = [line for line in errors if "Not testable" not in line]
        good = code == 0 or (errors and not wrong)
        untested = f", {len(errors)} parts not testable" if errors and good else ""
        print(f"{'passed' if good else 'failed'}  {version} {scenario}{untested}")
        if not good:
            failed += 1
            print("\n".join(line[:SHOWN] for line in wrong or said.splitlines()[-20:]))
    return failed


async def inspector(transport: str, *server: str) -> int:
    """Let the inspector list and call; how much of it failed."""
    failed = 0
    for method, *arguments in (
        ("tools/list",),
        ("resources/list",),
        ("resources/templates/list",),
        ("prompts/list",),
        ("tools/call", "--tool-name", "trace.summarize", "--tool-arg", "budget=200"),
        ("tools/call", "--tool-name", "trace.query", "--tool-arg", "group_by=service"),
        ("resources/read", "--uri", "tracegist://summary"),
        ("prompts/get", "--prompt-name", "explain_service", "--prompt-args", "service=cart"),
    ):
        code, said = await run("npx", "--yes", INSPECTOR, "--cli", *server, "--method", method, *arguments)
        try:
            answer = json.loads(said[said.index("{") :])
            good = code == 0 and not answer.get("isError")
        except ValueError:
            good = False
        print(f"{'passed' if good else 'failed'}  inspector over {transport} {method} {' '.join(arguments)}")
        if not good:
            failed += 1
            print(said[-2000:])
    return failed


async def main() -> int:
    """Check everything; how much failed."""
    with tempfile.TemporaryDirectory(prefix="tg", dir="/tmp") as folder:
        daemon = Daemon(Path(folder))
        try:
            port = daemon.port()
            async with relay(port, daemon.token) as outside:
                url = f"http://localhost:{outside}/mcp"
                failed = await suite(url)
                failed += await inspector("HTTP", url, "--transport", "http")
            bridge = (sys.executable, "-m", "tracegist", "mcp")
            return failed + await inspector("stdio", *bridge, "--socket", str(daemon.socket))
        finally:
            daemon.process.terminate()
            daemon.process.wait()


if __name__ == "__main__":
    if shutil.which("npx", path=os.environ.get("PATH")) is None:
        sys.exit("npx is missing: install Node")
    sys.exit(asyncio.run(main()))
