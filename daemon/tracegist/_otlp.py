"""Events as OTLP/JSON lines: a program's own events go the way of everybody's, the only one into the engine."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any, Final

import msgspec

from tracegist.event import Event

__all__ = ["encode"]

_KINDS: Final = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
_SEVERITIES: Final = {"": 0, "trace": 1, "debug": 5, "info": 9, "warn": 13, "error": 17, "fatal": 21}
_FAILED: Final = 2
# An object within an object within …: past this, what is left is written as text.
_DEEPEST: Final = 32


def encode(events: Iterable[Event], *, now: int) -> bytes:
    """Write events as requests of OTLP, one line for each run of one service and signal, in their order.

    :param now: nanoseconds since the epoch, the time of events that have none
    """
    lines = []
    for (service, is_log, logger), run in groupby(events, _group):
        attributes = _attributes({"service.name": service}) if service else []
        records = [_log(event, now) if is_log else _span(event, now) for event in run]
        scope = {"scope": {"name": logger}} if logger else {}
        if is_log:
            resource = {"resource": {"attributes": attributes}, "scopeLogs": [{**scope, "logRecords": records}]}
            lines.append(msgspec.json.encode({"resourceLogs": [resource]}))
        else:
            resource = {"resource": {"attributes": attributes}, "scopeSpans": [{"spans": records}]}
            lines.append(msgspec.json.encode({"resourceSpans": [resource]}))
    return b"".join(line + b"\n" for line in lines)


def _group(event: Event) -> tuple[str, bool, str]:
    is_log = event.kind == "log"
    return event.service, is_log, event.operation if is_log else ""


def _span(event: Event, now: int) -> dict[str, Any]:
    end = now if event.time is None else event.time
    record: dict[str, Any] = {"name": event.operation, "kind": _KINDS[event.kind], "endTimeUnixNano": str(end)}
    if event.duration is not None:
        record["startTimeUnixNano"] = str(end - event.duration)
    if event.failed:
        record["status"] = {"code": _FAILED, "message": event.message}
    return {**record, **_ids(event), "attributes": _attributes(event.attributes)}


def _log(event: Event, now: int) -> dict[str, Any]:
    level = event.level or ("error" if event.failed else "")
    record: dict[str, Any] = {
        "timeUnixNano": str(now if event.time is None else event.time),
        "body": {"stringValue": event.message},
        **_ids(event),
        "attributes": _attributes(event.attributes),
    }
    if level:
        record["severityNumber"] = _SEVERITIES[level]
    return record


def _ids(event: Event) -> dict[str, str]:
    ids = {"traceId": event.trace, "spanId": event.span, "parentSpanId": event.parent}
    return {key: value for key, value in ids.items() if value}


def _attributes(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": str(key), "value": _value(value)} for key, value in attributes.items()]


def _value(value: object, depth: int = 0) -> dict[str, Any]:  # noqa: PLR0911 - one for each type that OTLP has
    match value:
        case None:
            return {}
        case bool():
            return {"boolValue": value}
        case int() if -(1 << 63) <= value < 1 << 63:
            return {"intValue": str(int(value))}
        case float():
            return {"doubleValue": value if math.isfinite(value) else str(value)}
        case str():
            return {"stringValue": value.encode(errors="replace").decode()}
        case bytes():
            return {"bytesValue": base64.b64encode(value).decode()}
        case Mapping() if depth < _DEEPEST:
            pairs = [{"key": str(key), "value": _value(item, depth + 1)} for key, item in value.items()]
            return {"kvlistValue": {"values": pairs}}
        case list() | tuple() | set() | frozenset() if depth < _DEEPEST:
            return {"arrayValue": {"values": [_value(item, depth + 1) for item in value]}}
        case _:
            return {"stringValue": str(value).encode(errors="replace").decode()}
