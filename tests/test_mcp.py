"""The Model Context Protocol between real processes: the official client, the daemon's socket and port, ``tracegist mcp``."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import httpx2
import pytest
from mcp import StdioServerParameters
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.subscriptions import ResourceUpdated
from mcp_types import ResourceUpdatedNotification, TextContent

from tracegist._engine import count_tokens

pytestmark = [
    pytest.mark.anyio,
    # Clients of today subscribe a session, though the newest protocol has another way.
    pytest.mark.filterwarnings("ignore:resources/(un)?subscribe is removed"),
]

DEADLINE = 30.0
SUMMARY = "tracegist://summary"
TOOLS = {"trace.summarize", "trace.query", "trace.evidence"}
MODES = ("auto", "legacy")


def lines(count: int, *, message: str = "upstream timed out", service: str = "payment") -> bytes:
    """Log records of now, as a program writes them."""
    now = time.time_ns() // 1_000_000
    return b"".join(
        json.dumps({"time": now + number, "level": "error", "service": service, "msg": message}).encode() + b"\n"
        for number in range(count)
    )


@pytest.fixture
def anyio_backend() -> str:
    """The daemon runs on asyncio."""
    return "asyncio"


class Daemon:
    """A daemon in a folder with a short name, which takes pushes and lets models ask on a port of the system's choice."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "t.sock"
        self.log = folder / "stderr"
        self.config = folder / "tracegist.toml"
        self.config.write_text(
            f'[state]\nfolder = "{folder}/state"\ncommit_interval = "100ms"\n'
            f'[output]\nfolder = "{folder}/out"\ninterval = "50ms"\n'
            f'[server]\nsocket = "{self.socket}"\notlp = "off"\nmcp = "127.0.0.1:0"\n[[sources]]\ntype = "push"\n'
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it takes pushes."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("TRACEGIST_", "XDG_"))}
        command = [sys.executable, "-m", "tracegist", "run", "--config", str(self.config)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log, env=environ)
        self.until(lambda: self.socket.exists() and self.ready())

    def ready(self) -> bool:
        """Whether it takes pushes and listens."""
        status = self.status()
        return status["mcp"]["address"] is not None and all("journal_bytes" in one for one in status["sources"])

    def end(self) -> float:
        """End it, and say how long it took."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(DEADLINE)
        return time.monotonic() - began

    def until(self, condition: Callable[[], object]) -> None:
        """Wait for what a process does in its own time."""
        deadline = time.monotonic() + DEADLINE
        while True:
            try:
                if condition():
                    return
            except httpx.TransportError:
                pass
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)

    def status(self) -> dict[str, Any]:
        """What it says of itself."""
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(self.socket)), timeout=DEADLINE) as client:
            found: dict[str, Any] = client.get("http://x/status").json()
            return found

    def push(self, data: bytes) -> None:
        """Push, and wait until the summary knows of it."""
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(self.socket)), timeout=DEADLINE) as client:
            before = self.status()["ledger"]["events"]
            assert client.post("http://x/ingest/ci", content=data).status_code == 202
            count = data.count(b"\n")
            self.until(lambda: self.status()["ledger"]["events"] == before + count)
            generation = self.status()["generation"]
            self.until(lambda: self.status()["summary"]["generation"] >= generation)

    @property
    def token(self) -> str:
        """What clients bring with them."""
        return (self.folder / "state/mcp-token").read_text().strip()

    @property
    def url(self) -> str:
        """Where models ask over TCP."""
        return f"http://{self.status()['mcp']['address']}/mcp"

    @asynccontextmanager
    async def over_socket(self, path: str = "/mcp", **options: Any) -> AsyncIterator[Client]:  # noqa: ANN401
        """The official client over HTTP on the socket."""
        transport = httpx2.AsyncHTTPTransport(uds=str(self.socket))
        async with httpx2.AsyncClient(transport=transport, timeout=DEADLINE) as http:
            # Ended on both sides at the same moment, a stream on a Unix socket makes anyio set a future that was cancelled.
            way = streamable_http_client(f"http://x{path}", http_client=http, terminate_on_close=False)
            async with Client(way, **options) as client:
                yield client

    @asynccontextmanager
    async def over_tcp(self, **options: Any) -> AsyncIterator[Client]:  # noqa: ANN401
        """The official client over HTTP on the port, with the token."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=DEADLINE) as http,
            Client(streamable_http_client(self.url, http_client=http), **options) as client,
        ):
            yield client

    @asynccontextmanager
    async def over_stdio(self, **options: Any) -> AsyncIterator[Client]:  # noqa: ANN401
        """The official client, and the bridge that it starts."""
        async with bridge("--socket", str(self.socket), **options) as client:
            yield client


@asynccontextmanager
async def bridge(*arguments: str, **options: Any) -> AsyncIterator[Client]:  # noqa: ANN401
    """Start ``tracegist mcp`` as a client does."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("TRACEGIST_", "XDG_"))}
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "tracegist", "mcp", *arguments],
        env={**environ, "TRACEGIST_CONFIG": os.devnull},
    )
    async with Client(command, read_timeout_seconds=DEADLINE, **options) as client:
        yield client


@pytest.fixture(scope="module")
def asked() -> Iterator[Daemon]:
    """A daemon that has seen six services, and is only asked."""
    with running() as daemon:
        daemon.push(services())
        yield daemon


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    """A daemon of the test's own."""
    with running() as daemon:
        yield daemon


@contextmanager
def running() -> Iterator[Daemon]:
    """Start a daemon, and end it."""
    with tempfile.TemporaryDirectory(prefix="tg", dir="/tmp") as folder:
        daemon = Daemon(Path(folder))
        daemon.start()
        yield daemon
        if daemon.process is not None and daemon.process.poll() is None:
            daemon.process.kill()
            daemon.process.wait()


def text(content: object) -> str:
    """The text of the only block of an answer."""
    assert isinstance(content, list)
    [block] = content
    assert isinstance(block, TextContent)
    return block.text


def services() -> bytes:
    """Six services, of which the first says most."""
    return lines(3) + b"".join(lines(1, message="up", service=f"other-{number}") for number in range(5))


async def asked_everything(client: Client) -> None:
    """List, call, be refused, read."""
    found = await client.list_tools()
    assert {tool.name for tool in found.tools} >= TOOLS
    for tool in found.tools:
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint
        assert tool.annotations.open_world_hint is False
    answer = await client.call_tool("trace.summarize", {"budget": 200})
    assert not answer.is_error
    assert "upstream timed out" in text(answer.content)
    assert answer.structured_content["text"] == text(answer.content)
    assert count_tokens(text(answer.content)) <= 200
    evidence = await client.call_tool("trace.evidence", {"id": "#1"})
    assert "upstream timed out" in evidence.structured_content["events"][0]["raw"]
    rows: list[Any] = []
    cursor = None
    while not rows or cursor:
        page = await client.call_tool("trace.query", {"group_by": "service", "limit": 2, "cursor": cursor})
        rows += page.structured_content["rows"]
        cursor = page.structured_content.get("cursor")
    assert [row[:2] for row in rows] == [["payment", 3]] + [[f"other-{number}", 1] for number in range(5)]
    for name, arguments, expected in (
        ("trace.query", {"group_by": "servce"}, "did you mean service?"),
        ("trace.query", {"bugdet": 5}, "did you mean budget?"),
        ("trace.query", {"cursor": "nonsense"}, "take it from the page before"),
        ("trace.summarize", {"bugdet": 5}, "did you mean budget?"),
        ("trace.summarize", {"budget": 5}, "too small"),
        ("trace.summarize", {"sections": ["nonsense"]}, "nonsense"),
        ("trace.evidence", {"id": 999_999}, "no evidence #999999"),
    ):
        refused = await client.call_tool(name, arguments)
        assert refused.is_error
        assert expected in text(refused.content)
    [contents] = (await client.read_resource(SUMMARY)).contents
    assert "upstream timed out" in getattr(contents, "text", "")
    prompt = await client.get_prompt("whats_wrong")
    assert len(prompt.messages) == 2


@pytest.mark.parametrize("mode", MODES)
async def test_mcp__every_transport__answers_the_same(asked: Daemon, mode: str) -> None:
    """Over the socket, the port and the bridge, with the protocol's newest version and those before it."""
    for way in (asked.over_socket, asked.over_tcp, asked.over_stdio):
        async with way(mode=mode) as client:
            await asked_everything(client)


async def test_mcp__names_without_dots__by_the_url(asked: Daemon) -> None:
    """A client that allows no dot says so where it says whom it asks."""
    async with asked.over_socket("/mcp?underscores") as client:
        assert {tool.name.replace("_", ".") for tool in (await client.list_tools()).tools} == TOOLS
        assert not (await client.call_tool("trace_query", {"group_by": "service"})).is_error


@pytest.mark.parametrize("way", ["over_socket", "over_stdio"])
async def test_mcp__subscribed__told_of_a_newer_summary(daemon: Daemon, way: str) -> None:
    """A push reaches whoever listens as word of an update; what is read then has it."""
    daemon.push(lines(3))
    async with getattr(daemon, way)() as client:
        await client.read_resource(SUMMARY)
        async with client.listen(resource_subscriptions=[SUMMARY]) as subscription:
            daemon.push(lines(50, message="disk full", service="store"))
            with anyio.fail_after(DEADLINE):
                assert await anext(aiter(subscription)) == ResourceUpdated(SUMMARY)
            [contents] = (await client.read_resource(SUMMARY)).contents
            assert "disk full" in getattr(contents, "text", "")


@pytest.mark.parametrize("way", ["over_socket", "over_stdio"])
async def test_mcp__subscribed_with_an_older_protocol__told_too(daemon: Daemon, way: str) -> None:
    """Clients of today subscribe their session."""
    daemon.push(lines(3))
    told = anyio.Event()

    async def hear(message: object) -> None:
        if isinstance(message, ResourceUpdatedNotification) and str(message.params.uri) == SUMMARY:
            told.set()

    async with getattr(daemon, way)(mode="legacy", message_handler=hear) as client:
        await client.read_resource(SUMMARY)
        await client.session.subscribe_resource(SUMMARY)
        daemon.push(lines(50, message="disk full", service="store"))
        with anyio.fail_after(DEADLINE):
            await told.wait()
        await client.session.unsubscribe_resource(SUMMARY)


async def test_mcp__daemon_stopped_with_a_subscriber__gone_at_once(daemon: Daemon) -> None:
    """A stream that is open does not hold up the end, nor leave errors in the log."""
    async with daemon.over_socket(mode="legacy") as client:
        await client.session.subscribe_resource(SUMMARY)
        async with daemon.over_socket() as other, other.listen(resource_subscriptions=[SUMMARY]):
            took = await anyio.to_thread.run_sync(daemon.end)
    assert took < 10
    assert '"level":"error"' not in daemon.log.read_text().replace(" ", "")


async def test_mcp__daemon_away__says_so_and_goes_on_when_it_is_back(daemon: Daemon) -> None:
    """The bridge outlives the daemon: a client need not be started again."""
    async with daemon.over_stdio() as client:
        daemon.end()
        refused = await client.call_tool("trace.summarize", {})
        assert refused.is_error
        assert "tracegist run" in text(refused.content)
        daemon.start()
        daemon.push(lines(3))
        assert "upstream timed out" in text((await client.call_tool("trace.summarize", {})).content)


async def test_mcp__files__answers_without_a_daemon_and_reads_again_what_has_changed(tmp_path: Path) -> None:
    """Files are read when asked, with word of the progress, and again once they have grown."""
    file = tmp_path / "app.jsonl"
    file.write_bytes(services())
    async with bridge(str(file)) as client:
        await asked_everything(client)
        with file.open("ab") as more:
            more.write(lines(50, message="disk full", service="store"))
        assert "disk full" in text((await client.call_tool("trace.summarize", {})).content)
        file.unlink()
        refused = await client.call_tool("trace.summarize", {})
        assert refused.is_error
        assert "not there" in text(refused.content) or "is there any more" in text(refused.content)


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [(["nowhere.log"], 4, "no such file"), (["-"], 2, "standard input"), (["--socket"], 2, "--socket")],
)
def test_mcp__cannot_begin__one_line_and_an_exit_code(arguments: list[str], code: int, expected: str) -> None:
    """What is wrong with the command line a client shows in its log: a line of it."""
    command = [sys.executable, "-m", "tracegist", "mcp", *arguments]
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=DEADLINE, check=False, stdin=subprocess.DEVNULL
    )
    assert ended.returncode == code
    assert expected in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_mcp__interrupted__ends_at_once(tmp_path: Path) -> None:
    """Ctrl-C ends it though its client says nothing."""
    file = tmp_path / "app.jsonl"
    file.write_bytes(lines(1))
    command = [sys.executable, "-m", "tracegist", "mcp", str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
        process.stdin.flush()
        assert b'"id":1' in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == -signal.SIGINT


def test_mcp__client_gone__exit_code_141_and_silence(tmp_path: Path) -> None:
    """A client that ends without a word leaves no traceback in a log."""
    file = tmp_path / "app.jsonl"
    file.write_bytes(lines(1))
    command = [sys.executable, "-m", "tracegist", "mcp", str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.write(b'garbage\n{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
        process.stdin.close()
        assert process.wait(DEADLINE) == 141
        assert process.stderr.read() == b""


async def test_port__token_made__for_its_owner_alone(daemon: Daemon) -> None:
    """A token of its own, in the state folder, that nobody else reads, and that no log knows."""
    file = daemon.folder / "state/mcp-token"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(daemon.token) >= 43
    async with daemon.over_tcp() as client:
        await client.list_tools()
    daemon.end()
    assert daemon.token not in daemon.log.read_text()


INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


def test_port__stranger__refused_and_told_what_is_missing(asked: Daemon) -> None:
    """No token, a wrong one, a page's origin, a name that leads here from outside: nothing is answered."""
    right = {"Authorization": f"Bearer {asked.token}", "Accept": "application/json, text/event-stream"}
    port = asked.url.rpartition(":")[2].partition("/")[0]
    with httpx.Client(timeout=DEADLINE) as client:

        def post(**headers: str) -> tuple[int, str]:
            answer = client.post(asked.url, json=INITIALIZE, headers={**right, **headers})
            return answer.status_code, answer.text

        assert post()[0] == 200
        assert post(Origin="http://localhost:6274", Host=f"localhost:{port}")[0] == 200
        for headers, status, expected in (
            ({"Authorization": ""}, 401, "token_file"),
            ({"Authorization": "Bearer wrong"}, 401, "token_file"),
            ({"Authorization": f"Basic {asked.token}"}, 401, "token_file"),
            ({"Origin": "https://evil.example"}, 403, "evil.example"),
            ({"Origin": "null"}, 403, "null"),
            ({"Host": f"evil.example:{port}"}, 403, "evil.example"),
            ({"Host": ""}, 403, "host"),
        ):
            code, said = post(**headers)
            assert code == status, headers
            assert expected in said
            assert asked.token not in said
        assert client.get(asked.url.replace("/mcp", "/status"), headers=right).status_code == 404


def test_daemon__nobody_asks__nothing_of_the_protocol_is_loaded(daemon: Daemon) -> None:
    """Half a second and 30 MB are spent when a client comes, not before."""
    assert daemon.process is not None
    maps = Path(f"/proc/{daemon.process.pid}/maps")
    assert "pydantic" not in maps.read_text()
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(daemon.socket)), timeout=DEADLINE) as client:
        answer = client.post("http://x/mcp", json=INITIALIZE, headers={"Accept": "application/json, text/event-stream"})
        assert answer.status_code == 200
    assert "pydantic" in maps.read_text()
