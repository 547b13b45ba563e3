#!/usr/bin/env python3
"""Make the recording that `tracegist run --sample` replays, from minutes of the Nezha data set.

    make_sample.py --quiet TRACES.csv [LOGS.csv] --faulty TRACES.csv [LOGS.csv] --out FOLDER

The CSV files (plain or .xz) are those of https://github.com/IntelligentDDS/Nezha, folders construct_data and rca_data.
FOLDER gets quiet.jsonl.xz and faulty.jsonl.xz: what the OpenTelemetry Collector's file exporter would have written on that
host, one ExportTraceServiceRequest or ExportLogsServiceRequest a line, each with what ended within half a second, in the
order of time. The quiet minute is moved in time to end where the faulty one begins; nothing else is changed, and nothing
left out.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import json
import lzma
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

BATCH = 500_000_000
LONGEST_FIELD = 1 << 30


class Record(NamedTuple):
    """A span or a log record: when it ended (ns since the epoch), which pod it comes from, and what OTLP says of it."""

    at: int
    pod: str
    fields: dict[str, Any]
    is_span: bool


def rows(path: Path) -> Iterator[dict[str, str]]:
    """Read a CSV file, compressed or not."""
    data = path.read_bytes()
    text = (lzma.decompress(data) if path.suffix == ".xz" else data).decode("utf-8", "replace")
    yield from csv.DictReader(io.StringIO(text))


def spans(path: Path) -> Iterator[Record]:
    """Every readable row of a trace file."""
    for row in rows(path):
        try:
            start, end = int(row["StartTimeUnixNano"]), int(row["EndTimeUnixNano"])
        except (TypeError, ValueError):
            continue
        fields: dict[str, Any] = {"traceId": row["TraceID"], "spanId": row["SpanID"]}
        if row["ParentID"] != "root":
            fields["parentSpanId"] = row["ParentID"]
        fields |= {"name": row["OperationName"], "kind": 1, "startTimeUnixNano": start, "endTimeUnixNano": end}
        yield Record(end, row["PodName"], fields, is_span=True)


def logs(path: Path) -> Iterator[Record]:
    """Every readable row of a log file, out of the wrapping of the container's log driver."""
    for row in rows(path):
        try:
            at = int(row["TimeUnixNano"])
        except (TypeError, ValueError):
            continue
        body = row["Log"] or ""
        with contextlib.suppress(AttributeError, ValueError):
            body = json.loads(body).get("log", body)
        fields: dict[str, Any] = {"timeUnixNano": at, "body": {"stringValue": body.rstrip("\n")}}
        if row.get("TraceID"):
            fields |= {"traceId": row["TraceID"], "spanId": row.get("SpanID") or ""}
        yield Record(at, row["PodName"], fields, is_span=False)


def shifted(records: list[Record], by: int) -> list[Record]:
    """Move records in time by nanoseconds, and write times as OTLP/JSON has them: as strings."""
    return [
        record._replace(
            at=record.at + by,
            fields={
                key: str(value + by) if key.endswith("imeUnixNano") else value for key, value in record.fields.items()
            },
        )
        for record in records
    ]


def lines(records: list[Record]) -> Iterator[str]:
    """Batch records by kind and half-second, as a collector does."""
    batches: dict[tuple[int, bool], dict[str, list[dict[str, Any]]]] = {}
    for record in sorted(records, key=lambda record: record.at):
        pods = batches.setdefault((record.at // BATCH, record.is_span), {})
        pods.setdefault(record.pod, []).append(record.fields)
    for (_, is_span), pods in sorted(batches.items()):
        outer, scope, inner = (
            ("resourceSpans", "scopeSpans", "spans") if is_span else ("resourceLogs", "scopeLogs", "logRecords")
        )
        resources = [
            {"resource": {"attributes": attributes(pod)}, scope: [{"scope": {}, inner: found}]}
            for pod, found in pods.items()
        ]
        yield json.dumps({outer: resources}, separators=(",", ":"), ensure_ascii=False)


def attributes(pod: str) -> list[dict[str, Any]]:
    """`cart-579b9bff58-t2dbm` is a pod of the service `cart`."""
    service = re.sub(r"-[0-9a-f]{6,10}-[a-z0-9]{5}$", "", pod)
    named = {"service.name": service, "k8s.pod.name": pod}
    return [{"key": key, "value": {"stringValue": value}} for key, value in named.items()]


def read(files: list[Path]) -> list[Record]:
    """Read files of either kind; they are told by their header."""
    found: list[Record] = []
    for path in files:
        is_trace = "ParentID" in next(rows(path), {})
        found += spans(path) if is_trace else logs(path)
    return found


def main() -> None:
    """Do as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quiet", type=Path, nargs="+", required=True)
    parser.add_argument("--faulty", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    csv.field_size_limit(LONGEST_FIELD)
    quiet, faulty = read(asked.quiet), read(asked.faulty)
    begin = min(record.at for record in faulty if record.is_span)
    end = max(record.at for record in quiet if record.is_span)
    quiet = shifted([record for record in quiet if record.at <= end], begin // BATCH * BATCH - 1 - end)
    faulty = shifted([record for record in faulty if record.at >= begin], 0)
    asked.out.mkdir(parents=True, exist_ok=True)
    for name, records in (("quiet", quiet), ("faulty", faulty)):
        text = "".join(f"{line}\n" for line in lines(records))
        packed = lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME)
        (asked.out / f"{name}.jsonl.xz").write_bytes(packed)
        length = max(record.at for record in records) - min(record.at for record in records)
        sys.stdout.write(f"{name}: {len(records)} records in {length / 1e9:.1f}s, {len(packed)} bytes\n")


if __name__ == "__main__":
    main()
