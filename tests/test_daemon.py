"""The daemon as a process: started, fed, asked, killed and started again."""

from __future__ import annotations

import fcntl
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

DEADLINE = 30.0
AS_SYSTEMD = """
import os, sys
os.environ["LISTEN_PID"] = str(os.getpid())
passed = os.environ.pop("PASSED").split()
os.environ["LISTEN_FDS"] = str(len(passed))
for number, descriptor in enumerate(passed):
    os.dup2(int(descriptor), 3 + number)
os.execv(sys.argv[1], sys.argv[1:])
"""
NEWEST = 1_767_225_600_000_000_000


def spans(first: int, count: int, *, service: str = "payment") -> bytes:
    """OTLP lines of one span each, all different, as a collector's file exporter writes them."""
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    lines = []
    for number in range(first, first + count):
        start = NEWEST + number * 1_000_000
        span = {
            "traceId": f"{number:032x}",
            "spanId": f"{number + 1:016x}",
            "name": "POST /pay",
            "kind": 2,
            "startTimeUnixNano": str(start),
            "endTimeUnixNano": str(start + 5_000_000),
        }
        line = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {}, "spans": [span]}]}]}
        lines.append(json.dumps(line, separators=(",", ":")) + "\n")
    return "".join(lines).encode()


class Host:
    """A folder with a configuration in it, and the daemon that runs on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "app.jsonl"
        self.state = folder / "state"
        self.output = folder / "out"
        self.socket = folder / "t.sock"
        self.config = folder / "tracegist.toml"
        self.log = folder / "stderr"
        self.sources = f'[[sources]]\ntype = "push"\n[[sources]]\ntype = "tail"\npaths = ["{folder}/*.jsonl"]\n'
        self.process: subprocess.Popen[bytes] | None = None
        self.configure()

    def configure(self, *, budget: int = 1000, sources: str | None = None) -> None:
        """Write the configuration."""
        self.config.write_text(
            f'[summary]\nbudget = {budget}\n[state]\nfolder = "{self.state}"\ncommit_interval = "100ms"\n'
            f'[output]\nfolder = "{self.output}"\ninterval = "50ms"\n[server]\nsocket = "{self.socket}"\notlp = "off"\n'
            + (self.sources if sources is None else sources)
        )

    @property
    def environ(self) -> dict[str, str]:
        """Nothing of the user's own, so that nothing of it is touched."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TRACEGIST_", "XDG_"))}
        return {**kept, "HOME": str(self.folder / "home"), "TMPDIR": str(self.folder)}

    def command(self, *arguments: str) -> list[str]:
        """The daemon's command line."""
        return [sys.executable, "-m", "tracegist", "run", *(arguments or ("--config", str(self.config)))]

    def start(
        self,
        *arguments: str,
        environ: dict[str, str] | None = None,
        before: tuple[str, ...] = (),
        **options: Any,  # noqa: ANN401
    ) -> None:
        """Start it, and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*before, *self.command(*arguments)],
                stdin=options.pop("stdin", subprocess.DEVNULL),
                stdout=subprocess.PIPE,
                stderr=log,
                env={**self.environ, **(environ or {})},
                **options,
            )
        self.until(self.connectable)
        assert self.get("/healthz").startswith("ok")

    def end(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """End it; its exit code, and how long it took to leave."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(how)
        self.process.communicate(timeout=DEADLINE)
        code, self.process = self.process.returncode, None
        return code, time.monotonic() - began

    def client(self) -> httpx.Client:
        """A client of the socket."""
        return httpx.Client(transport=httpx.HTTPTransport(uds=str(self.socket)), base_url="http://x", timeout=DEADLINE)

    def connectable(self) -> bool:
        """Whether somebody listens; httpx leaks the socket of a connection that is refused."""
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket)) == 0

    def get(self, path: str) -> str:
        """Ask the socket."""
        with self.client() as client:
            return client.get(path).text

    def status(self) -> dict[str, Any]:
        """What ``/status`` says."""
        answer: dict[str, Any] = json.loads(self.get("/status"))
        return answer

    def events(self) -> int:
        """How many events were decoded."""
        return int(self.status()["ledger"]["events"])

    def until(self, condition: Callable[[], object]) -> None:
        """Wait for the daemon to come to something."""
        deadline = time.monotonic() + DEADLINE
        while True:
            if condition():
                return
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)

    def push(self, data: bytes) -> int:
        """Push to ``/ingest/ci`` as a client does, again where it is not taken at the moment; the answer's status."""
        status = 503

        def taken() -> bool:
            nonlocal status
            with self.client() as client:
                status = client.post("/ingest/ci", content=data).status_code
            return status != 503

        self.until(taken)
        return status

    def published(self) -> str:
        """What lies on the disk."""
        return (self.output / "summary.md").read_text()

    def logged(self) -> list[dict[str, Any]]:
        """What the daemon has said of itself."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def refusal(self, *arguments: str) -> tuple[int, str]:
        """Start a daemon that will not run; its exit code and what it says."""
        ended = subprocess.run(
            self.command(*arguments), env=self.environ, capture_output=True, text=True, timeout=DEADLINE, check=False
        )
        assert "Traceback" not in ended.stderr
        return ended.returncode, ended.stderr


@pytest.fixture
def host() -> Iterator[Host]:
    """A host; its daemon is ended with it. Its folder has a short name: a socket's path may have 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="tg", dir="/tmp") as folder:
        host = Host(Path(folder))
        yield host
        if host.process is not None:
            host.process.kill()
            host.process.communicate()


def append(path: Path, data: bytes) -> None:
    """Write as a program that traces does."""
    with path.open("ab") as file:
        file.write(data)


def test_daemon__nothing_has_come__summary_on_disk_and_on_the_socket(host: Host) -> None:
    """A host that is all new has a summary from the first moment on."""
    host.start()
    host.until(lambda: any(entry["event"] == "daemon.started" for entry in host.logged()))
    assert host.published().startswith(f"# {os.uname().nodename}")
    host.until(lambda: host.published() == host.get("/summary"))
    started = next(entry for entry in host.logged() if entry["event"] == "daemon.started")
    assert started["curl"] == f"curl --unix-socket {host.socket} http://x/summary"


def test_daemon__killed_and_restarted__every_span_counted_once(host: Host) -> None:
    """Whenever it is killed, whatever was committed, each span of a file counts once."""
    append(host.file, spans(0, 500))
    host.start()
    host.until(lambda: host.events() == 500)
    host.until(lambda: "payment" in host.get("/summary"))
    host.until(lambda: "payment" in host.published())
    total = 500
    for kill in range(4):
        append(host.file, spans(total, 300))
        total += 300
        # Before it is read, while it is, after it was committed.
        if kill:
            host.until(lambda kill=kill, total=total: host.events() >= total - 300 * (kill % 2))  # type: ignore[misc]
        host.end(signal.SIGKILL)
        append(host.file, spans(total, 100))
        total += 100
        host.start()
    host.until(lambda: host.events() >= total)
    assert host.events() == total
    assert host.status()["ledger"]["rejected"] == 0
    # An end in order changes nothing either.
    assert host.end()[0] == 0
    host.start()
    assert host.events() == total
    append(host.file, spans(total, 1))
    host.until(lambda: host.events() > total)
    assert host.events() == total + 1


def test_daemon__killed_after_a_push_was_acknowledged__counted_once(host: Host) -> None:
    """202 means that it is safe."""
    host.start()
    assert host.push(spans(0, 50)) == 202
    for _ in range(2):
        host.end(signal.SIGKILL)
        host.start()
        host.until(lambda: host.events() >= 50)
    assert host.push(spans(50, 1)) == 202
    # Had anything been read twice, it would have been before this one.
    host.until(lambda: host.events() > 50)
    assert host.events() == 51
    assert {"name": "push/ci", "events": 51}.items() <= host.status()["streams"][0].items()


def test_daemon__told_to_stop__commits_and_is_gone_within_two_seconds(host: Host) -> None:
    """SIGTERM, with a stream open: exit code 0, the last events committed, no socket left."""
    host.start()
    with host.client() as client, client.stream("GET", "/summary/stream") as stream:
        next(stream.iter_lines())
        append(host.file, spans(0, 100))
        host.until(lambda: host.events() == 100)
        code, took = host.end()
    assert code == 0
    assert took < 2
    assert not host.socket.exists()
    assert "payment" in host.published()
    host.start()
    assert host.events() == 100
    assert host.end(signal.SIGINT)[0] == 0
    assert [entry["event"] for entry in host.logged()][-1] == "daemon.stopped"


def test_daemon__stream__sees_an_update(host: Host) -> None:
    """A subscriber reads of what was appended to a file without asking again."""
    host.start()
    with host.client() as client, client.stream("GET", "/summary/stream") as stream:
        lines = stream.iter_lines()
        next(lines)
        append(host.file, spans(0, 100))
        assert any(line.startswith("data: ") and "payment" in line for line in lines)


def test_daemon__socket_in_use__says_by_whom(host: Host) -> None:
    """A second daemon leaves with one line; the first goes on."""
    host.start()
    assert host.process is not None
    code, said = host.refusal()
    assert code == 1
    assert f"in use by pid {host.process.pid}" in said
    assert said.count("\n") == 1
    assert host.get("/healthz").startswith("ok")


def test_daemon__state_in_use__says_by_whom(host: Host) -> None:
    """Another socket does not make it another daemon's state; nothing of the refused one is left behind."""
    host.start()
    assert host.process is not None
    other = host.folder / "other.sock"
    code, said = host.refusal("--config", str(host.config), "--socket", str(other))
    assert code == 1
    assert f"in use by pid {host.process.pid}" in said
    assert not other.exists()


def test_daemon__socket_left_by_a_killed_one__replaced(host: Host) -> None:
    """SIGKILL leaves the socket behind, and it is in nobody's way."""
    host.start()
    host.end(signal.SIGKILL)
    assert host.socket.exists()
    host.start()


def test_daemon__bad_configuration__names_file_and_key(host: Host) -> None:
    """It does not start, and says where the mistake is."""
    host.configure(sources='[[sources]]\ntype = "tail"\npaths = ["/var/log/x"]\nformt = "json"\n')
    code, said = host.refusal()
    assert code == 5
    assert f"{host.config}: $.sources[0].formt" in said


def test_daemon__output_cannot_be_written__serves_says_so_and_recovers(host: Host) -> None:
    """Only the files suffer: socket, status and header say why, and the files come back by themselves."""
    host.output.write_text("a file where the folder should be")
    append(host.file, spans(0, 10))
    host.start()
    host.until(lambda: host.events() == 10)
    host.until(lambda: str(host.output) in host.get("/summary"))
    assert any(str(host.output) in notice for notice in host.status()["notices"])
    host.output.unlink()
    host.until(lambda: host.status()["notices"] == [])
    host.until(lambda: str(host.output) not in host.published())
    events = [entry["event"] for entry in host.logged()]
    assert events.count("publish.failed") == 1
    assert events.count("publish.recovered") == 1
    assert host.end()[0] == 0


def test_daemon__state_cannot_be_written__serves_and_says_so(host: Host) -> None:
    """Without a place for its state it goes on, and a push is told why it is not taken."""
    host.state.write_text("a file where the folder should be")
    append(host.file, spans(0, 10))
    host.start()
    host.until(lambda: host.events() == 10)
    host.until(lambda: any("state is not saved" in notice for notice in host.status()["notices"]))
    with host.client() as client:
        answer = client.post("/ingest/ci", content=spans(0, 1))
    assert answer.status_code == 503
    assert str(host.state) in answer.json()["error"]
    assert host.end()[0] == 0


def test_daemon__hangup__configuration_read_again(host: Host) -> None:
    """A good file takes effect, with nothing read twice; a bad one changes nothing, and is said to be bad."""
    append(host.file, spans(0, 20))
    host.start()
    host.until(lambda: host.events() == 20)
    assert host.process is not None
    other = host.folder / "other.log"
    append(other, spans(1000, 5, service="cart"))
    host.configure(budget=200, sources=host.sources.replace("*.jsonl", "*.[jl]*"))
    host.process.send_signal(signal.SIGHUP)
    host.until(lambda: host.events() >= 25)
    host.until(lambda: json.loads((host.output / "summary.json").read_bytes())["budget"] == 200)
    host.config.write_text("budget = ")
    host.process.send_signal(signal.SIGHUP)
    host.until(lambda: any("not reloaded" in notice for notice in host.status()["notices"]))
    append(other, spans(2000, 5, service="cart"))
    host.until(lambda: host.events() >= 30)
    assert host.events() == 30
    assert {"daemon.reloaded", "reload.failed"} <= {entry["event"] for entry in host.logged()}


def test_daemon__under_systemd__takes_the_socket_and_tells_how_it_is(host: Host) -> None:
    """The passed socket is served and left in place; the manager hears of readiness, life and the end."""
    with (
        socket.socket(socket.AF_UNIX) as passed,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
    ):
        passed.bind(str(host.socket))
        passed.listen()
        manager.bind(str(host.folder / "notify"))
        manager.settimeout(DEADLINE)
        environ = {"NOTIFY_SOCKET": str(host.folder / "notify"), "WATCHDOG_USEC": "300000"}
        environ["PASSED"] = str(passed.fileno())
        # Descriptor 3 and LISTEN_PID are as systemd has them: known only in the process itself.
        host.start(environ=environ, before=(sys.executable, "-c", AS_SYSTEMD), pass_fds=[passed.fileno()])
        said = b""
        while b"READY=1" not in said or said.count(b"WATCHDOG=1") < 3:
            said += manager.recv(4096) + b"\n"
        assert host.process is not None
        host.process.send_signal(signal.SIGHUP)
        while b"RELOADING=1" not in said:
            said += manager.recv(4096) + b"\n"
        assert host.end()[0] == 0
        while b"STOPPING=1" not in said:
            said += manager.recv(4096) + b"\n"
    assert host.socket.exists()


def test_daemon__port_passed_by_systemd__takes_otlp_there(host: Host) -> None:
    """A unit without any network is handed the port; the socket comes with it, in whatever order."""
    with socket.socket(socket.AF_UNIX) as passed, socket.socket() as otlp:
        passed.bind(str(host.socket))
        passed.listen()
        otlp.bind(("127.0.0.1", 0))
        otlp.listen()
        # None of them where one of them is to be.
        descriptors = [fcntl.fcntl(one.fileno(), fcntl.F_DUPFD, 100) for one in (otlp, passed)]
        environ = {"PASSED": " ".join(map(str, descriptors))}
        host.start(environ=environ, before=(sys.executable, "-c", AS_SYSTEMD), pass_fds=descriptors)
        port = otlp.getsockname()[1]
        url, headers = f"http://127.0.0.1:{port}/v1/traces", {"Content-Type": "application/json"}
        # 503 until the journal is open.
        host.until(lambda: httpx.post(url, content=spans(0, 1), headers=headers).status_code == 200)
        host.until(lambda: host.events() == 1)
        assert host.status()["otlp"]["address"] == f"127.0.0.1:{port}"
        assert host.end()[0] == 0
        for descriptor in descriptors:
            os.close(descriptor)


def test_daemon__standard_input__read_to_its_end(host: Host) -> None:
    """`producer | tracegist run`: what is piped in counts, and the daemon goes on answering."""
    host.configure(sources='[[sources]]\ntype = "stdin"\n')
    host.start(stdin=subprocess.PIPE)
    assert host.process is not None
    assert host.process.stdin is not None
    host.process.stdin.write(spans(0, 30))
    host.process.stdin.close()
    host.process.stdin = None
    host.until(lambda: host.events() == 30)
    assert host.end()[0] == 0


def test_daemon__standard_input_that_may_drop__each_line_counted_or_in_the_ledger(host: Host) -> None:
    """A producer is not held back: what is too much is let go, and the two numbers add up."""
    host.configure(sources='[[sources]]\ntype = "stdin"\noverload = "drop"\n')
    host.start(stdin=subprocess.PIPE)
    assert host.process is not None
    assert host.process.stdin is not None
    block, blocks = spans(0, 1000), 100
    for _ in range(blocks):
        host.process.stdin.write(block)
    host.process.stdin.close()
    host.process.stdin = None

    def settled() -> bool:
        ledger = host.status()["ledger"]
        missed = ledger["missed"].get("overload of stdin", {"bytes": 0})
        assert ledger["bytes"] + missed["bytes"] <= blocks * len(block)
        return bool(ledger["events"] + ledger["dropped"] == blocks * 1000)

    host.until(settled)
    assert host.end()[0] == 0


def test_daemon__sample__a_summary_at_once_and_nothing_of_the_users_touched(host: Host) -> None:
    """A newcomer is told what to type, sees a real system, and nothing is left behind."""
    host.start("--sample", "--socket", str(host.socket))
    assert host.process is not None
    assert host.process.stdout is not None
    hint = b"".join(iter(host.process.stdout.readline, b"\n")) + host.process.stdout.readline()
    assert f"curl --unix-socket {host.socket} http://x/summary".encode() in hint
    host.until(lambda: "currencyservice" in host.get("/summary?budget=2000"))
    [folder] = host.folder.glob("tracegist-sample-*")
    assert (folder / "summary.md").exists()
    assert host.end()[0] == 0
    assert not folder.exists()
    assert not (host.folder / "home").exists()


def test_daemon__sample_beside_a_running_daemon__has_a_socket_of_its_own(host: Host) -> None:
    """Trying it out disturbs nobody."""
    host.start()
    with subprocess.Popen(
        host.command("--sample", "--socket", str(host.socket)),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=host.environ,
    ) as sample:
        assert sample.stdout is not None
        line = next(line for line in sample.stdout if b"curl" in line).decode()
        own = Path(line.split()[2])
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(own)), base_url="http://x") as client:
            assert client.get("/status").json()["pid"] == sample.pid
        sample.terminate()
        sample.communicate(timeout=DEADLINE)
        assert sample.returncode == 0
    assert host.status()["ledger"]["events"] == 0
