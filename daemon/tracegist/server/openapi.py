"""``GET /openapi.json``: what the socket answers, described as OpenAPI 3.1; the shapes are those of the structs themselves."""

from __future__ import annotations

import inspect
import re
from functools import cache
from typing import Any, Final, TypeAlias

import msgspec

from tracegist.query import Answer, Query

__all__ = ["describe"]

Json: TypeAlias = dict[str, Any]

_PARAM: Final = re.compile(r":param (\w+): (.*?)(?=\n\s*:|\Z)", re.DOTALL)
_TEXT: Final = "text/plain"
_JSON: Final = "application/json"


@cache
def describe() -> bytes:
    """Give the description: UTF-8 JSON."""
    (query, answer), components = msgspec.json.schema_components(
        (Query, Answer), ref_template="#/components/schemas/{name}"
    )
    for struct in (Query, Answer):
        _document(components[struct.__name__], struct)
    for name, schema in components.items():
        schema.pop("title", None)
        if name != Query.__name__ and schema.get("type") == "object":
            schema["description"] = str(schema.get("description", "")).partition("\n")[0]
    description = {
        "openapi": "3.1.0",
        "info": {
            "title": "tracegist",
            "version": "1",
            "description": "What happens on a trace host, within a budget of tokens. HTTP over a Unix socket: "
            "curl --unix-socket /run/tracegist/tracegist.sock http://x/summary",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "http://x", "description": "any host: the socket decides"}],
        "paths": _asked(query, answer) | _told(),
        "components": {"schemas": components | {"Error": _ERROR, "Evidence": _EVIDENCE}},
    }
    return msgspec.json.encode(description)


def _document(schema: Json, struct: type) -> None:
    """Take what the fields mean from where a struct says it."""
    text = inspect.cleandoc(struct.__doc__ or "")
    schema["description"] = text.partition("\n")[0]
    for name, meaning in _PARAM.findall(text):
        field = schema["properties"].get(name)
        if field is not None:
            schema["properties"][name] = {**field, "description": " ".join(meaning.split()).replace("``", "`")}


_ERROR: Final[Json] = {
    "type": "object",
    "description": "Why there is no answer.",
    "properties": {
        "type": {"type": "string", "description": "the name of the error, as in tracegist.errors"},
        "status": {"type": "integer"},
        "error": {"type": "string", "description": "what was found, where, and what to do"},
        "field": {"type": "string", "description": "of a query: the field whose word is at fault"},
        "text": {"type": "string", "description": "all of that field"},
        "at": {"type": "integer", "description": "where the word begins in it, in characters"},
        "suggestion": {"type": ["string", "null"], "description": "the nearest known word"},
    },
    "required": ["type", "status", "error"],
}

_EVIDENCE: Final[Json] = {
    "type": "object",
    "description": "The raw events behind a number.",
    "properties": {
        "id": {"type": "integer"},
        "service": {"type": "string"},
        "operation": {"type": "string"},
        "kind": {"type": "string"},
        "count": {"type": "integer", "description": "events of it in all"},
        "events": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "role": {"enum": ["worst", "failed", "sample"], "description": "why it was kept"},
                    "time": {"type": "string", "format": "date-time"},
                    "source": {"type": "string"},
                    "raw": {"type": "string", "description": "its bytes, secrets taken out, cut at 2 KiB"},
                },
                "required": ["role", "time", "source", "raw"],
            },
        },
    },
    "required": ["id", "service", "operation", "kind", "count", "events"],
}


def _parameter(name: str, schema: Json, description: str = "", where: str = "query", **more: object) -> Json:
    described = {"description": description} if description else {}
    return {"name": name, "in": where, "required": where == "path", "schema": schema, **described, **more}


def _content(schema: Json, *, text: str = "") -> Json:
    return {_JSON: {"schema": schema}, **({text: {"schema": {"type": "string"}}} if text else {})}


def _responses(description: str, content: Json, *errors: str) -> Json:
    meaning = {
        "400": "it makes no sense, or the budget is too small; what to do is said",
        "404": "it is not there, or not any more",
        "408": "the body did not come",
        "413": "the body is too large",
        "415": "the body is encoded in an unknown way",
        "503": "not at the moment; when to come again is said",
    }
    refused = _content({"$ref": "#/components/schemas/Error"}, text=_TEXT)
    return {
        "200": {"description": description, "content": content},
        **{error: {"description": meaning[error], "content": refused} for error in errors},
    }


_BUDGET: Final[Json] = {"type": "integer", "minimum": 1}
_ENCODING: Final[Json] = {"type": "string", "enum": ["o200k_base", "cl100k_base"]}
_STRING: Final[Json] = {"type": "string"}


def _asked(query: Json, answer: Json) -> Json:
    """Describe what is asked of the account."""
    answers = {**_content(answer, text=_TEXT), "text/csv": {"schema": {"type": "string"}}}
    summary = [
        _parameter("budget", _BUDGET, "tokens that the text may take"),
        _parameter("encoding", _ENCODING, "whose tokens"),
        _parameter("window", {"type": "string", "examples": ["5m", "1h30m"]}, "time that it speaks of"),
        _parameter("baseline", {"type": "string", "examples": ["1h"]}, "time before it to compare with"),
        _parameter("focus", _STRING, "only what has this text in its service, operation or message"),
        _parameter("section", {"type": "array", "items": _STRING}, "only these sections", explode=True),
    ]
    trace = [
        _parameter("trace", _STRING, "its id, the beginning of it, or #12 for that of evidence", "path"),
        _parameter("budget", _BUDGET),
        _parameter("encoding", _ENCODING),
        _parameter("limit", {"type": "integer", "minimum": 1}),
        _parameter("cursor", _STRING),
        _parameter("format", {"type": "string", "enum": ["text", "csv"]}),
    ]
    stream = {"text/event-stream": {"schema": _STRING}}
    evidence = {"$ref": "#/components/schemas/Evidence"}
    body = {"content": {_JSON: {"schema": query}}}
    number = _parameter("number", {"type": "string", "pattern": "^[0-9]+$"}, "the digits of #12", "path")
    return {
        "/summary": {
            "get": {
                "summary": "The account; without parameters, as it is published.",
                "parameters": summary,
                "responses": _responses("the summary", _content({"type": "object"}, text=_TEXT), "400"),
            }
        },
        "/summary/stream": {
            "get": {
                "summary": "The latest summary, and each newer one, as server-sent events.",
                "responses": _responses("events, without an end", stream, "400"),
            }
        },
        "/query": {
            "post": {
                "summary": "An answer to a question, within its budget.",
                "requestBody": body,
                "responses": _responses("the answer", answers, "400", "404", "408", "413", "415", "503"),
            }
        },
        "/traces/{trace}": {
            "get": {
                "summary": "The tree of a trace.",
                "parameters": trace,
                "responses": _responses("the tree", answers, "400", "404"),
            }
        },
        "/evidence/{number}": {
            "get": {
                "summary": "The raw events behind a number.",
                "parameters": [number],
                "responses": _responses("the events", _content(evidence), "400", "404"),
            }
        },
    }


def _told() -> Json:
    """Describe what is told of the daemon, and what is told to it."""
    events = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
    otlp = {"content": {_JSON: {"schema": {"type": "object"}}, "application/x-protobuf": {"schema": _STRING}}}
    source = _parameter("source", _STRING, "where the events come from", "path")
    refusals = ("400", "404", "408", "413", "415", "503")
    taken = _responses("it was here before", _content({"type": "object"}), *refusals)
    taken["202"] = {"description": "it is safe", "content": _content({"type": "object"})}
    openapi = {"summary": "This description.", "responses": _responses("it", _content({"type": "object"}))}
    health = {
        "summary": "Whether the daemon works.",
        "responses": _responses("ok, and its notices", {_TEXT: {}}, "503"),
    }
    status = {"summary": "How the daemon is.", "responses": _responses("its state", _content({"type": "object"}))}
    ingest = {
        "summary": "Takes events in; any format that is known.",
        "parameters": [source],
        "requestBody": events,
        "responses": taken,
    }
    described: Json = {
        "/openapi.json": {"get": openapi},
        "/healthz": {"get": health},
        "/status": {"get": status},
        "/ingest/{source}": {"post": ingest},
    }
    for signal in ("traces", "logs"):
        said = _responses("they are safe", {_JSON: {}, "application/x-protobuf": {}}, *refusals)
        described[f"/v1/{signal}"] = {
            "post": {"summary": f"Takes {signal} in as OTLP.", "requestBody": otlp, "responses": said}
        }
    return described
