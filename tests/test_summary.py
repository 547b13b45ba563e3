"""What a summary promises, on the bundled recording and judged by tiktoken itself."""

from __future__ import annotations

import json
import lzma
from importlib.resources import files
from typing import Any

import pytest

from tracegist._engine import Engine
from tracegist.tokens import tiktoken_encoding

SECRET = "hunter2hunter2"  # noqa: S105 - made up, to be masked
RECEIVED = 1_800_000_000_000_000_000


@pytest.fixture(scope="module")
def engine() -> Engine:
    """An engine that has read the recording: a quiet minute, then one in which a service is short of CPU."""
    engine = Engine(host="trace-host-1")
    for name in ("quiet", "faulty"):
        data = lzma.decompress((files("tracegist.sample") / f"{name}.jsonl.xz").read_bytes())
        engine.ingest(name, data, received=RECEIVED)
    return engine


def summarize(
    engine: Engine,
    budget: int,
    *,
    window: int = 60_000_000_000,
    encoding: str = "o200k_base",
    focus: str | None = None,
    sections: list[str] | None = None,
) -> dict[str, Any]:
    """Ask, and decode the answer."""
    answer = engine.summary(budget=budget, window=window, encoding=encoding, focus=focus, sections=sections)
    return dict(json.loads(answer))


@pytest.mark.parametrize("encoding", ["o200k_base", "cl100k_base"])
def test_summary__every_budget_from_60__within_it_and_used_by_tiktokens_count(engine: Engine, encoding: str) -> None:
    """The text never takes more than its budget, and at least 97 % of it while facts are left out."""
    judge = tiktoken_encoding(encoding)
    for budget in [*range(60, 260), *range(260, 4_000, 97)]:
        answer = summarize(engine, budget, encoding=encoding)
        tokens = len(judge.encode_ordinary(answer["text"]))
        assert tokens == answer["tokens"]
        assert tokens <= budget
        assert not answer["left_out"] or tokens >= 0.97 * budget, answer["text"]


def test_summary__recorded_fault__first_verdict_names_the_service_at_fault(engine: Engine) -> None:
    """The service short of CPU is accused first, and its verdict has evidence that resolves."""
    answer = summarize(engine, 600, window=90_000_000_000)
    first = answer["verdicts"][0]
    assert first["service"] == "currencyservice"
    assert "1 currencyservice" in answer["text"]
    for number in first["evidence"]:
        assert json.loads(engine.evidence(number))["events"]


def test_summary__secrets_and_escapes__neither_rendered_nor_kept() -> None:
    """Passwords, tokens, mail addresses and escape sequences of a message reach neither a text, nor JSON, nor evidence."""
    engine = Engine()
    message = f"\x1b[31mlogin of jane.doe@example.org password={SECRET} <|endoftext|> Authorization: Bearer {SECRET}"
    engine.ingest("app", json.dumps({"level": "error", "msg": message}).encode() + b"\n", received=RECEIVED)
    answer = engine.summary(budget=300)
    other = f"password: {SECRET} was refused"
    engine.ingest("app", json.dumps({"level": "error", "msg": other}).encode() + b"\n", received=RECEIVED)
    for out in (answer, engine.evidence(1), engine.evidence(2), engine.snapshot(), engine.summary(budget=300)):
        assert SECRET.encode() not in out
        assert b"jane.doe" not in out
    assert "\x1b" not in json.loads(answer)["text"]
    assert "<|" not in json.loads(answer)["text"]


def test_summary__focus_and_sections__only_what_was_asked_for(engine: Engine) -> None:
    """A focus leaves out what does not mention it, sections leave out the others; an unknown one is named."""
    focused = summarize(engine, 800, focus="cartservice")
    assert focused["facts"]
    assert all("cartservice" in fact["text"] for fact in focused["facts"] if not fact["text"].endswith("…"))
    edges = summarize(engine, 800, sections=["edges"])
    assert {fact["section"] for fact in edges["facts"]} == {"edges"}
    with pytest.raises(ValueError, match='unknown section "edge": it is one of wrong, failing'):
        engine.summary(budget=800, sections=["edge"])


def test_engine__two_hosts_merged__equal_one_that_read_both(engine: Engine) -> None:
    """Counts of a merge are those of one pass, whichever was merged into which."""
    whole = json.loads(engine.stats())
    parts = []
    for name in ("quiet", "faulty"):
        part = Engine()
        data = lzma.decompress((files("tracegist.sample") / f"{name}.jsonl.xz").read_bytes())
        part.ingest(name, data, received=RECEIVED)
        parts.append(part.snapshot())
    merged = []
    for first, second in (parts, parts[::-1]):
        both = Engine()
        both.restore(first)
        both.merge(second)
        merged.append(both)
    assert merged[0].snapshot() == merged[1].snapshot()
    assert json.loads(merged[0].stats())["ledger"] == whole["ledger"]


def test_engine__values_of_a_template__of_each_service_that_has_it() -> None:
    """The values of variables are asked for by the text of the template."""
    engine = Engine()
    lines = [
        {"time": 1_700_000_000 + i, "service": f"s{i % 2}", "msg": f"order {i} of {('alice', 'bob')[i % 3 == 0]}"}
        for i in range(12)
    ]
    engine.ingest("a", b"".join(json.dumps(line).encode() + b"\n" for line in lines), received=1_700_000_100 * 10**9)
    found = json.loads(engine.values("order <*> of alice", most=1))
    assert [(held["service"], held["kind"], held["ever"]["messages"]) for held in found] == [
        ("s0", "log", 4),
        ("s1", "log", 4),
    ]
    assert found[0]["recent"] == found[0]["ever"]
    assert found[0]["ever"]["slots"][0]["range"] == {"min": 2, "median": 4, "max": 10}
    assert json.loads(engine.values("order <*> of alice", service="s9")) == []
