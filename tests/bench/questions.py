"""An engineer's questions over the bundled recording, put as a model puts them: what the answers cost, and what reading would.

    target/venv/bin/python tests/bench/questions.py

The recording (`daemon/tracegist/sample/SOURCE.md`) is a quiet minute of ten services, and a minute and a half in which one is
short of CPU. `tracegist mcp` answers from its files; each answer comes as text and as JSON, and a client shows its model one of
them. With --answers the answers are printed too.
"""

from __future__ import annotations

import lzma
import os
import re
import sys
import tempfile
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

import anyio
import msgspec
from mcp import StdioServerParameters
from mcp.client import Client
from mcp_types import TextContent

from tracegist._engine import count_tokens, decode

PARTS = ("quiet", "faulty")
CAUSE = "currencyservice"


def questions(evidence: int) -> list[tuple[str, str, dict[str, Any]]]:
    """What is asked: in words, and of which tool."""
    return [
        (
            "How did its operations change?",
            "trace.query",
            {
                "where": f"service={CAUSE}",
                "group_by": "operation",
                "select": "count,p50,p95,self_p95",
                "since": "1m",
                "compare": "baseline",
                "budget": 300,
            },
        ),
        (
            "Who calls it, and how long do they wait?",
            "trace.query",
            {
                "what": "edges",
                "where": f"peer={CAUSE}",
                "select": "count,p95,self_p95",
                "since": "1m",
                "compare": "baseline",
                "budget": 300,
            },
        ),
        (
            "Since when?",
            "trace.query",
            {
                "what": "edges",
                "where": f"service=frontend peer={CAUSE}",
                "group_by": "time:10s",
                "select": "count,self_p95",
                "budget": 300,
            },
        ),
        (
            "Where does the time of a slow request go?",
            "trace.query",
            {"what": "trace", "of": f"#{evidence}", "budget": 400},
        ),
        ("What do its calls look like?", "trace.evidence", {"id": evidence, "budget": 400}),
    ]


async def play(paths: list[Path]) -> None:
    """Ask, and print a row for each question."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "tracegist", "mcp", *(path.name for path in paths)],
        env=dict(os.environ),
        cwd=paths[0].parent,
    )
    spent = 0

    def row(question: str, asked: str, text: str, json: str, took: float) -> None:
        nonlocal spent
        spent += max(count_tokens(text), count_tokens(json))
        print(f"| {question} | `{asked}` | {count_tokens(text)} | {count_tokens(json)} | {took * 1000:.0f} ms |")

    print("| question | tool | tokens, text | tokens, JSON | took |\n| --- | --- | --- | --- | --- |")
    async with Client(server) as client:
        listed = [tool.model_dump(by_alias=True, exclude_none=True) for tool in (await client.list_tools()).tools]
        tools = msgspec.json.encode(listed).decode()
        row("(the tools themselves, once)", "tools/list", tools, tools, 0)
        first = ("What is wrong, and where does it come from?", "trace.summarize", {"window": "1m", "budget": 500})
        asked = [first]
        answers: list[str] = []
        while asked:
            question, tool, arguments = asked.pop(0)
            began = time.perf_counter()
            result = await client.call_tool(tool, arguments)
            took = time.perf_counter() - began
            [block] = result.content
            assert isinstance(block, TextContent)
            if result.is_error:
                sys.exit(f"{question} {block.text}")
            answers.append(f"\n## {question}\n\n{tool} {msgspec.json.encode(arguments).decode()}\n\n{block.text}")
            row(question, tool, block.text, msgspec.json.encode(result.structured_content).decode(), took)
            if tool == "trace.summarize":
                assert CAUSE in block.text
                [number, *_] = re.findall(rf"{CAUSE}.* #(\d+)$", block.text, re.MULTILINE) or ["1"]
                asked += questions(int(number))
    raw = sum(count_tokens(path.read_text()) for path in paths)
    events = sum(decode(path.read_bytes()).count(b"\n") for path in paths)
    print(f"\n{spent} tokens in all, the larger of text and JSON each time; the {events} events themselves are {raw}.")
    if "--answers" in sys.argv:
        print("\n".join(answers))


def main() -> None:
    """Unpack the recording and play."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for part in PARTS:
            path = Path(folder, f"{part}.jsonl")
            path.write_bytes(lzma.decompress((files("tracegist.sample") / f"{part}.jsonl.xz").read_bytes()))
            paths.append(path)
        anyio.run(play, paths)


if __name__ == "__main__":
    main()
