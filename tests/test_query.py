"""Questions from the command line, over the socket and in a program: one grammar, the same rows."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import httpx
import msgspec
import pytest

from bench.daemon import Daemon
from tracegist import Analyzer, Answer, Event, Query, QueryError, TraceNotFound
from tracegist._engine import Engine
from tracegist.cli import main
from tracegist.config import Output, Summary
from tracegist.publish import Publisher
from tracegist.server.http import make_app
from tracegist.server.routes import Backend, make_routes
from tracegist.tokens import tiktoken_encoding

TRACE = "5b8efff798038103d269b633813fc60c"
START = 1_700_000_000_000_000_000


def events() -> list[Event]:
    """A page that asks its cart in vain, thirty times, and log records."""
    out: list[Event] = []
    for number in range(30):
        end = START + number * 1_000_000_000
        trace = TRACE if number == 0 else f"{number:032x}"
        cart = Event(
            kind="server", service="cart", operation="get", time=end, duration=20_000_000, failed=number % 3 == 0,
            message="gone" if number % 3 == 0 else "", trace=trace, span="0000000000000002", parent="0000000000000001",
        )  # fmt: skip
        web = Event(
            kind="server", service="web", operation="GET /", time=end + 5_000_000, duration=50_000_000, trace=trace,
            span="0000000000000001", attributes={"tenant": "acme" if number % 10 == 0 else "beta"},
        )  # fmt: skip
        log = Event(kind="log", service="web", level="info", message=f"order {number} accepted", time=end)
        out += [cart, web, log]
    return out


@pytest.fixture
def analyzer() -> Analyzer:
    """An engine that has seen them."""
    analyzer = Analyzer()
    analyzer.feed(events())
    return analyzer


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The log records and a few failed ones as a file."""
    path = tmp_path / "app.log"
    levels = ["error" if number % 4 == 0 else "info" for number in range(40)]
    lines = [
        json.dumps(
            {"time": START + number * 1_000_000_000, "level": level, "service": f"s{number % 5}", "msg": "=hello"}
        )
        for number, level in enumerate(levels)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_library__question__rows_and_text_say_the_same(analyzer: Analyzer) -> None:
    """Rows come as dictionaries too, and the text takes what it says."""
    answer = analyzer.query(where="service=cart", select=["count", "errors", "error_share"])
    (record,) = answer.records()
    assert (record["service"], record["count"], record["errors"]) == ("cart", 30, 10)
    assert answer.tokens == len(tiktoken_encoding("o200k_base").encode_ordinary(answer.text)) <= answer.budget
    assert answer.exactness.exact


def test_library__pages__add_up(analyzer: Analyzer) -> None:
    """Going on with the cursor comes to every row once."""
    whole = analyzer.query("traces", budget=100_000)
    rows: list[object] = []
    cursor: str | None = None
    while True:
        page = analyzer.query("traces", budget=120, cursor=cursor)
        assert page.tokens <= 120
        rows += page.rows
        cursor = page.cursor
        if cursor is None:
            break
    assert rows == list(whole.rows)
    assert len(rows) == 30


def test_library__misspelt__error_points_at_the_word(analyzer: Analyzer) -> None:
    """The error has the place and the nearest name as values, and a caret for people."""
    with pytest.raises(QueryError) as caught:
        analyzer.query(where="service=web satus=error")
    error = caught.value
    assert (error.field, error.at, error.suggestion) == ("where", 12, "status")
    assert str(error).endswith("\n  service=web satus=error\n              ^^^^^")
    with pytest.raises(TraceNotFound):
        analyzer.query("trace", of="ffffffff")


def test_library__never_kept__says_what_can_be_asked(analyzer: Analyzer) -> None:
    """What the state does not keep is an error that leads on."""
    for where, leads in [
        ("http.method=GET", "attribute.http.method"),
        ("trace_id=x", "not kept: which traces a series was seen in; what=trace"),
        ("status=error p95>1s", "what=traces status=error"),
    ]:
        with pytest.raises(QueryError) as caught:
            analyzer.query(where=where)
        assert leads in str(caught.value)


def test_library__attribute__told_of_and_by(analyzer: Analyzer) -> None:
    """What events carried is asked like everything else; where all of them are kept the answer is exact."""
    answer = analyzer.query(where="attribute.tenant=*", group_by="attribute.tenant", select="count,errors,p95")
    assert [row["count"] for row in answer.records()] == [27, 3]
    assert answer.exactness.exact
    with pytest.raises(QueryError, match=r"did you mean attribute\.tenant\?"):
        analyzer.query(where="service=web attribute.tennant=acme")


def test_cli__attribute__estimates_say_how_far_they_may_be_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In every form; what is not known is said in the answer, not on the side."""
    path = tmp_path / "app.jsonl"
    line = '{"time":%d,"level":"info","service":"s","msg":"seen","tenant":"%s"}\n'
    path.write_text("".join(line % (1_700_000_100 + n // 10, "acme" if n % 4 == 0 else "beta") for n in range(2_000)))
    ask = ["query", str(path), "--group-by", "attribute:tenant", "--select", "count", "--format"]
    shown = {}
    for form in ("text", "json", "csv"):
        assert main([*ask, form]) == 0
        shown[form] = capsys.readouterr().out
    answer = json.loads(shown["json"])
    names = [column["name"] for column in answer["columns"]]
    assert names == ["attribute.tenant", "count", "count_within", "evidence"]
    assert (sum(row[1] for row in answer["rows"]), answer["totals"][1]) == (2_000, 2_000)
    assert not answer["exactness"]["exact"]
    assert shown["csv"].splitlines()[0] == ",".join(names)
    assert all(part in shown["text"] for part in ("±", "of 2k events", "beta: "))


def test_cli__formats__same_rows(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Text, a table, JSON and comma-separated values have the same rows; a formula stays text."""
    ask = ["query", str(file), "--group-by", "service,template", "--select", "count,errors"]
    shown = {}
    for form in ("text", "table", "json", "csv"):
        assert main([*ask, "--format", form]) == 0
        shown[form] = capsys.readouterr().out
    answer = Answer.from_json(shown["json"].encode())
    rows = list(csv.reader(io.StringIO(shown["csv"])))
    assert rows[0] == ["service", "template", "count", "errors", "evidence"]
    assert [row[0] for row in rows[1:]] == [row[0] for row in answer.rows]
    assert {row[1] for row in rows[1:]} == {"'=hello"}
    assert all(f"s{number}" in shown[form] for form in ("text", "table") for number in range(5))
    assert "# all 5 rows: 40 10" in shown["text"]


def test_cli__misspelt__exit_code_and_caret_before_anything_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    """The question is looked at before the files are."""
    assert main(["query", "no-such-file", "--where", "servce=x"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("tracegist: where: unknown name")
    assert lines[1:] == ["  servce=x", "  ^^^^^^"]


def test_cli__section__facts_of_it(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the last line of a summary names works, and goes on where it is cut."""
    assert main(["query", str(file), "--section", "logs", "--format", "json"]) == 0
    answer = Answer.from_json(capsys.readouterr().out.encode())
    assert answer.rows
    assert {record["section"] for record in answer.records()} == {"logs"}
    assert main(["query", str(file), "--section", "lgos"]) == 2
    assert "did you mean logs?" in capsys.readouterr().err


def test_show__trace__its_tree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The beginning of an id will do."""
    span = {"traceId": TRACE, "spanId": "00f067aa0ba902b7", "name": "POST /pay", "kind": 2}
    times = {"startTimeUnixNano": str(START), "endTimeUnixNano": str(START + 1_000_000)}
    path = tmp_path / "spans.jsonl"
    path.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span | times]}]}]}) + "\n")
    assert main(["show", TRACE[:8], str(path)]) == 0
    assert ": 1 0ns 1ms 1ms 0 #1" in capsys.readouterr().out
    assert main(["show", "ffffffff", str(path)]) == 1
    assert "no trace ffffffff is here" in capsys.readouterr().err


@pytest.fixture
def anyio_backend() -> str:
    """The event loop of the daemon."""
    return "asyncio"


@pytest.fixture
async def client(analyzer: Analyzer, tmp_path: Path) -> httpx.AsyncClient:
    """Asks the routes of the socket."""
    engine: Engine = analyzer._engine

    async def status() -> dict[str, object]:
        return {}

    publisher = Publisher(engine, Summary(budget=300), Output(folder=tmp_path))
    backend = Backend(engine=engine, publisher=publisher, status=status, inlet=lambda _: None, largest=1 << 20)
    transport = httpx.ASGITransport(make_app(make_routes(backend)))
    return httpx.AsyncClient(transport=transport, base_url="http://x")


@pytest.mark.anyio
async def test_socket__question__text_or_json_by_accept(client: httpx.AsyncClient) -> None:
    """The same answer, as whoever asks can read it."""
    question = Query(where="service=cart", group_by="service", select="count").to_json()
    response = await client.post("/query", content=question)
    assert response.headers["content-type"].startswith("text/plain")
    assert "cart: 30 #1" in response.text
    response = await client.post("/query", content=question, headers={"Accept": "application/json"})
    answer = msgspec.json.decode(response.content, type=Answer)
    assert answer.rows == (("cart", 30, 1),)
    question = Query(where="attribute.tenant=acme", group_by="service", select="count").to_json()
    response = await client.post("/query", content=question)
    assert "web: 3 #" in response.text
    response = await client.post("/query", json={"group_by": "service", "format": "csv"})
    assert response.headers["content-type"].startswith("text/csv")


@pytest.mark.anyio
async def test_socket__wrong_question__where_and_what_is_meant(client: httpx.AsyncClient) -> None:
    """As text with its caret, or as JSON with the place."""
    response = await client.post("/query", json={"where": "servce=x"})
    assert (response.status_code, "^^^^^^" in response.text) == (400, True)
    response = await client.post("/query", json={"wher": 1}, headers={"Accept": "application/json"})
    assert (response.json()["type"], response.json()["suggestion"]) == ("QueryError", "where")
    response = await client.post("/query", content=b"[]")
    assert response.status_code == 400


@pytest.mark.anyio
async def test_socket__trace__its_tree(client: httpx.AsyncClient) -> None:
    """By the beginning of its id; what is not there is not found."""
    response = await client.get(f"/traces/{TRACE[:8]}?budget=200")
    assert "\n  cart get" in response.text
    assert (await client.get("/traces/ffffffff")).status_code == 404
    assert (await client.get("/traces/abc?what=x")).status_code == 400


def test_daemon__sources__told_apart_by_the_names_that_people_know(tmp_path: Path) -> None:
    """A tailed file is called by its path however it is rotated, what is dropped by its spool, what is pushed by who pushes."""
    logs, drops = tmp_path / "log", tmp_path / "drops"
    logs.mkdir()
    drops.mkdir()
    record = '{"time":1700000000,"level":"%s","service":"%s","msg":"hello"}\n'
    log = logs / "app.log"
    log.write_text(record % ("info", "tailed"))
    (drops / "one.json").write_text(record % ("warn", "dropped"))
    sources = (
        f'[[sources]]\ntype = "tail"\npaths = ["{logs}/*.log"]\n'
        f'[[sources]]\ntype = "spool"\nname = "inbox"\nfolder = "{drops}"\n'
        '[[sources]]\ntype = "push"\nname = "push"\n'
    )
    with Daemon(tmp_path, sources) as daemon:
        daemon.until(lambda: daemon.events() == 2, seconds=30)
        log.rename(logs / "app.log.1")
        log.write_text(record % ("error", "tailed"))
        (drops / "two.json").write_text(record % ("info", "dropped"))
        daemon.client.post("/ingest/shop", content=record % ("info", "pushed"))
        daemon.until(lambda: daemon.events() == 5, seconds=30)

        def ask(**question: str) -> list[tuple[object, ...]]:
            answer = daemon.client.post(
                "/query", json={"since": "all", **question}, headers={"Accept": "application/json"}
            )
            return sorted(row[:3] for row in msgspec.json.decode(answer.content, type=Answer).rows)

        expected = [("inbox", "dropped", 2), ("push/shop", "pushed", 1), (str(log), "tailed", 2)]
        assert ask(group_by="source,service", select="count") == sorted(expected)
        assert ask(what="sources") == sorted(
            (source, "json", 2 - (service == "pushed")) for source, service, _ in expected
        )
        assert ask(where="level>=warn source=*app.log", group_by="service,level", select="count") == [
            ("tailed", "error", 1)
        ]
