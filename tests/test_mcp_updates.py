"""Word of newer summaries, the resources and the prompts of the Model Context Protocol, in one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest
from mcp.client import Client
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import ResourceUpdated, ServerEvent
from mcp_types import EmbeddedResource, PromptReference, TextContent, TextResourceContents

from tracegist.config import Dialect, load
from tracegist.errors import DaemonUnreachable, TraceNotFound
from tracegist.mcp.account import Report
from tracegist.mcp.files import FilesAccount
from tracegist.mcp.resources import SUMMARY, Updates
from tracegist.mcp.server import make_server

pytestmark = pytest.mark.anyio

EVIDENCE = {
    "id": 7,
    "service": "cart",
    "operation": "",
    "kind": "log",
    "count": 1,
    "events": [{"raw": "<|endoftext|>\x1b[2J"}],
}


@pytest.fixture
def anyio_backend() -> str:
    """The daemon runs on asyncio."""
    return "asyncio"


class Told:
    """An account that says what a test has it say."""

    def __init__(self) -> None:
        self.said = asyncio.Queue[str]()
        self.followed = 0
        self.away = False

    async def prepare(self, report: Report, *, anew: bool) -> None:
        """Nothing to do."""

    async def encoding(self) -> str:
        """The usual."""
        return "o200k_base"

    async def summary(self, asked: Mapping[str, Any]) -> bytes:  # noqa: ARG002 - it says one thing
        """Say one that was never published."""
        return msgspec.json.encode(
            {"text": "# now\nread\n", "tokens": 5, "budget": 100, "encoding": "o200k_base", "left_out": 0}
        )

    async def query(self, question: Mapping[str, Any]) -> bytes:
        """Know some services, if it is in the mood."""
        assert question["group_by"] == "service"
        if self.away:
            raise DaemonUnreachable
        return msgspec.json.encode(
            {"rows": [[name, 1] for name in ("shop", "Cart", "smart-cart", *map(str, range(150)))]}
        )

    async def evidence(self, number: int) -> bytes:
        """Have it of one number."""
        if number != 7:
            msg = f"no evidence #{number}"
            raise TraceNotFound(msg)
        return msgspec.json.encode(EVIDENCE)

    async def updates(self) -> AsyncIterator[str]:
        """Yield what is sent, and fail where a test says so."""
        self.followed += 1
        while True:
            text = await self.said.get()
            if text == "gone":
                raise DaemonUnreachable(text)
            yield text


async def until(condition: Any) -> None:  # noqa: ANN401 - anything that can be called
    """Wait for what another task does in its own time."""
    with anyio.fail_after(10):
        while not condition():  # noqa: ASYNC110 - nothing tells but what is looked at
            await anyio.sleep(0.005)


async def test_updates__only_the_header_changes__nobody_is_told() -> None:
    """The time goes on in the first line; a client would read, and pay, for nothing."""
    account, heard = Told(), list[ServerEvent]()
    updates = Updates(account, pace=0.01)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(updates.run)
        updates.subscribe(heard.append)
        for text in ("# 14:01\nquiet\n", "# 14:02\nquiet\n", "# 14:03\nquiet\n", "# 14:04\nbad\n"):
            account.said.put_nowait(text)
            await anyio.sleep(0.05)
        await until(lambda: heard)
        assert heard == [ResourceUpdated(SUMMARY)]
        tasks.cancel_scope.cancel()


async def test_updates__many_changes__at_once_and_then_at_its_pace() -> None:
    """The first is told at once; of those that follow within the pace, the last alone."""
    account, heard = Told(), list[ServerEvent]()
    updates = Updates(account, pace=0.5)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(updates.run)
        updates.subscribe(heard.append)
        account.said.put_nowait("# 1\nquiet\n")
        await until(lambda: updates._newest)
        began = anyio.current_time()
        account.said.put_nowait("# 1\nbad\n")
        await until(lambda: heard)
        for number in range(20):
            account.said.put_nowait(f"# 1\nworse {number}\n")
        await until(lambda: len(heard) == 2)
        assert anyio.current_time() - began > 0.4
        assert updates._said == "worse 19\n"
        with anyio.move_on_after(0.6):
            await until(lambda: len(heard) > 2)
        assert len(heard) == 2
        tasks.cancel_scope.cancel()


async def test_updates__read_before_anything_was_followed__told_of_what_is_newer() -> None:
    """Between a reading and the first word of the account nothing is missed."""
    account, heard = Told(), list[ServerEvent]()
    updates = Updates(account, pace=0.01)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(updates.run)
        updates.note_read("# 14:01\nquiet\n")
        updates.subscribe(heard.append)
        account.said.put_nowait("# 14:02\nbad\n")
        await until(lambda: heard)
        tasks.cancel_scope.cancel()


async def test_updates__nobody_listens__nothing_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The account is watched while somebody listens; one that goes away is asked again."""
    monkeypatch.setattr("tracegist.mcp.resources._RETRY", 0.01)
    account, heard = Told(), list[ServerEvent]()
    updates = Updates(account, pace=0.01)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(updates.run)
        await anyio.sleep(0.05)
        assert account.followed == 0
        leave = updates.subscribe(heard.append)
        await until(lambda: account.followed)
        account.said.put_nowait("gone")
        await until(lambda: account.followed > 1)
        leave()
        await anyio.sleep(0.05)
        followed = account.followed
        await anyio.sleep(0.05)
        assert account.followed == followed
        tasks.cancel_scope.cancel()


async def test_resources__listed_and_read__and_what_is_not_there_is_told() -> None:
    """The summary by its name, evidence by its number; text of strangers is tamed."""
    async with Client(make_server(Told())) as client:
        assert [str(one.uri) for one in (await client.list_resources()).resources] == [SUMMARY]
        [template] = (await client.list_resource_templates()).resource_templates
        assert template.uri_template == "tracegist://evidence/{id}"
        [contents] = (await client.read_resource("tracegist://evidence/7")).contents
        assert isinstance(contents, TextResourceContents)
        assert "< |endoftext| >\ufffd[2J" in contents.text
        for uri, expected in (
            ("tracegist://nonsense", SUMMARY),
            ("tracegist://evidence/x", "such as 12"),
            ("tracegist://evidence/8", "no evidence #8"),
        ):
            with pytest.raises(MCPError, match=expected):
                await client.read_resource(uri)


async def test_prompts__all__say_what_to_do() -> None:
    """Each has what was given in it; the first brings the account along."""
    async with Client(make_server(Told())) as client:
        found = {prompt.name: prompt for prompt in (await client.list_prompts()).prompts}
        assert set(found) == {"whats_wrong", "what_changed", "explain_service", "explain_trace"}
        for name, prompt in found.items():
            given = {argument.name: "checkout {x}" for argument in prompt.arguments or ()}
            messages = (await client.get_prompt(name, given)).messages
            content = messages[-1].content
            assert isinstance(content, TextContent)
            assert all(value in content.text for value in given.values())
            if name == "whats_wrong":
                assert isinstance(messages[0].content, EmbeddedResource)
            for argument in given:
                with pytest.raises(MCPError, match=f"{argument} is missing"):
                    await client.get_prompt(name, {argument: " "})
        with pytest.raises(MCPError, match="whats_wrong"):
            await client.get_prompt("nonsense")
        with pytest.raises(MCPError, match=r"trace\.summarize"):
            await client.call_tool("trace.nonsense", {})


async def test_completion__services_and_lengths__those_that_are_meant() -> None:
    """What begins with the typed comes first; where nothing can be known, nothing is proposed."""
    account = Told()
    async with Client(make_server(account)) as client:

        async def proposed(prompt: str, argument: str, typed: str) -> list[str]:
            reference = PromptReference(type="ref/prompt", name=prompt)
            found = await client.complete(reference, {"name": argument, "value": typed})
            assert found.completion.total is not None
            assert found.completion.has_more is (found.completion.total > 100)
            return found.completion.values

        assert await proposed("explain_service", "service", "cart") == ["Cart", "smart-cart"]
        assert len(await proposed("explain_service", "service", "")) == 100
        assert await proposed("what_changed", "since", "1") == ["1m", "15m", "1h"]
        assert await proposed("explain_trace", "trace", "") == []
        account.away = True
        assert await proposed("explain_service", "service", "cart") == []


async def test_files__large__says_how_far_it_is_and_reads_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes of all files, as they lie on disk; whoever asks at the same time waits for the same reading."""
    monkeypatch.setattr("tracegist.mcp.files._PACE", 0.0)
    file = tmp_path / "app.log"
    file.write_bytes(b"2026-01-01T00:00:00Z ERROR upstream timed out\n" * 200_000)
    account = FilesAccount([str(file)], load("/dev/null").config, Dialect())
    heard: list[tuple[float, float | None]] = []

    async def hear(done: float, total: float | None, what: str) -> None:
        assert what == "bytes read"
        heard.append((done, total))

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(lambda: account.prepare(hear, anew=True))
    size = file.stat().st_size
    assert heard == sorted(set(heard))
    assert len(heard) > 1
    assert heard[-1] == (size, size)
    assert b"200k events" in await account.summary({})
