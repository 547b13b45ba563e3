"""The library: events in, an account within a budget out; every example in a docstring is true."""

from __future__ import annotations

import doctest
import io
import json
import logging
import math
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tracegist
from tracegist import (
    Analysis,
    Analyzer,
    BudgetAwareSummarizer,
    Event,
    TokenBudgetExceeded,
    TokenBudgetQueue,
    TraceAnalyzer,
    TraceNotFound,
    _engine,
    analyze_trace,
    stream_events,
    trace_session,
)
from tracegist._otlp import encode
from tracegist.errors import SourceError
from tracegist.event import Level
from tracegist.session import TraceSession

NOW = 1_764_000_000_000_000_000
MODULES = ("analysis", "budget", "cli", "client", "config", "_config.units", "event", "session", "stream")


def doctests() -> Iterator[doctest.DocTest]:
    """Find the examples of every public module."""
    for name in MODULES:
        for test in doctest.DocTestFinder(exclude_empty=True).find(import_module(f"tracegist.{name}")):
            if test.examples:
                yield test


@pytest.mark.parametrize("example", list(doctests()), ids=lambda example: example.name)
def test_docstring__example__is_true(example: doctest.DocTest) -> None:
    """What a docstring shows is what happens."""
    report = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL)
    assert runner.run(example, out=report.write).failed == 0, report.getvalue()


def test_package__public_names__are_all_there() -> None:
    """Every name of `__all__` can be had, is listed by dir(), and no other can."""
    for name in tracegist.__all__:
        assert getattr(tracegist, name) is not None
    assert set(tracegist.__all__) <= set(dir(tracegist))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = tracegist.nonsense


def test_package__imported__has_loaded_nothing() -> None:
    """`import tracegist` costs nothing before a name is used."""
    code = (
        "import sys; import tracegist; "
        "print([m for m in sys.modules if m.partition('.')[0] in ('tracegist', 'anyio', 'msgspec')])"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    assert output.strip() == "['tracegist']"


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
# A log record's text may be JSON or begin with a time and a level, which are read; these words are only words.
MESSAGES = st.from_regex(r"[ぁ-ん]{1,8}( [ぁ-ん]{1,8}){0,3}", fullmatch=True)
IDS = st.one_of(st.just(""), st.integers(1, 2**64 - 1).map(lambda number: f"{number:016x}"))
TRACES = st.one_of(st.just(""), st.integers(1, 2**128 - 1).map(lambda number: f"{number:032x}"))
TIMES = st.integers(10**18, 2 * 10**18)
SERVICES = TEXT.filter(lambda text: text.strip() == text and not text.startswith("unknown_service"))
# Floats that no JSON reader rounds.
EIGHTHS = st.integers(-(10**9), 10**9).map(lambda number: number / 8)
VALUES = st.recursive(
    st.one_of(st.booleans(), st.integers(-(2**63), 2**63 - 1), EIGHTHS, TEXT),
    lambda values: st.one_of(st.lists(values, max_size=3), st.dictionaries(TEXT, values, max_size=3)),
    max_leaves=5,
)
ATTRIBUTES = st.dictionaries(TEXT.filter(lambda key: key and key != "service.name"), VALUES, max_size=3)


@st.composite
def spans(draw: st.DrawFn) -> Event:
    """Make a span as a program may report one."""
    failed = draw(st.booleans())
    return Event(
        kind=draw(st.sampled_from(["internal", "server", "client", "producer", "consumer"])),
        time=draw(TIMES),
        duration=draw(st.integers(0, 10**15)),
        service=draw(SERVICES),
        operation=draw(TEXT),
        message=draw(TEXT) if failed else "",
        failed=failed,
        trace=draw(TRACES),
        span=draw(IDS),
        parent=draw(IDS),
        attributes=draw(ATTRIBUTES),
    )


@st.composite
def logs(draw: st.DrawFn) -> Event:
    """Make a log record as a program may report one."""
    level: Level = draw(st.sampled_from(get_args(Level)))
    return Event(
        kind="log",
        time=draw(TIMES),
        service=draw(SERVICES),
        operation=draw(TEXT),
        message=draw(MESSAGES),
        level=level,
        failed=level in {"error", "fatal"},
        trace=draw(TRACES),
        span=draw(IDS),
        attributes=draw(ATTRIBUTES),
    )


@given(st.lists(st.one_of(spans(), logs()), max_size=8))
def test_event__encoded_and_decoded__is_the_same(events: list[Event]) -> None:
    """What a program reports arrives in the engine unchanged and in order, whatever is in it."""
    decoded = list(stream_events(io.BytesIO(encode(events, now=NOW))))
    assert len(decoded) == len(events)
    for event, found in zip(events, decoded, strict=True):
        attributes = {key: value for key, value in found.attributes.items() if key != "service.name"}
        assert (found.kind, found.time, found.duration, found.level) == (
            event.kind,
            event.time,
            event.duration,
            event.level,
        )
        assert (found.service, found.operation, found.message) == (event.service, event.operation, event.message)
        assert (found.failed, found.trace, found.span, found.parent) == (
            event.failed,
            event.trace,
            event.span,
            event.parent,
        )
        assert attributes == event.attributes


@pytest.mark.parametrize(
    "value", [None, math.nan, math.inf, 2**70, b"\x00\xff", "\ud800", {1, 2}, object(), Path("/a")]
)
def test_event__odd_attribute__does_no_harm(value: object) -> None:
    """Anything may be an attribute: what OTLP has no word for becomes text, and the event is counted."""
    analyzer = Analyzer()
    assert analyzer.feed(Event(service="a", operation="b", attributes={"odd": value})) == 1
    deep: Any = "bottom"
    for _ in range(500):
        deep = [deep]
    assert analyzer.feed(Event(service="a", operation="b", attributes={"deep": deep})) == 1


def test_event__without_time__is_of_now() -> None:
    """An event without a time gets the time it is fed, and its duration lies before it."""
    (event,) = stream_events(io.BytesIO(encode([Event(operation="a", duration=5)], now=NOW)))
    assert (event.time, event.duration) == (NOW, 5)


def otlp_file(folder: Path, count: int = 100) -> Path:
    """Write spans of one service a second apart."""
    file = folder / "traces.jsonl"
    events = [
        Event(kind="server", time=NOW + number * 10**9, duration=10**6, service="cart", operation="GET /cart")
        for number in range(count)
    ]
    file.write_bytes(encode(events, now=NOW))
    return file


def test_stream__for_and_async_for__yield_the_same(tmp_path: Path) -> None:
    """One name serves both kinds of program."""
    file = otlp_file(tmp_path)

    async def collect() -> list[Event]:
        return [event async for event in stream_events(file)]

    events = list(stream_events(file))
    assert len(events) == 100
    assert anyio.run(collect) == events


def test_stream__left_early__closes_the_file(tmp_path: Path) -> None:
    """Who breaks out of the loop leaves no file open (an unclosed one would be an error here)."""
    file = otlp_file(tmp_path)

    async def first() -> Event:
        events = aiter(stream_events(file))
        try:
            return await anext(events)
        finally:
            await events.aclose()

    assert anyio.run(first).service == "cart"
    assert next(iter(stream_events(file))).service == "cart"


def test_stream__rejected_records__are_counted_and_passed_over() -> None:
    """A truncated line in the middle is counted, and the rest is read."""
    good = encode([Event(operation="a")], now=NOW)
    stream = stream_events(io.BytesIO(good + good[:50] + b"\n" + good), format="otlp")
    assert [event.operation for event in stream] == ["a", "a"]
    assert stream.rejected == 1


def test_stream__record_longer_than_a_block__is_whole() -> None:
    """A record of several megabytes, read in blocks of one, is one event."""
    long = Event(kind="log", message="x" * 3_000_000)
    (event,) = stream_events(io.BytesIO(encode([long], now=NOW)))
    assert event.message == long.message


def test_stream__missing_file_folder_or_unknown_format__says_so(tmp_path: Path) -> None:
    """Errors are tracegist's own, and come when the first event is asked for."""
    with pytest.raises(TraceNotFound, match=r"absent: no such file"):
        next(iter(stream_events(tmp_path / "absent")))
    with pytest.raises(SourceError, match="Is a directory"):
        next(iter(stream_events(tmp_path)))
    with pytest.raises(ValueError, match="unknown format"):
        next(iter(stream_events(otlp_file(tmp_path), format="nonsense")))


def test_analyze_trace__file__counts_every_event_within_the_budget(tmp_path: Path) -> None:
    """The whole way: a file in, an exact account out."""
    analysis = analyze_trace(otlp_file(tmp_path), budget=200, window="30s", baseline=timedelta(minutes=1))
    assert analysis.ledger.events == 100
    assert analysis.tokens == _engine.count_tokens(analysis.text) <= 200
    assert analysis.window.seconds == 30
    assert str(analysis) == analysis.text


def test_analyze_trace__missing_folder_small_budget__says_so(tmp_path: Path) -> None:
    """Each failure is an error of its own."""
    with pytest.raises(TraceNotFound, match="absent"):
        analyze_trace(tmp_path / "absent")
    with pytest.raises(SourceError, match="a folder"):
        analyze_trace(tmp_path)
    with pytest.raises(TokenBudgetExceeded):
        analyze_trace(otlp_file(tmp_path), budget=3)
    with pytest.raises(ValueError, match="encoding"):
        analyze_trace(otlp_file(tmp_path), encoding="p50k")


def test_analyzer__merged_snapshots__equal_one_analyzer() -> None:
    """Work can be shared among processes and added up."""
    events = [Event(time=NOW + i, duration=1, service="a", operation="b") for i in range(50)]
    whole, left, right = Analyzer(), Analyzer(), Analyzer()
    whole.feed(events)
    left.feed(events[:20])
    right.feed(events[20:])
    left.merge(right.snapshot())
    assert left.analysis().ledger.events == whole.analysis().ledger.events == 50


def test_analyzer__generator_of_many_events__is_taken_in_batches() -> None:
    """Events can come from a generator; nothing is kept but the state."""
    analyzer = Analyzer()
    assert analyzer.feed(Event(service="a", operation="b") for _ in range(2500)) == 2500
    assert analyzer.feed([]) == 0
    assert analyzer.feed_bytes(b"2026-01-01T00:00:00Z ERROR broken\n") == (1, 0)
    assert analyzer.analysis().ledger.events == 2501
    assert isinstance(analyzer, TraceAnalyzer)


def test_analysis__json__is_what_the_command_prints() -> None:
    """`from_json` reads the object, and what a later version adds to it does not matter."""
    answer = json.loads(_engine.Engine().summary(budget=200))
    analysis = Analysis.from_json(json.dumps({**answer, "later": 1}))
    assert (analysis.text, analysis.budget) == (answer["text"], 200)


def test_session__nested_spans_and_logs__are_joined() -> None:
    """A span inside a span is its child, a log record belongs to the span around it, an exception fails the span."""
    taken: list[Event] = []

    class Recorder:
        def feed(self, events: Event | Iterable[Event], /) -> int:
            taken.extend([events] if isinstance(events, Event) else events)
            return len(taken)

        def analysis(self, *, budget: int | None = None, focus: str | None = None) -> Analysis:
            raise NotImplementedError

    def look_up(session: TraceSession) -> None:
        with session.span("inner", user="ann"):
            session.log("no such user", level="error", logger="cart.users")
            raise KeyError(session.name)

    async def program() -> None:
        async with trace_session("cart", analyzer=Recorder()) as session:
            with session.span("outer", kind="server"), pytest.raises(KeyError):
                look_up(session)
            with session.span("next"):
                pass

    anyio.run(program)
    log, inner, outer, following = taken
    assert (inner.parent, inner.trace) == (outer.span, outer.trace)
    assert (log.span, log.trace, log.operation) == (inner.span, inner.trace, "cart.users")
    assert (inner.failed, inner.message, dict(inner.attributes)) == (True, "KeyError: 'cart'", {"user": "ann"})
    assert not outer.failed
    assert following.parent == ""
    assert following.trace != outer.trace
    assert {event.service for event in taken} == {"cart"}


def test_session__tasks_side_by_side__do_not_mix_their_spans() -> None:
    """Each task has its own current span."""

    async def program() -> int:
        async with trace_session("cart") as session:

            async def work() -> None:
                for _ in range(100):
                    with session.span("outer"):
                        await anyio.lowlevel.checkpoint()
                        with session.span("inner"):
                            await anyio.lowlevel.checkpoint()

            async with anyio.create_task_group() as group:
                for _ in range(5):
                    group.start_soon(work)
            return session.analysis(budget=500).ledger.events

    assert anyio.run(program) == 1000


def test_session__threads__lose_nothing() -> None:
    """Threads may record at once."""

    async def program() -> int:
        async with trace_session("cart") as session:

            def work() -> None:
                for number in range(1000):
                    session.log(f"message {number}")

            threads = [threading.Thread(target=work) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return session.analysis().ledger.events

    assert anyio.run(program) == 4000


def test_session__logging_handler__survives_a_bad_record() -> None:
    """A record that cannot be formatted takes nothing down."""

    async def program() -> int:
        async with trace_session("cart") as session:
            logger = logging.getLogger("test.session")
            logger.propagate = False
            logger.addHandler(handler := session.logging_handler())
            logger.critical("%d", "not a number")
            logger.critical("all good")
            logger.removeHandler(handler)
            return session.analysis().ledger.events

    assert anyio.run(program) == 1


def test_queue__full__putter_waits_for_room() -> None:
    """The sum of what lies in the queue never exceeds the budget, and order is kept."""

    async def program() -> list[int]:
        queue = TokenBudgetQueue[int](budget=10, count=int)

        async def produce() -> None:
            for item in (4, 4, 9, 1, 1, 10, 2):
                await queue.put(item)
                assert queue.tokens <= 10
            queue.close()

        async with anyio.create_task_group() as group:
            group.start_soon(produce)
            taken = [item async for item in queue]
        assert (queue.tokens, len(queue)) == (0, 0)
        return taken

    assert anyio.run(program) == [4, 4, 9, 1, 1, 10, 2]


@given(st.lists(st.integers(0, 12), max_size=30), st.integers(1, 4), st.integers(1, 4))
def test_queue__any_load__bounded_and_complete(sizes: list[int], producers: int, consumers: int) -> None:
    """Whatever comes in comes out once, and the bound always holds; what never fits is refused."""

    async def program() -> list[int]:
        queue = TokenBudgetQueue[int](budget=10, count=int)
        taken: list[int] = []

        async def produce(mine: list[int]) -> None:
            for size in mine:
                if size > queue.budget:
                    with pytest.raises(TokenBudgetExceeded, match=f"{size} tokens never fits"):
                        await queue.put(size)
                else:
                    await queue.put(size)
                assert queue.tokens <= queue.budget

        async def consume() -> None:
            taken.extend([item async for item in queue])

        async with anyio.create_task_group() as consuming:
            for _ in range(consumers):
                consuming.start_soon(consume)
            async with anyio.create_task_group() as producing:
                for number in range(producers):
                    producing.start_soon(produce, sizes[number::producers])
            queue.close()
        return taken

    assert sorted(anyio.run(program)) == sorted(size for size in sizes if size <= 10)


def test_queue__large_item_waiting__is_not_overtaken() -> None:
    """Small items that would fit wait behind a large one that does not yet; a cancelled one lets them go."""

    async def program() -> list[int]:
        queue = TokenBudgetQueue[int](budget=10, count=int)
        await queue.put(5)
        async with anyio.create_task_group() as group:
            large = anyio.CancelScope()

            async def put_large() -> None:
                with large:
                    await queue.put(9)

            group.start_soon(put_large)
            await anyio.wait_all_tasks_blocked()
            group.start_soon(queue.put, 1)
            await anyio.wait_all_tasks_blocked()
            assert len(queue) == 1
            large.cancel()
        queue.close()
        with pytest.raises(ValueError, match="closed"):
            await queue.put(1)
        return [item async for item in queue]

    assert anyio.run(program) == [5, 1]


def test_queue__text__is_counted_as_tiktoken_does() -> None:
    """Without a count of its own, an item costs what its text costs."""

    async def program() -> int:
        queue = TokenBudgetQueue[str](budget=10)
        await queue.put("hello world")
        with pytest.raises(TokenBudgetExceeded):
            await queue.put("word " * 50)
        return queue.tokens

    assert anyio.run(program) == 2
    with pytest.raises(ValueError, match="at least 1"):
        TokenBudgetQueue(budget=0)


def test_summarizer__prompt__fits_whatever_surrounds_the_summary() -> None:
    """The whole prompt keeps to the budget by the judge's own count; parts set aside are respected."""
    analyzer = Analyzer()
    analyzer.feed(Event(kind="log", service=f"s{i % 9}", level="error", message=f"failure {i % 7}") for i in range(500))
    summarizer = BudgetAwareSummarizer(analyzer, budget=500)
    for template in ("{summary}", "Look:{summary}!", "\n\n  {summary}\n" * 1 + "x" * 50, "a " * 100 + "{summary}"):
        prompt = summarizer.prompt(template)
        assert _engine.count_tokens(prompt) <= 500
        assert "500 events" in prompt

    aside = summarizer.reserve("You are on call.")
    assert summarizer.remaining == 500 - aside
    assert summarizer.analysis().tokens <= summarizer.remaining
    summarizer.release(aside)
    assert summarizer.remaining == 500
    with pytest.raises(TokenBudgetExceeded, match="500 of 500 are left"):
        summarizer.reserve(501)
    with pytest.raises(ValueError, match="cannot be given back"):
        summarizer.release(1)
    with pytest.raises(TokenBudgetExceeded):
        summarizer.prompt("word " * 600 + "{summary}")
    with pytest.raises(ValueError, match=r"no \{summary\}"):
        summarizer.prompt("nothing")


def test_stream__trace_of_many_blocks__names_and_calls_span_them(tmp_path: Path) -> None:
    """What a block says of those behind it is remembered: names of processes, calls that were entered."""
    named = '{"ph":"M","pid":1,"name":"process_name","args":{"name":"app"}}'
    head = '{"traceEvents":[' + named + ',{"ph":"B","pid":1,"ts":0,"name":"main"}'
    calls = (f',{{"ph":"X","pid":1,"ts":{at},"dur":1,"name":"step {"x" * 80}"}}' for at in range(20_000))
    trace = tmp_path / "trace.json"
    trace.write_text(head + "".join(calls) + ',{"ph":"E","pid":1,"ts":30000}]}')
    stream = stream_events(trace)
    *steps, main = stream
    assert (len(steps), {step.service for step in steps}, stream.rejected) == (20_000, {"app"}, 0)
    assert (main.operation, main.duration, main.service) == ("main", 30_000_000, "app")
