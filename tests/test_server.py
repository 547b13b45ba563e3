"""The socket and what it answers, over real Unix sockets."""

from __future__ import annotations

import errno
import grp
import gzip
import json
import os
import socket
import stat
import sys
import tempfile
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path

import anyio
import httpx
import pytest

from tracegist._engine import Engine, count_tokens
from tracegist.config import Duration, FileMode, Output, Server, Summary
from tracegist.errors import ConfigError, DaemonRunning, SourceError, TracegistError
from tracegist.publish import Publisher, Rendering
from tracegist.server import Backend, HttpServer, listen
from tracegist.server.answers import Refusal
from tracegist.server.body import Bodies
from tracegist.server.socket import peer_of
from tracegist.server.stream import stream_events

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

pytestmark = pytest.mark.anyio

LINE = b'{"time":"2026-01-01T00:00:00Z","level":"error","service":"payment","msg":"upstream timed out"}\n'
LARGEST = 1000


@pytest.fixture
def anyio_backend() -> str:
    """The daemon runs on asyncio."""
    return "asyncio"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name: a socket's path may have 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="tg", dir="/tmp") as folder:
        yield Path(folder)


class Inlet:
    """Takes pushes and keeps them in memory, or says why it does not."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes, str | None]] = []
        self.known: set[tuple[str, int | None]] = set()
        self.trouble: SourceError | OSError | None = None

    async def append(
        self,
        source_name: str,
        data: bytes,
        format: str | None = None,
        *,
        producer: str = "",
        sequence: int | None = None,
    ) -> bool:
        """Take a push."""
        if self.trouble:
            raise self.trouble
        self.taken.append((source_name, data, format))
        known = producer != "" and (producer, sequence) in self.known
        self.known.add((producer, sequence))
        return not known


class Rig:
    """A server on a socket in a folder, with an engine that has seen an error."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "t.sock"
        self.engine = Engine(host="web-3")
        self.engine.ingest("app.log", LINE, received=time.time_ns())
        output = Output(folder=folder, interval=Duration.parse("10ms"))
        self.publisher = Publisher(self.engine, Summary(budget=300), output)
        self.inlet: Inlet | None = Inlet()
        self.client = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(self.path)), base_url="http://x", timeout=10
        )

    async def status(self) -> Mapping[str, object]:
        """A part of what the daemon's says."""
        return {"generation": self.engine.generation()}

    def find(self, _: str) -> Inlet | None:
        """One inlet for all."""
        return self.inlet

    async def get(self, path: str, status: int = 200, **headers: str) -> str:
        """Ask, expecting an answer of a certain status."""
        response = await self.client.get(path, headers=headers)
        assert response.status_code == status, response.text
        return response.text

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Rig]:
        """Serve for a while."""
        backend = Backend(
            engine=self.engine, publisher=self.publisher, status=self.status, inlet=self.find, largest=LARGEST
        )
        await self.publisher.publish()
        with listen(Server(socket=self.path), {}) as listener:
            server = HttpServer(backend, listener)
            async with anyio.create_task_group() as tasks, self.client:
                tasks.start_soon(server.run)
                yield self
                self.publisher.close()
                server.stop()


@pytest.fixture
async def rig(folder: Path) -> AsyncIterator[Rig]:
    """A server that answers."""
    async with Rig(folder).running() as rig:
        yield rig


async def test_summary__default__as_published(rig: Rig) -> None:
    """Plain text for curl, the very text that was published."""
    assert rig.publisher.latest is not None
    assert await rig.get("/summary") == rig.publisher.latest.text
    assert "upstream timed out" in rig.publisher.latest.text


async def test_summary__json_accepted__the_engines_object(rig: Rig) -> None:
    """A program asks for JSON and gets all there is."""
    answer = json.loads(await rig.get("/summary", Accept="application/json"))
    assert answer["budget"] == 300
    assert {"text", "tokens", "verdicts", "facts", "ledger"} <= set(answer)


async def test_summary__budget_and_encoding__kept(rig: Rig) -> None:
    """The budget of a request holds, in the encoding of the request."""
    text = await rig.get("/summary?budget=70&encoding=cl100k_base&window=15m&baseline=1h&focus=payment&section=logs")
    assert count_tokens(text, "cl100k_base") <= 70


async def test_summary__budget_too_small__says_the_smallest(rig: Rig) -> None:
    """The answer to an impossible budget is a possible one."""
    answer = await rig.get("/summary?budget=5", 400)
    smallest = max(int(word) for word in answer.replace(",", " ").split() if word.isdecimal())
    await rig.get(f"/summary?budget={smallest}")
    problem = json.loads(await rig.get("/summary?budget=5", 400, Accept="application/json"))
    assert problem["type"] == "TokenBudgetExceeded"
    assert str(smallest) in problem["error"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("bugdet=5", "known: budget"),
        ("budget=many", "number of tokens"),
        ("budget=0", "number of tokens"),
        ("budget=99999999999999999999999", ""),
        ("budget=1&budget=2", "twice"),
        ("window=5", "window"),
        ("window=0s", "window"),
        ("encoding=klingon", "o200k_base"),
        ("section=nonsense", "nonsense"),
        (f"section={'x' * 2000}", "longer"),
        (f"focus={'x' * 2000}", "longer"),
    ],
)
async def test_summary__nonsense_asked__says_what_is_wrong(rig: Rig, query: str, expected: str) -> None:
    """A wrong parameter is refused by name rather than ignored."""
    assert expected in await rig.get(f"/summary?{query}", 400)


async def test_stream__news__sent_as_it_is_published(rig: Rig) -> None:
    """The stream begins with the latest summary and goes on with what comes; ids are generations."""
    async with rig.client.stream("GET", "/summary/stream") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = response.aiter_lines()
        assert await anext(lines) == f"id: {rig.engine.generation()}"
        assert await anext(lines) == "event: summary"
        assert (await anext(lines)).startswith("data: # web-3")
        rig.engine.ingest("app.log", LINE, received=time.time_ns())
        await rig.publisher.publish()
        async for line in lines:
            if line.startswith("id: "):
                assert line == f"id: {rig.engine.generation()}"
                break


async def test_stream__client_gone__unsubscribed(rig: Rig) -> None:
    """Who leaves is forgotten, though nothing is published."""
    async with rig.client.stream("GET", "/summary/stream") as response:
        await anext(response.aiter_lines())
        assert rig.publisher.subscribers == 1
    with anyio.fail_after(10):
        while rig.publisher.subscribers:  # noqa: ASYNC110 - nothing tells but the number
            await anyio.sleep(0.01)


async def test_stream__reader_that_does_not_read__holds_little_and_gets_the_newest(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For whoever is stuck no more is made than the connection holds; when it reads again, the newest is there."""
    made: list[int] = []
    said = ""

    def render(*_: object) -> bytes:
        return json.dumps({"text": said, "tokens": 1}).encode()

    def event(rendering: Rendering, *, json: bool = False) -> bytes:
        del json
        made.append(len(rendering.text))
        return b"data: " + rendering.text.encode() + b"\n\n"

    monkeypatch.setattr(rig.publisher, "render", render)
    monkeypatch.setattr("tracegist.server.stream._event", event)
    async with await anyio.connect_unix(str(rig.path)) as stuck:
        await stuck.send(b"GET /summary/stream HTTP/1.1\r\nHost: x\r\n\r\n")
        while not rig.publisher.subscribers:  # noqa: ASYNC110 - nothing tells but the number
            await anyio.sleep(0.01)
        for number in range(100):
            said = f"{number} " * 20_000
            rig.engine.ingest("app.log", LINE, received=time.time_ns())
            await rig.publisher.publish()
            # Whatever it is that the server could send, it has sent.
            await anyio.wait_all_tasks_blocked()
        assert len(made) < 20
        assert sum(made) < 2_000_000
        with anyio.fail_after(20):
            read = b""
            while b"data: 99 99" not in read:
                read = read[-20:] + await stuck.receive()


async def test_stream__nothing_new__heartbeat(rig: Rig) -> None:
    """A comment shows that the connection lives."""
    events = stream_events(rig.publisher, heartbeat=0.01)
    assert b"data: # web-3" in await anext(events)
    assert (await anext(events)).startswith(b":")
    rig.publisher.close()
    with pytest.raises(StopAsyncIteration):
        await anext(events)


async def test_status__asked__is_an_object(rig: Rig) -> None:
    """Programs read it."""
    assert json.loads(await rig.get("/status"))["generation"] == rig.engine.generation()


async def test_healthz__publishing__ok(rig: Rig) -> None:
    """For probes: a word and a status."""
    assert (await rig.get("/healthz")).startswith("ok")


async def test_healthz__publisher_stuck__unavailable(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that answers and publishes nothing is not well."""
    monkeypatch.setattr(Publisher, "idle", 31.0)
    assert "31s" in await rig.get("/healthz", 503)


async def test_evidence__number_of_the_summary__its_events(rig: Rig) -> None:
    """What a #number stands for."""
    assert '"upstream timed out" 1 #1' in await rig.get("/summary")
    answer = json.loads(await rig.get("/evidence/1"))
    assert "upstream timed out" in answer["events"][0]["raw"]
    assert answer == json.loads(await rig.get("/evidence/%231"))


@pytest.mark.parametrize(("number", "status"), [("999999", 404), ("9" * 40, 404), ("x", 400), ("-1", 400)])
async def test_evidence__no_such_number__says_so(rig: Rig, number: str, status: int) -> None:
    """Not there and not a number are different answers."""
    problem = json.loads(await rig.get(f"/evidence/{number}", status))
    assert problem["type"] == ("TraceNotFound" if status == 404 else "TracegistError")


async def test_routes__nothing_there__lists_what_is(rig: Rig) -> None:
    """A wrong path is answered with the right ones."""
    assert "/ingest/{source}" in json.loads(await rig.get("/sumary", 404))["error"]


async def test_routes__wrong_method__names_the_right_one(rig: Rig) -> None:
    """405 says what is allowed."""
    response = await rig.client.post("/summary")
    assert response.status_code == 405
    assert "GET" in response.headers["allow"]
    assert "GET" in response.text


async def test_routes__the_daemon_fails__says_so_and_goes_on(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect is an answer and a line in the log, and the next question is answered."""

    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(Publisher, "render", fail)
    assert "RuntimeError" in await rig.get("/summary?budget=100", 500)
    await rig.get("/summary")


async def test_ingest__body__pushed_as_it_is(rig: Rig) -> None:
    """202 once the inlet has it."""
    response = await rig.client.post("/ingest/ci?format=json", content=LINE)
    assert response.status_code == 202
    assert response.json() == {"source": "ci", "bytes": len(LINE)}
    assert rig.inlet is not None
    assert rig.inlet.taken == [("ci", LINE, "json")]


async def test_ingest__chunked__put_together(rig: Rig) -> None:
    """A body of unknown length is read to its end."""

    async def parts() -> AsyncIterator[bytes]:
        yield LINE[:10]
        yield LINE[10:]

    assert (await rig.client.post("/ingest/ci", content=parts())).status_code == 202
    assert rig.inlet is not None
    assert rig.inlet.taken == [("ci", LINE, None)]


@pytest.mark.parametrize(
    ("path", "headers", "body", "status", "expected"),
    [
        ("a/b", {}, LINE, 400, "64 letters"),
        (".hidden", {}, LINE, 400, "64 letters"),
        ("x" * 65, {}, LINE, 400, "64 letters"),
        ("ci?format=xml", {}, LINE, 400, "otlp, json, text"),
        ("ci", {}, b"", 400, "empty"),
        ("ci", {"Content-Encoding": "br"}, LINE, 415, "gzip, zstd or deflate"),
        ("ci", {"Content-Encoding": "gzip"}, LINE, 400, "not gzip"),
        ("ci", {"Content-Encoding": "gzip"}, gzip.compress(LINE, mtime=0)[:-5], 400, "cut off"),
        ("ci", {"Content-Encoding": "deflate"}, zlib.compress(LINE)[:-5], 400, "cut off"),
        ("ci", {"Content-Encoding": "deflate"}, b"\x78\x9c\xff\xff\xff\xff", 400, "deflate data cannot be read"),
        ("ci", {"Content-Encoding": "gzip"}, gzip.compress(bytes(1 << 20), mtime=0), 413, "raise engine.max_record"),
        ("ci?formt=json", {}, LINE, 400, "format, producer, sequence"),
        ("ci?producer=a", {}, LINE, 400, "together"),
        ("ci?producer=a&sequence=1", {"Idempotency-Key": '"x"'}, LINE, 400, "or else"),
        ("ci?producer=a&sequence=-1", {}, LINE, 400, "no number"),
        ("ci?producer=a&sequence=9223372036854775808", {}, LINE, 400, "no number"),
        ("ci?producer=a%20b&sequence=1", {}, LINE, 400, "64 letters"),
        ("ci", {"Idempotency-Key": "x" * 201}, LINE, 400, "printable"),
        ("ci", {}, b"x" * (LARGEST + 1), 413, f"{LARGEST} bytes"),
    ],
)
async def test_ingest__unusable__says_why(  # noqa: PLR0917 - a row of the table above
    rig: Rig, path: str, headers: dict[str, str], body: bytes, status: int, expected: str
) -> None:
    """Nothing is taken that cannot be used, and the answer says what to do."""
    response = await rig.client.post(f"/ingest/{path}", content=body, headers=headers)
    assert response.status_code == status
    assert expected in response.json()["error"]
    assert rig.inlet is not None
    assert rig.inlet.taken == []


@pytest.mark.parametrize(
    ("coding", "compress"),
    [
        ("gzip", gzip.compress),
        ("zstd", zstd.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda data: zlib.compress(data, wbits=-15)),
        ("GZIP", gzip.compress),
        ("identity", bytes),
    ],
    ids=["gzip", "zstd", "deflate", "deflate without a frame", "in capitals", "as it is"],
)
async def test_ingest__compressed__what_is_in_it(rig: Rig, coding: str, compress: Callable[[bytes], bytes]) -> None:
    """A body may be compressed, and is limited by what it becomes."""
    response = await rig.client.post("/ingest/ci", content=compress(LINE), headers={"Content-Encoding": coding})
    assert response.status_code == 202, response.text
    assert response.json()["bytes"] == len(LINE)
    assert rig.inlet is not None
    assert rig.inlet.taken == [("ci", LINE, None)]


@pytest.mark.parametrize(
    ("path", "headers"), [("ci?producer=job&sequence=7", {}), ("ci", {"Idempotency-Key": '"8e03978e-40d5"'})]
)
async def test_ingest__pushed_again__200_and_told(rig: Rig, path: str, headers: dict[str, str]) -> None:
    """A push that came before is answered as one, so that whoever sends it again can go on."""
    first, again = [await rig.client.post(f"/ingest/{path}", content=LINE, headers=headers) for _ in range(2)]
    assert (first.status_code, first.json()) == (202, {"source": "ci", "bytes": len(LINE)})
    assert (again.status_code, again.json()) == (200, {"source": "ci", "bytes": len(LINE), "duplicate": True})


async def test_ingest__many_large_at_once__some_come_back_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bodies on their way in are bounded together, decompressed bytes too; one alone always has room."""
    bodies = Bodies(largest=1 << 20)
    monkeypatch.setattr(bodies, "_most", 100)
    with bodies.room() as one, bodies.room() as other:
        bodies._take(one, 1000)
        with pytest.raises(Refusal, match="send it again later"):
            bodies._take(other, 1)
    with bodies.room() as one:
        bodies._take(one, 1000)


async def test_ingest__longer_than_announced_limit__refused_while_it_comes(rig: Rig) -> None:
    """A body of unknown length is not read further than it may be long."""

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(LARGEST):
            yield LINE

    response = await rig.client.post("/ingest/ci", content=endless())
    assert response.status_code == 413


@pytest.mark.parametrize(
    "trouble", [SourceError("the journal is full"), OSError(errno.ENOSPC, "the disk is full", "/var/lib/x")]
)
async def test_ingest__cannot_be_kept__come_back_later(rig: Rig, trouble: SourceError | OSError) -> None:
    """503 with Retry-After: senders know what to do."""
    assert rig.inlet is not None
    rig.inlet.trouble = trouble
    response = await rig.client.post("/ingest/ci", content=LINE)
    assert response.status_code == 503
    assert response.headers["retry-after"]
    assert "full" in response.json()["error"]


async def test_ingest__no_push_source__says_how_to_have_one(rig: Rig) -> None:
    """What is missing is in the configuration."""
    rig.inlet = None
    response = await rig.client.post("/ingest/ci", content=LINE)
    assert response.status_code == 404
    assert 'type = "push"' in response.json()["error"]


async def test_server__stopped_with_a_stream_open__ends_soon(folder: Path) -> None:
    """A subscriber does not keep the daemon from leaving."""
    began = time.monotonic()
    rig = Rig(folder)
    async with rig.running():
        await rig.client.send(rig.client.build_request("GET", "/summary/stream"), stream=True)
    assert time.monotonic() - began < 5
    assert not rig.path.exists()


async def test_server__answer__has_the_date_of_now(rig: Rig) -> None:
    """The date is renewed although the server sleeps while nobody asks."""

    async def said() -> float:
        return parsedate_to_datetime((await rig.client.get("/healthz")).headers["date"]).timestamp()

    first = await said()
    with anyio.fail_after(5):
        while await said() == first:  # noqa: ASYNC110 - nothing tells of a date
            await anyio.sleep(0.05)
    assert abs(time.time() - await said()) < 5


def answer_once(path: Path) -> str:
    """Connect as a client does."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
    return "connected"


def test_listen__configured_mode_and_group__set_and_removed_at_the_end(folder: Path) -> None:
    """The socket is for whom the configuration says, and goes with the daemon."""
    path = folder / "run/t.sock"
    group = grp.getgrgid(os.getegid()).gr_name
    with listen(Server(socket=path, mode=FileMode(0o600), group=group), {}):
        status = path.stat()
        assert stat.S_IMODE(status.st_mode) == 0o600
        assert status.st_gid == os.getegid()
        assert answer_once(path)
        assert [entry.name for entry in path.parent.iterdir()] == ["t.sock"]
    assert not path.exists()


def test_listen__stale_socket__replaced(folder: Path) -> None:
    """What a killed daemon left behind is in nobody's way."""
    path = folder / "t.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with listen(Server(socket=path), {}):
        assert answer_once(path)


def test_listen__somebody_listens__refused_with_the_pid(folder: Path) -> None:
    """A second daemon learns which process the first one is, and takes nothing from it."""
    path = folder / "t.sock"
    with listen(Server(socket=path), {}):
        with pytest.raises(DaemonRunning, match=f"in use by pid {os.getpid()}"):
            listen(Server(socket=path), {})
        assert answer_once(path)
        assert [entry.name for entry in folder.iterdir()] == ["t.sock"]


def test_listen__file_in_the_way__left_alone(folder: Path) -> None:
    """Only sockets are replaced."""
    path = folder / "notes.txt"
    path.write_text("mine")
    with pytest.raises(ConfigError, match="no socket"):
        listen(Server(socket=path), {})
    assert path.read_text() == "mine"


def test_listen__path_too_long__says_the_limit(folder: Path) -> None:
    """The system's limit is named before it is met."""
    with pytest.raises(ConfigError, match="107"):
        listen(Server(socket=folder / ("x" * 120)), {})


def test_listen__unknown_group__named(folder: Path) -> None:
    """A group that is not there is not the daemon's own."""
    with pytest.raises(ConfigError, match="no-such-group"):
        listen(Server(socket=folder / "t.sock", group="no-such-group"), {})


def test_listen__folder_cannot_be_made__says_how_to_choose_another(folder: Path) -> None:
    """One line, with the way out in it."""
    (folder / "file").write_text("")
    with pytest.raises(TracegistError, match="--socket"):
        listen(Server(socket=folder / "file/t.sock"), {})


def test_listen__replaced_by_another_daemon__not_removed(folder: Path) -> None:
    """What belongs to another is not cleaned away."""
    path = folder / "t.sock"
    first = listen(Server(socket=path), {})
    path.unlink()
    with listen(Server(socket=path), {}):
        with first:
            pass
        assert answer_once(path)


def test_listen__meant_for_another_process__own_socket(folder: Path) -> None:
    """LISTEN_PID says for whom the descriptors are."""
    with listen(Server(socket=folder / "t.sock"), {"LISTEN_PID": "1", "LISTEN_FDS": "1"}) as listener:
        assert listener.identity is not None


def test_peer__of_a_connection__is_this_process() -> None:
    """The kernel says who is at the other end."""
    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        assert peer_of(one) == os.getpid()
