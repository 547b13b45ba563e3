"""The tools: what a model reads of them, which costs tokens in every conversation, and how they are called.

The texts here are short on purpose: `tools/list` has a budget too, kept by a test.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from mcp.server import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolRequestParams, CallToolResult, TextContent, Tool, ToolAnnotations

from tracegist.errors import TracegistError
from tracegist.mcp.account import Account
from tracegist.mcp.arguments import read
from tracegist.mcp.budget import Answer
from tracegist.mcp.evidence import Evidence, evidence
from tracegist.mcp.query import query
from tracegist.mcp.summarize import Summarize, summarize

__all__ = ["call", "tools"]

Schema: TypeAlias = dict[str, Any]
Run: TypeAlias = Callable[[Account, Mapping[str, Any]], Awaitable[Answer]]

# They look at an account that they do not change, and at nothing else.
_LOOKS: Final = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)


@dataclass(frozen=True, slots=True)
class _Tool:
    """A tool, and what carries it out.

    :param anew: whether its answer begins with what is new, or goes on with what an earlier one said
    """

    description: str
    takes: Schema
    gives: Schema
    run: Run
    anew: bool = True


def _object(required: tuple[str, ...] = (), /, **properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, **({"required": list(required)} if required else {})}


def _text(description: str = "") -> Schema:
    return {"type": "string", **({"description": description} if description else {})}


def _number(description: str = "") -> Schema:
    return {"type": "integer", **({"description": description} if description else {})}


async def _summarize(account: Account, arguments: Mapping[str, Any]) -> Answer:
    return await summarize(account, read(arguments, Summarize))


async def _evidence(account: Account, arguments: Mapping[str, Any]) -> Answer:
    return await evidence(account, read(arguments, Evidence))


_TOOLS: Final = {
    "trace.summarize": _Tool(
        "What is wrong now and where it comes from: causes first, then what failed, stopped, slowed or is new, compared with "
        "the time before. Start here. #12 names the evidence of a line.",
        _object(
            budget=_number("tokens of the answer, 1000 if not given"),
            window=_text("back from the newest event, such as 5m"),
            baseline=_text("time before it to compare with, such as 1h"),
            focus=_text("only what has this text in service, operation or message"),
            sections={
                "type": "array",
                "items": _text(),
                "description": "only these headings, such as wrong, slow, logs",
            },
        ),
        _object(("text",), text=_text(), tokens=_number(), left_out=_number()),
        _summarize,
    ),
    "trace.query": _Tool(
        "Rows of what is kept, as asked. what: series (calls, errors, times of operations; if not given), edges between "
        "services, templates of messages, diff of two windows or services, timeline (digits 0 to 9), facts (all that a "
        "summary could say), evidence, traces, the tree of a trace, its critical path, values of a template's variables, "
        "attributes of events, sources read. Lists take commas.",
        _object(
            what={
                "type": "string",  # some clients pass no enum on that has none
                "enum": [
                    "series",
                    "edges",
                    "templates",
                    "diff",
                    "timeline",
                    "facts",
                    "evidence",
                    "traces",
                    "trace",
                    "path",
                    "values",
                    "attributes",
                    "sources",
                ],
            },
            of=_text(
                "a trace id or #12 for trace, path, evidence and traces like it; two services for diff; a template for values"
            ),
            where=_text(
                "terms that all hold: service=pay* status=error duration>100ms level>=warn template~timeout -kind=log "
                '"text" attribute.KEY=v'
            ),
            since=_text("5m before the newest event, 14:02, RFC 3339 or all"),
            until=_text(),
            group_by=_text(
                "service, operation, kind, template, peer, step, status, level, source, format, time:1m, attribute.KEY"
            ),
            select=_text(
                "count, rate, errors, error_share, origins, p50, p95, p99, max, mean, sum, self_p95, path, first, last, "
                "distinct:service"
            ),
            order_by=_text("columns, - in front for the largest first"),
            limit=_number("rows"),
            compare=_text("baseline, 10m before, or FROM..TO"),
            budget=_number(),
            cursor=_text("goes on, with the same question"),
        ),
        _object(
            text=_text(),
            about=_text(),
            columns={"type": "array", "items": _text()},
            units={"type": "object"},
            rows={"type": "array", "items": {"type": "array"}},
            totals={"type": "array"},
            notes={"type": "array", "items": _text()},
            total_rows=_number(),
            left_out=_number(),
            cursor=_text(),
        ),
        query,
    ),
    "trace.evidence": _Tool(
        "Raw spans and log records behind a #number of an answer; secrets are masked.",
        _object(
            ("id",),
            id=_number(),
            budget=_number(),
            cursor=_text("goes on"),
        ),
        _object(
            ("id", "events"),
            id=_number(),
            service=_text(),
            operation=_text(),
            kind=_text(),
            count=_number(),
            events={
                "type": "array",
                "items": _object(role=_text(), time=_text(), source=_text(), raw=_text()),
            },
            cursor=_text(),
        ),
        _evidence,
        anew=False,
    ),
}


def tools(*, underscores: bool = False) -> list[Tool]:
    """Describe the tools.

    :param underscores: whether they are called ``trace_query`` rather than ``trace.query``: some clients allow no dot
    """
    return [
        Tool(
            name=name.replace(".", "_") if underscores else name,
            description=tool.description,
            input_schema=tool.takes,
            output_schema=tool.gives,
            annotations=_LOOKS,
        )
        for name, tool in _TOOLS.items()
    ]


async def call(
    account: Account, context: ServerRequestContext[Any, Any], params: CallToolRequestParams
) -> CallToolResult:
    """Call a tool, by its name with a dot or an underscore.

    What goes wrong is an answer too, one that a model can read and do better after.

    :raises MCPError: if there is no such tool
    """
    tool = _TOOLS.get(params.name.replace("_", "."))
    if tool is None:
        raise MCPError(INVALID_PARAMS, f"there is no tool {params.name[:80]!r}; there are {', '.join(_TOOLS)}")
    try:
        arguments = params.arguments or {}
        await account.prepare(context.session.report_progress, anew=tool.anew and not arguments.get("cursor"))
        answer = await tool.run(account, arguments)
    except (TracegistError, ValueError, OverflowError) as error:
        return CallToolResult(content=[TextContent(text=str(error))], is_error=True)
    return CallToolResult(content=[TextContent(text=answer.text)], structured_content=dict(answer.content))
