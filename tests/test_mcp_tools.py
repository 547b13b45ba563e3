"""What the tools of the Model Context Protocol answer, in one process: budgets, pages, errors, what they cost themselves."""

from __future__ import annotations

import json
import lzma
import re
import time
import tomllib
from collections.abc import AsyncIterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.client import Client
from mcp_types import CallToolRequestParams, CallToolResult, TextContent

from tracegist._engine import Engine, count_tokens
from tracegist.errors import ConfigError, QueryError
from tracegist.mcp.account import Report
from tracegist.mcp.arguments import read
from tracegist.mcp.budget import Answer, longest, tame
from tracegist.mcp.evidence import Evidence, evidence
from tracegist.mcp.query import query
from tracegist.mcp.server import INSTRUCTIONS, make_server
from tracegist.mcp.summarize import Summarize, summarize
from tracegist.mcp.tools import call as call_tool
from tracegist.mcp.tools import tools
from tracegist.query import Query
from tracegist.server.guard import read_token

MINUTE = 60 * 10**9
DOCS = Path(__file__).parent.parent / "docs/mcp.md"


@cache
def sample() -> Engine:
    """An engine that has seen the whole of the bundled recording."""
    engine = Engine(host="vm")
    for part in ("quiet", "faulty"):
        data = lzma.decompress((files("tracegist.sample") / f"{part}.jsonl.xz").read_bytes())
        engine.ingest("sample/nezha.jsonl", data, received=time.time_ns(), format="otlp")
    return engine


class Sample:
    """Its account."""

    def __init__(self) -> None:
        self.engine = sample()

    async def prepare(self, report: Report, *, anew: bool) -> None:
        """Say that something was done."""
        await report(1.0, 2.0, "bytes read" if anew else "nothing")

    async def encoding(self) -> str:
        """The usual."""
        return "o200k_base"

    async def summary(self, asked: Mapping[str, Any]) -> bytes:
        """As the engine gives it."""
        return self.engine.summary(**{"budget": 1000, "window": MINUTE, **asked})

    async def query(self, question: Mapping[str, Any]) -> bytes:
        """As the engine gives it."""
        return self.engine.query(msgspec.json.encode(question))

    async def evidence(self, number: int) -> bytes:
        """As the engine gives it."""
        return self.engine.evidence(number)

    async def updates(self) -> AsyncIterator[str]:
        """One that is never followed by another."""
        yield "#\n"


def json_of(answer: Answer) -> str:
    """What clients show the model in place of the text."""
    return msgspec.json.encode(answer.content).decode()


def ask(tool: str, arguments: dict[str, Any]) -> CallToolResult:
    """Call a tool as a client does."""

    async def call() -> CallToolResult:
        async with Client(make_server(Sample())) as client:
            return await client.call_tool(tool, arguments)

    return anyio.run(call)


def said(result: CallToolResult) -> str:
    """The text of an answer."""
    [block] = result.content
    assert isinstance(block, TextContent)
    return block.text


def test_tools__listed__cost_few_tokens_and_say_what_they_give() -> None:
    """A model pays for the list in every conversation: docs/mcp.md says how much, and no more than that is allowed."""

    async def listed() -> str:
        async with Client(make_server(Sample())) as client:
            found = (await client.list_tools()).tools
            assert all(tool.output_schema for tool in found)
            return msgspec.json.encode([tool.model_dump(by_alias=True, exclude_none=True) for tool in found]).decode()

    tokens = count_tokens(anyio.run(listed))
    stated = re.search(r"(\d+) tokens of o200k_base for the list", DOCS.read_text())
    assert stated is not None
    assert tokens <= int(stated[1]) <= tokens + 10
    assert count_tokens(INSTRUCTIONS) <= 80


def test_tools__arguments__have_types_that_every_client_takes() -> None:
    """Gemini takes an enum of strings alone, and VS Code no array without items."""
    for tool in tools():
        for name, schema in tool.input_schema["properties"].items():
            assert schema["type"] in {"string", "integer", "array"}, name
            assert schema["type"] != "array" or schema["items"]["type"] == "string"


def test_docs__snippets_for_clients__are_what_they_read() -> None:
    """What is copied from the docs is JSON or TOML, and starts what there is, or asks where it is."""
    blocks = re.findall(r"```(json|toml)\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert len(blocks) >= 7
    for language, text in blocks:
        table = json.loads(text) if language == "json" else tomllib.loads(text)
        [servers] = table.values()
        server = servers["tracegist"]
        if "command" in server:
            assert server["command"] == "tracegist"
            assert server["args"] in (["mcp"], ["mcp", "--underscores"])
        else:
            assert server["url"].endswith("/mcp")


def test_names__without_dots__listed_and_called() -> None:
    """Clients that allow no dot get underscores, and either is understood."""

    async def names() -> list[str]:
        async with Client(make_server(Sample(), underscores=True)) as client:
            return [tool.name for tool in (await client.list_tools()).tools]

    assert {"trace_summarize", "trace_evidence"} <= set(anyio.run(names))
    assert not ask("trace_summarize", {"budget": 100}).is_error


@given(st.integers(min_value=60, max_value=3000), st.sampled_from(["o200k_base", "cl100k_base"]))
def test_summarize__any_budget__kept_by_text_and_by_json(budget: int, encoding: str) -> None:
    """Whichever of the two a client gives to its model."""

    async def answered() -> Answer:
        return await summarize(Sample(), Summarize(budget=budget, encoding=encoding))

    answer = anyio.run(answered)
    assert count_tokens(answer.text, encoding) <= budget
    assert count_tokens(json_of(answer), encoding) <= budget


def test_summarize__facts_left_out__names_the_tool_that_goes_on() -> None:
    """A model has no command line: what it is told to ask can be asked."""
    answers = [said(ask("trace.summarize", {"budget": budget, "window": "60s"})) for budget in range(300, 320)]
    hints = {found[1] for found in (re.search(r"more facts fit no .*: (.*)\n\Z", text) for text in answers) if found}
    assert hints
    for hint in hints:
        found = re.fullmatch(r"trace\.query what (facts) where (section=\w+) since (1m)", hint)
        assert found is not None, hint
        result = ask("trace.query", {"what": found[1], "where": found[2], "since": found[3]})
        assert result.structured_content["total_rows"] > 0


@given(st.integers(min_value=120, max_value=2000), st.sampled_from(["o200k_base", "cl100k_base"]), st.integers(1, 20))
def test_evidence__any_budget__pages_add_up_to_all_of_it(budget: int, encoding: str, number: int) -> None:
    """No character of an event is lost or given twice, and no page is larger than its budget."""

    async def pages() -> list[Answer]:
        found: list[Answer] = []
        cursor = None
        while not found or cursor:
            asked = Evidence(id=number, budget=budget, encoding=encoding, cursor=cursor)
            found.append(await evidence(Sample(), asked))
            cursor = found[-1].content.get("cursor")
        return found

    answers = anyio.run(pages)
    given: list[dict[str, Any]] = []
    for before, answer in zip([None, *answers], answers, strict=False):
        assert count_tokens(answer.text, encoding) <= budget
        assert count_tokens(json_of(answer), encoding) <= budget
        events = [dict(event) for event in answer.content["events"]]
        if before is not None and not before.content["cursor"].endswith(".0"):
            given[-1]["raw"] += events.pop(0)["raw"]
        given += events
    whole = json.loads(sample().evidence(number))["events"]
    assert [event["raw"] for event in given] == [tame(event["raw"]) for event in whole]


QUESTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"group_by": "service,operation", "select": "count,p95,rate"},
    {"group_by": "service", "since": "1m", "compare": "baseline"},
    {"group_by": "time:10s", "select": "count,errors,self_p95"},
    {"what": "edges"},
    {"where": "service=front* duration>1ms -kind=log", "order_by": "-p95"},
    {"what": "diff", "of": "currencyservice,frontend"},
    {"what": "timeline", "where": "service=currencyservice"},
    {"what": "facts"},
    {"group_by": "service,attribute.k8s.pod.name", "select": "count,errors,p95"},
    {"where": "attribute.k8s.pod.name=front*,product*", "group_by": "operation,time:1m"},
    {"what": "evidence", "of": "#11"},
    {"what": "traces"},
    {"what": "trace", "of": "#11"},
    {"what": "path", "of": "#11", "limit": 30},
)


@given(
    st.sampled_from(QUESTIONS),
    st.integers(min_value=50, max_value=3000),
    st.sampled_from(["o200k_base", "cl100k_base"]),
    st.one_of(st.none(), st.integers(1, 20)),
)
def test_query__any_budget__kept_and_pages_add_up_to_all_of_it(
    question: dict[str, Any], budget: int, encoding: str, limit: int | None
) -> None:
    """No row is lost or given twice, and no page is larger than its budget, as text and as JSON; no budget is refused."""
    whole = json.loads(sample().query(msgspec.json.encode({**question, "limit": None, "budget": 1_000_000})))
    for row in (*whole["rows"], whole["totals"]):
        row[:] = [float(f"{value:.4g}") if isinstance(value, float) else value for value in row]

    async def pages() -> list[Answer]:
        found: list[Answer] = []
        cursor = None
        while not found or cursor:
            asked = {"limit": limit, **question, "budget": budget, "encoding": encoding, "cursor": cursor}
            found.append(await query(Sample(), asked))
            cursor = found[-1].content.get("cursor")
        return found

    answers = anyio.run(pages)
    rows: list[Any] = []
    for number, answer in enumerate(answers):
        assert count_tokens(answer.text, encoding) <= budget
        assert count_tokens(json_of(answer), encoding) <= budget
        given = int(answer.content["cursor"].partition("-")[0]) if "cursor" in answer.content else whole["total_rows"]
        before = len(rows)
        rows += answer.content.get("rows", whole["rows"][before:given])
        assert len(rows) == given
        assert given > before or not whole["rows"]
        left = whole["total_rows"] - given
        assert answer.content.get("left_out", 0) == left or f"{left} more" in answer.text
        if "totals" in answer.content:
            assert answer.content["totals"] == whole["totals"], number
    assert rows == whole["rows"]


def test_query__kinds_of_question__those_that_the_engine_knows() -> None:
    """The list that a model reads is the engine's own."""
    with pytest.raises(QueryError) as refused:
        sample().query(b'{"what":"nonsense"}')
    known = str(refused.value).partition("it is one of ")[2].partition(";")[0].partition("\n")[0].split(", ")
    [listed] = [tool.input_schema["properties"]["what"]["enum"] for tool in tools() if tool.name == "trace.query"]
    assert listed == known


@pytest.mark.parametrize(("field", "separator"), [("group_by", ", "), ("select", ", "), ("where", " ")])
def test_query__words_of_its_description__are_known(field: str, separator: str) -> None:
    """What a model is told it can write can be written."""
    [tool] = [tool for tool in tools() if tool.name == "trace.query"]
    words = tool.input_schema["properties"][field]["description"].rpartition(": ")[2].split(separator)
    assert len(words) > 5
    for word in words:
        # A key that the recording has.
        result = ask("trace.query", {field: word.replace("KEY", "k8s.pod.name")})
        assert not result.is_error, said(result)


def test_evidence__every_number_of_any_summary__resolves_or_says_that_it_expired() -> None:
    """What a model is pointed to is there."""
    for budget in (200, 1000, 20_000):
        text = said(ask("trace.summarize", {"budget": budget}))
        numbers = {int(number) for number in re.findall(r" #(\d+)$", text, re.MULTILINE)}
        assert numbers
        for number in numbers:
            found = ask("trace.evidence", {"id": number})
            assert "expired" in said(found) if found.is_error else found.structured_content["events"]


@pytest.mark.parametrize(
    ("tool", "arguments", "expected"),
    [
        ("trace.summarize", {"bugdet": 100}, "unknown argument 'bugdet'; did you mean budget?"),
        ("trace.summarize", {"whatever": 100}, "known: budget, window"),
        ("trace.summarize", {"budget": "many"}, "budget: expected `int"),
        ("trace.summarize", {"budget": 0}, "budget: expected `int` >= 1"),
        ("trace.summarize", {"window": "5"}, '"5m"'),
        ("trace.summarize", {"window": "0s"}, "window"),
        ("trace.summarize", {"encoding": "klingon"}, "o200k_base"),
        ("trace.summarize", {"sections": "nonsense"}, "nonsense"),
        ("trace.summarize", {"budget": 46}, "or more"),
        ("trace.query", {"group_by": "servce"}, "did you mean service?"),
        ("trace.query", {"what": "edgs"}, "did you mean edges?"),
        ("trace.query", {"bugdet": 10}, "did you mean budget?"),
        ("trace.query", {"budget": 5}, "too small"),
        ("trace.query", {"budget": 40}, "or more"),
        ("trace.query", {"cursor": "x"}, "take it from the page before"),
        ("trace.query", {"encoding": "klingon"}, "o200k_base"),
        ("trace.evidence", {}, "id is missing"),
        ("trace.evidence", {"id": "twelve"}, "such as 12"),
        ("trace.evidence", {"id": 99_999}, "no evidence #99999"),
        ("trace.evidence", {"id": "9" * 18}, "no evidence"),
        ("trace.evidence", {"id": 1, "cursor": "x"}, "leave it out"),
        ("trace.evidence", {"id": 1, "cursor": "9.0"}, "leave it out"),
        ("trace.evidence", {"id": 1, "cursor": "0.99999"}, "leave it out"),
        ("trace.evidence", {"id": 1, "budget": 20}, "or more"),
        ("trace.evidence", {"id": 1, "encoding": "klingon"}, "o200k_base"),
    ],
)
def test_call__of_no_use__an_answer_that_says_what_to_do(tool: str, arguments: dict[str, Any], expected: str) -> None:
    """A model reads it and asks again, better."""
    result = ask(tool, arguments)
    assert result.is_error
    assert expected in said(result)
    assert count_tokens(said(result)) < 80


class _Session:
    """A session that nobody is at the other end of."""

    @property
    def session(self) -> _Session:
        """Itself."""
        return self

    async def report_progress(self, *_: object) -> None:
        """Tell nobody."""


NAMES = st.sampled_from([*Summarize.__struct_fields__, *Evidence.__struct_fields__, *Query.__struct_fields__, "bugdet"])
WORDS = st.sampled_from(
    ["service", "5m", "#11", "0-1-2", "1.5", "baseline", "time:1s", "p95", "trace", "a..b", "-", "", "9" * 30]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.sampled_from(["trace.summarize", "trace.query", "trace.evidence"]),
    st.dictionaries(NAMES | st.text(max_size=8), VALUES, max_size=5),
)
def test_call__any_arguments__an_answer(tool: str, arguments: dict[str, Any]) -> None:
    """Whatever a model writes is answered: by rows, or by what is wrong with it."""
    context: Any = _Session()
    params = CallToolRequestParams(name=tool, arguments=arguments)
    result = anyio.run(lambda: call_tool(Sample(), context, params))
    assert said(result)


@pytest.mark.parametrize(
    "arguments",
    [{"budget": "150"}, {"sections": "wrong, slow"}, {"sections": ["wrong"]}, {"baseline": "0s"}, {"focus": ""}],
)
def test_call__as_models_write__understood(arguments: dict[str, Any]) -> None:
    """Numbers as texts, lists as texts with commas."""
    assert not ask("trace.summarize", arguments).is_error


def test_call__budget_named_by_the_error__is_enough() -> None:
    """What an error asks for is what it takes."""
    for tool, arguments in (
        ("trace.summarize", {"budget": 46}),
        ("trace.query", {"budget": 40}),
        ("trace.evidence", {"id": 1, "budget": 20}),
    ):
        wanted = re.search(r"ask for (\d+) or more", said(ask(tool, arguments)))
        assert wanted is not None
        assert not ask(tool, {**arguments, "budget": int(wanted[1])}).is_error


def test_call__long_one__says_how_far_it_is() -> None:
    """A client that asks for progress is told."""
    heard: list[tuple[float, float | None, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))

    async def call() -> None:
        async with Client(make_server(Sample())) as client:
            await client.call_tool("trace.summarize", {}, progress_callback=hear)

    anyio.run(call)
    assert heard == [(1.0, 2.0, "bytes read")]


@given(st.integers(0, 300), st.integers(-1, 300))
def test_longest__any__the_last_that_fits(length: int, most: int) -> None:
    """Whatever fits is found, and nothing that does not."""
    assert longest(length, lambda size: size <= most) == min(length, max(most, -1))


@given(st.text())
def test_tame__any_text__nothing_that_steers(text: str) -> None:
    """No escape sequence, no special token; plain text stays as it is."""
    tamed = tame(text)
    assert "<|" not in tamed
    assert "|>" not in tamed
    assert all(letter.isprintable() or letter in "\n\t" for letter in tamed)
    assert tame("GET /cart 500\n\t{}") == "GET /cart 500\n\t{}"


def test_read__none_given__as_configured() -> None:
    """Nothing is asked that was not written."""
    assert read({}, Summarize).asked() == {}
    assert read({"baseline": "0s", "window": "5m"}, Summarize).asked() == {"baseline": 0, "window": 5 * MINUTE}


@pytest.mark.parametrize(
    ("content", "mode", "expected"),
    [
        ("", 0o600, "16 characters"),
        ("short", 0o600, "16 characters"),
        ("a" * 32, 0o604, "chmod 600"),
        ("a b" * 9, 0o600, "space"),
    ],
)
def test_token__of_no_use__refused(tmp_path: Path, content: str, mode: int, expected: str) -> None:
    """A token that could be guessed, or is known to all, keeps nobody out."""
    file = tmp_path / "token"
    file.write_text(content)
    file.chmod(mode)
    with pytest.raises(ConfigError, match=expected):
        read_token(file)


def test_token__made__and_kept(tmp_path: Path) -> None:
    """The same at the next start; another file, another token."""
    token = read_token(tmp_path / "token")
    assert read_token(tmp_path / "token") == token
    assert read_token(tmp_path / "other") != token
    with pytest.raises(ConfigError, match="No such file"):
        read_token(tmp_path / "nowhere/token")
