"""OTLP over HTTP: real SDKs pointed at a real daemon, and what the specification asks of a server."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped] # googleapis-common-protos has no types
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

DEADLINE = 30.0
FORMATS = Path(__file__).parent / "data/formats/otlp"
PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}


class Daemon:
    """A daemon that takes OTLP on a port of the system's choice."""

    def __init__(
        self, folder: Path, *, otlp: str = "127.0.0.1:0", sources: str = '[[sources]]\ntype = "push"\n'
    ) -> None:
        self.socket = folder / "t.sock"
        self.log = folder / "stderr"
        self.config = folder / "tracegist.toml"
        self.config.write_text(
            f'[state]\nfolder = "{folder}/state"\ncommit_interval = "100ms"\n[output]\nfolder = "{folder}/out"\n'
            f'[server]\nsocket = "{self.socket}"\notlp = "{otlp}"\n{sources}'
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: str = "address") -> None:
        """Start it, and wait until it says of OTLP what is expected."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("TRACEGIST_", "XDG_"))}
        command = [sys.executable, "-m", "tracegist", "run", "--config", str(self.config)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log, env=environ)
        self.until(lambda: self.socket.exists() and self.status()["otlp"][wait] is not None and self.takes_pushes())

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it."""
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait(DEADLINE)

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what a process does in its own time."""
        deadline = time.monotonic() + DEADLINE
        while True:
            try:
                if condition():
                    return
            except httpx.TransportError:
                pass
            assert time.monotonic() < deadline, self.log.read_text()
            assert self.process is None or self.process.poll() is None, self.log.read_text()
            time.sleep(0.02)

    def over_socket(self) -> httpx.Client:
        """A client of its Unix socket."""
        return httpx.Client(transport=httpx.HTTPTransport(uds=str(self.socket)), base_url="http://x", timeout=DEADLINE)

    def over_tcp(self) -> httpx.Client:
        """A client of its TCP port."""
        return httpx.Client(base_url=self.endpoint, timeout=DEADLINE)

    def status(self) -> dict[str, Any]:
        """What it says of itself."""
        with self.over_socket() as client:
            found: dict[str, Any] = client.get("/status").json()
            return found

    def takes_pushes(self) -> bool:
        """Whether its journal is open, if it has one."""
        return all("journal_bytes" in source for source in self.status()["sources"])

    @property
    def endpoint(self) -> str:
        """What an SDK is pointed at."""
        return f"http://{self.status()['otlp']['address']}"

    @property
    def ledger(self) -> dict[str, Any]:
        """What became of every byte."""
        found: dict[str, Any] = self.status()["ledger"]
        return found

    def counted(self, events: int) -> None:
        """Wait until it has counted so many events, and see that nothing was rejected."""
        self.until(lambda: self.ledger["events"] >= events)
        assert (self.ledger["events"], self.ledger["rejected"]) == (events, 0)


@pytest.fixture(scope="module")
def empty() -> Iterator[Daemon]:
    """A daemon that has nothing, and is given nothing that it takes."""
    with tempfile.TemporaryDirectory(prefix="tg", dir="/tmp") as folder:
        daemon = Daemon(Path(folder))
        daemon.start()
        yield daemon
        daemon.end()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name: a socket's path may have 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="tg", dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture
def daemon(folder: Path) -> Iterator[Daemon]:
    """A daemon that runs."""
    daemon = Daemon(folder)
    daemon.start()
    yield daemon
    daemon.end()


@pytest.mark.parametrize("compression", list(Compression), ids=lambda compression: compression.name)
def test_sdk__spans_and_logs__counted_exactly(daemon: Daemon, compression: Compression) -> None:
    """An SDK's exporters pointed at the port: every span and every record counts once."""
    resource = Resource({"service.name": "shop"})
    tracers = TracerProvider(resource=resource)
    span_exporter = OTLPSpanExporter(f"{daemon.endpoint}/v1/traces", compression=compression)
    tracers.add_span_processor(BatchSpanProcessor(span_exporter, max_export_batch_size=100))
    loggers = LoggerProvider(resource=resource)
    log_exporter = OTLPLogExporter(f"{daemon.endpoint}/v1/logs", compression=compression)
    loggers.add_log_record_processor(BatchLogRecordProcessor(log_exporter, max_export_batch_size=50))
    logger = loggers.get_logger("test")
    tracer = tracers.get_tracer("test")
    for number in range(250):
        with tracer.start_as_current_span("POST /pay") as span:
            span.set_attribute("attempt", number)
            logger.emit(LogRecord(severity_number=SeverityNumber.ERROR, body=f"no route to bank {number}"))
    tracers.shutdown()
    loggers.shutdown()
    daemon.counted(500)
    with daemon.over_socket() as client:
        text = client.get("/summary?budget=1000").text
    assert "shop" in text
    assert "no route to bank" in text


def test_json__requests_of_the_specification__counted(daemon: Daemon) -> None:
    """The examples of opentelemetry-proto, written over many lines, by TCP and by the socket, compressed or not."""
    with daemon.over_tcp() as tcp, daemon.over_socket() as local:
        for client in (tcp, local):
            for path, name in (("/v1/traces", "trace.json"), ("/v1/logs", "logs.json")):
                body = (FORMATS / name).read_bytes()
                for content, headers in ((body, JSON), (gzip.compress(body), {**JSON, "Content-Encoding": "gzip"})):
                    answer = client.post(path, content=content, headers=headers)
                    assert (answer.status_code, answer.content) == (200, b"{}")
                    assert answer.headers["content-type"] == "application/json"
    # Each of the two has one event.
    daemon.counted(8)


def test_protobuf__answered__as_the_specification_has_it(empty: Daemon) -> None:
    """Success has the content type of the request and says nothing; nothing at all is a request, too."""
    with empty.over_tcp() as client:
        answer = client.post("/v1/traces", content=b"", headers=PROTOBUF)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/x-protobuf"
        assert not ExportTraceServiceResponse.FromString(answer.content).HasField("partial_success")
        assert client.post("/v1/logs", content=b"{}", headers=JSON).json() == {}


@pytest.mark.parametrize(
    ("path", "headers", "body", "status", "expected"),
    [
        ("/v1/traces", JSON, b'{"resourceSpans":[', 400, "no OTLP/JSON request"),
        ("/v1/traces", JSON, b"[]", 400, "no OTLP/JSON request"),
        ("/v1/traces", JSON, b'{"resourceLogs":[{}]}', 400, "/v1/traces takes resourceSpans"),
        ("/v1/logs", JSON, b'{"resourceMetrics":[{}]}', 400, "/v1/logs takes resourceLogs"),
        ("/v1/logs", JSON, b"[" * 100_000, 400, "no OTLP/JSON request"),
        ("/v1/traces", PROTOBUF, b'{"resourceSpans":[]}', 400, "no OTLP/protobuf request"),
        ("/v1/traces", PROTOBUF, b"\x0a\x7f\x00", 400, "no OTLP/protobuf request"),
        ("/v1/traces", PROTOBUF, b"\x0a" + b"\xff" * 20, 400, "no OTLP/protobuf request"),
        ("/v1/traces", {**PROTOBUF, "Content-Encoding": "gzip"}, b"\x0a\x00", 400, "not gzip"),
        ("/v1/traces", {**PROTOBUF, "Content-Encoding": "br"}, b"\x0a\x00", 415, "gzip, zstd or deflate"),
        ("/v1/traces", {"Content-Type": "text/plain"}, b"{}", 415, "application/x-protobuf or application/json"),
        ("/v1/metrics", JSON, b"{}", 404, "OTEL_METRICS_EXPORTER=none"),
        ("/v1/metrics", PROTOBUF, b"", 404, "OTEL_METRICS_EXPORTER=none"),
    ],
)
def test_unusable__status_in_the_requests_encoding(  # noqa: PLR0917 - a row of the table above
    empty: Daemon, path: str, headers: dict[str, str], body: bytes, status: int, expected: str
) -> None:
    """What cannot be read is refused as a whole, in words that an SDK shows, and is not to be sent again."""
    with empty.over_tcp() as client:
        answer = client.post(path, content=body, headers=headers)
    assert answer.status_code == status
    if headers is PROTOBUF or headers.get("Content-Type") == PROTOBUF["Content-Type"]:
        found = Status.FromString(answer.content)
        message, code = found.message, found.code
    else:
        message, code = answer.json()["message"], answer.json()["code"]
    assert expected in message
    assert code in {3, 12}
    assert empty.ledger["events"] == 0


def test_tcp__nothing_but_otlp(empty: Daemon) -> None:
    """Whoever reaches the port may push, and not look into what others have pushed."""
    with empty.over_tcp() as client:
        for path in ("/summary", "/status", "/evidence/1", "/healthz"):
            assert client.get(path).status_code == 404
        assert client.post("/ingest/x", content=b"x").status_code == 404


def test_killed_after_the_answer__everything_counted(folder: Path) -> None:
    """What was acknowledged is counted by the next process, once."""
    daemon = Daemon(folder)
    daemon.start()
    body = (FORMATS / "trace.json").read_bytes()
    with daemon.over_tcp() as client:
        for _ in range(50):
            assert client.post("/v1/traces", content=body, headers=JSON).status_code == 200
    daemon.end(signal.SIGKILL)
    daemon.socket.unlink()
    daemon.start()
    daemon.counted(50)
    daemon.end()


def test_port_taken__the_daemon_goes_on_and_says_so(folder: Path) -> None:
    """A Collector may have the port: then OTLP is taken over the socket alone, and why is in /status and in the log."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        daemon = Daemon(folder, otlp=address)
        daemon.start(wait="failure")
        assert daemon.status()["otlp"] == {"address": None, "failure": f"{address}: something else listens there"}
        with daemon.over_socket() as client:
            answer = client.post("/v1/traces", content=(FORMATS / "trace.json").read_bytes(), headers=JSON)
            assert answer.status_code == 200
        daemon.counted(1)
        daemon.end()
    assert "otlp.not_listening" in daemon.log.read_text()


def test_journal_full__retry_after__and_taken_when_there_is_room(folder: Path) -> None:
    """Overload is 503 with Retry-After, which exporters follow; a body that can never fit says what to raise."""
    daemon = Daemon(folder, sources='[[sources]]\ntype = "push"\nmax_journal = "1MiB"\n')
    daemon.start()
    body = json.dumps({"resourceLogs": [{"x": "y" * 600_000}]}).encode()
    with daemon.over_tcp() as client:
        answers = [client.post("/v1/logs", content=body, headers=JSON) for _ in range(3)]
        refused = [answer for answer in answers if answer.status_code == 503]
        assert refused
        assert refused[0].headers["retry-after"]
        assert "max_journal" in refused[0].json()["message"]
        assert refused[0].json()["code"] == 14
        # What waited is committed, and a new segment begun: there is room again.
        daemon.until(lambda: client.post("/v1/logs", content=body, headers=JSON).status_code == 200)
        larger = json.dumps({"resourceLogs": [{"x": "y" * 900_000}]}).encode()
        assert "raise max_journal" in client.post("/v1/logs", content=larger, headers=JSON).json()["message"]
    (source,) = daemon.status()["sources"]
    assert source["journal_max_bytes"] == 1 << 20
    daemon.end()


def test_no_push_source__404_says_how_to_have_one(folder: Path) -> None:
    """Without a source that takes pushes there is nowhere to put them."""
    daemon = Daemon(folder, sources="sources = []\n")
    text = daemon.config.read_text()
    daemon.config.write_text("sources = []\n" + text.replace("sources = []\n", ""))
    daemon.start()
    with daemon.over_tcp() as client:
        answer = client.post("/v1/traces", content=b'{"resourceSpans":[{}]}', headers=JSON)
    assert answer.status_code == 404
    assert 'type = "push"' in answer.json()["message"]
    daemon.end()
