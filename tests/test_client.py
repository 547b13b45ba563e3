"""The client and the verbs that use it, against a server that answers as a daemon does."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import cast
from urllib.parse import parse_qs, urlsplit

import pytest

from tracegist.cli import main
from tracegist.client import Client
from tracegist.config import Duration
from tracegist.errors import DaemonUnreachable, TokenBudgetExceeded, TracegistError, TraceNotFound

SUMMARY = {"text": "# web-3 naïve\n", "tokens": 7, "budget": 1000}
EVIDENCE = {
    "id": 12,
    "service": "cart",
    "operation": "GET /cart",
    "kind": "server",
    "events": [
        {"role": "slow", "time": "2025-11-24T16:00:00Z", "source": "/var/log/t.jsonl", "raw": '{"name":"GET /cart"}'}
    ],
}
STATUS = {"version": "0.1.0", "sources": [{"name": "tail", "streams": 2}], "notices": [], "ledger": {"events": 3}}


class Answers(BaseHTTPRequestHandler):
    """Answers like a daemon, and remembers what it was asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer by path."""
        asked = cast("list[str]", self.server.asked)  # type: ignore[attr-defined]
        asked.append(self.path)
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        if url.path == "/summary" and query.get("budget") == ["9"]:
            self.answer(400, {"type": "TokenBudgetExceeded", "error": "the header alone takes 61 tokens"})
        elif url.path == "/summary" and "section" in query:
            self.answer(400, {"type": "TracegistError", "error": "unknown section"})
        elif url.path == "/summary":
            self.answer(200, SUMMARY)
        elif url.path == "/status":
            self.answer(200, STATUS)
        elif url.path == "/evidence/12":
            self.answer(200, EVIDENCE)
        elif url.path == "/evidence/14":
            time.sleep(0.5)
        elif url.path == "/evidence/15":
            self.answer(500, "broken")
        else:
            self.answer(404, {"type": "TraceNotFound", "error": "no evidence #13"})

    def answer(self, status: int, content: object) -> None:
        """Send JSON."""
        body = json.dumps(content, ensure_ascii=False).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


class Server(socketserver.ThreadingUnixStreamServer):
    """Listens on a Unix socket."""

    daemon_threads = False

    def __init__(self, path: Path) -> None:
        self.asked: list[str] = []
        super().__init__(str(path), Answers)

    def get_request(self) -> tuple[object, tuple[str, int]]:  # type: ignore[override]
        """Name the peer as the handler wants it named."""
        request, _ = super().get_request()
        return request, ("peer", 0)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Serve on a socket that the configuration names."""
    path = tmp_path / "s.sock"
    monkeypatch.setenv("TRACEGIST_CONFIG", "/dev/null")
    monkeypatch.setenv("TRACEGIST_SERVER_SOCKET", str(path))
    with Server(path) as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield serving
        serving.shutdown()
        thread.join()


def test_client__summary__sends_what_was_given_and_nothing_else(server: Server, tmp_path: Path) -> None:
    """What is None is left to the daemon's configuration; durations travel with their unit."""
    with Client(tmp_path / "s.sock") as client:
        assert json.loads(client.summary()) == SUMMARY
        client.summary(budget=500, window=Duration.parse("90s"), focus="a b&c")
    assert server.asked[0] == "/summary"
    assert parse_qs(urlsplit(server.asked[1]).query) == {"budget": ["500"], "window": ["1m30s"], "focus": ["a b&c"]}


def test_client__refusal__raises_what_the_daemon_raised(server: Server, tmp_path: Path) -> None:
    """The error of the daemon is the error of the caller."""
    with Client(tmp_path / "s.sock") as client:
        with pytest.raises(TokenBudgetExceeded, match="61 tokens"):
            client.summary(budget=9)
        with pytest.raises(ValueError, match="unknown section"):
            client.summary(sections=["x"])
        with pytest.raises(TraceNotFound, match="#13"):
            client.evidence(13)
        with pytest.raises(TracegistError, match="broken"):
            client.evidence(15)
    assert len(server.asked) == 4


def test_client__daemon_that_hangs__is_given_up(server: Server, tmp_path: Path) -> None:
    """A daemon that does not answer is told from one that is not there."""
    with (
        Client(tmp_path / "s.sock", timeout=0.05) as client,
        pytest.raises(DaemonUnreachable, match="has not answered"),
    ):
        client.evidence(14)
    assert server.asked == ["/evidence/14"]


def test_summarize__without_paths__prints_the_daemons_answer(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """The text as it is, or the object on one line."""
    assert main(["summarize", "--window", "15m"]) == 0
    assert capsys.readouterr().out == "# web-3 naïve\n"
    assert server.asked == ["/summary?window=15m"]
    assert main(["summarize", "--format", "json"]) == 0
    out = capsys.readouterr().out
    assert json.loads(out) == SUMMARY
    assert out.count("\n") == 1


def test_summarize__refused__exit_codes(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """A budget too small is 1, a section that is none is 2."""
    assert main(["summarize", "--budget", "9"]) == 1
    assert capsys.readouterr().err == "tracegist: the header alone takes 61 tokens\n"
    assert main(["summarize", "--section", "nonsense"]) == 2
    assert capsys.readouterr().err == "tracegist: unknown section\n"
    assert len(server.asked) == 2


def test_show__number__prints_the_raw_events(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """With # or without; as text or as JSON."""
    assert main(["show", "#12"]) == 0
    out = capsys.readouterr().out
    assert out == (
        "#12 cart GET /cart server\n\nslow 2025-11-24T16:00:00Z /var/log/t.jsonl\n" + '{"name":"GET /cart"}\n'
    )
    assert main(["show", "12", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == EVIDENCE
    assert main(["show", "13"]) == 1
    assert capsys.readouterr().err == "tracegist: no evidence #13\n"
    assert server.asked == ["/evidence/12", "/evidence/12", "/evidence/13"]


def test_status__text__is_an_outline(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """A person reads an outline without what is empty; a program reads JSON."""
    assert main(["status"]) == 0
    assert capsys.readouterr().out == (
        "version: 0.1.0\nsources:\n  -\n    name: tail\n    streams: 2\nledger:\n  events: 3\n"
    )
    assert main(["status", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == STATUS
    assert len(server.asked) == 2
