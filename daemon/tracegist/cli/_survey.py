"""Look at files as the engine reads them, and lay out in lines what was found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from tracegist import _engine
from tracegist.cli._failure import Unreadable
from tracegist.cli._files import check_readable, progress_bar
from tracegist.cli._output import safe
from tracegist.errors import SourceError, TraceNotFound
from tracegist.offline import ingest_paths

__all__ = ["Found", "lines", "survey"]

_NARROWEST: Final = 100
_SERVICES: Final = 5
_SAMPLE: Final = 100
_WORDS: Final = ("time", "level", "service", "operation", "duration", "trace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found in a file.

    :param path: as it was written
    :param report: what the engine says of it; None if it could not be opened
    :param failure: why it could not be read, or not to its end; empty if it could
    """

    path: str
    report: dict[str, Any] | None
    failure: str = ""


class _Surveyor:
    """Takes blocks as an engine does, and keeps nothing but what :class:`_engine.Survey` says of them."""

    def __init__(self, events: int, max_record: int) -> None:
        self._events = events
        self._max_record = max_record
        self.survey: _engine.Survey | None = None

    def ingest(
        self,
        stream: str,
        data: bytes,
        *,
        received: int,
        format: str | None = None,
        dialect: _engine.Dialect | None = None,
        size: int | None = None,
    ) -> tuple[int, int, str]:
        """Look at a block."""
        del stream
        if self.survey is None:
            self.survey = _engine.Survey(
                format=format, dialect=dialect, max_record=self._max_record, events=self._events
            )
        return self.survey.feed(data[:size], received=received)

    def watermark(self, stream: str | None = None) -> int | None:
        """Return the time of the newest event, in nanoseconds since the epoch."""
        del stream
        return self.survey.newest() if self.survey else None


def survey(
    paths: Sequence[str], *, format: str | None, dialect: _engine.Dialect, events: int, max_record: int
) -> list[Found]:
    """Read files one by one, each to its end; one that cannot be read stops none of the others.

    :param format: what they are read as; None tells it by content
    :param events: how many decoded events are kept of each
    """
    found = []
    for path in paths:
        surveyor = _Surveyor(events, max_record)
        failure = ""
        try:
            check_readable(path)
            with progress_bar() as progress:
                files = ingest_paths(
                    surveyor, [path], format=format, dialect=dialect, report=progress, max_record=max_record
                )
            failure = files[0].damage
        except (SourceError, TraceNotFound, Unreadable) as error:
            failure = str(error)
        seen = surveyor.survey or (_engine.Survey(format=format) if not failure else None)
        found.append(Found(path=path, report=json.loads(seen.report()) if seen else None, failure=failure))
    return found


def lines(found: Found) -> Iterator[str]:
    """Lay a report out for people."""
    report = found.report
    if report is None:
        return
    name = "standard input" if found.path == "-" else safe(found.path)
    if not report["bytes"]:
        yield f"{name}: empty"
        return
    yield f"{name}: {_format(report)}"
    if report["confidence"] is not None:
        yield f"  {_confidence(report)}"
    goes_on = f", {report['continued']:,} that go on with the one before" if report["continued"] else ""
    yield f"  {report['records']:,} records read{goes_on}, {report['rejected']:,} rejected, of {report['bytes']:,} bytes"
    if report["events"]:
        yield from _events(report)
    else:
        yield "  no event in them"
    for reason, entry in sorted(report["reasons"].items(), key=lambda item: -item[1]["count"]):
        yield f"  rejected {entry['count']:,}: {safe(reason)}"
        yield f"    the first at byte {entry['offset']:,}: {safe(entry['detail'])}"
        if entry["sample"]:
            yield f"    {safe(entry['sample'])[:_SAMPLE]}"
    if report["shown"]:
        yield ""
        yield from _table(report["shown"])


def _format(report: dict[str, Any]) -> str:
    changes = report["formats"]
    if report["given"]:
        return f"read as {report['format']}, as was said"
    if not changes:
        return "no format told"
    first, *others = changes
    told = f"{first['format']}, told by its beginning"
    for change in others:
        told += f"; {change['format']} from record {change['record']:,} on (byte {change['offset']:,})"
    return told


def _events(report: dict[str, Any]) -> Iterator[str]:
    count = report["events"]
    kinds = ", ".join(f"{number:,} {kind}" for kind, number in report["kinds"].items())
    failed = f"; {report['failed']:,} failed" if report["failed"] else ""
    yield f"  {count:,} events: {kinds}{failed}"
    if report["first"]:
        yield f"  from {report['first']} to {report['last']} ({_length(report['span_s'])})"
    known = report["known"]
    yield f"  they say: {', '.join(f'{word} {_share(known[word], count)}' for word in _WORDS)}"
    if report["levels"]:
        yield f"  levels: {', '.join(f'{number:,} {level}' for level, number in report['levels'].items())}"
    services = [(safe(name) or "none named", number) for name, number in report["services"]]
    others = sum(number for _, number in services[_SERVICES:]) + report["other_services"]
    shown = ", ".join(f"{name} {number:,}" for name, number in services[:_SERVICES])
    if services != [("none named", count)]:
        rest = f", {others:,} of {max(1, len(services) - _SERVICES):,} more" if others else ""
        yield f"  services: {shown}{rest}"


def _share(part: int, whole: int) -> str:
    if part in {0, whole}:
        return "in all" if part else "in none"
    return f"in {100 * part / whole:.2g}%" if part < whole / 100 else f"in {min(99, round(100 * part / whole))}%"


def _confidence(report: dict[str, Any]) -> str:
    share = report["confidence"]
    percent = round(100 * share)
    # Rounded, but never to all or nothing.
    percent = min(99, max(1, percent)) if 0 < share < 1 else percent
    if report["format"] == "text":
        return f"confidence {percent}%: so many lines say when, how grave or how long"
    return f"confidence {percent}%: so many records have that form"


def _length(seconds: int) -> str:
    parts = ((seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number)[:12] or "0s"


def _table(events: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Align the columns that say anything; the last one has what is left of the width."""
    titles = ("time", "kind", "level", "service", "operation", "took", "message")
    rows = [
        (
            _instant(event["time"]),
            event["kind"] + ("!" if event["failed"] else ""),
            event["level"],
            safe(event["service"])[:24],
            safe(event["operation"])[:32],
            _took(event["duration"]),
            " ".join(safe(event["message"]).split()),
        )
        for event in events
    ]
    used = [column for column in range(len(titles)) if any(row[column] for row in rows)]
    width = max(_NARROWEST, shutil.get_terminal_size().columns)
    for row in (titles, *rows):
        cells = [row[c].ljust(max(len(titles[c]), *(len(other[c]) for other in rows))) for c in used[:-1]]
        yield "  ".join(("", *cells, row[used[-1]]))[:width].rstrip()


def _instant(time: int | None) -> str:
    if time is None:
        return ""
    seconds, nanoseconds = divmod(time, 1_000_000_000)
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S") + f".{nanoseconds // 1_000_000:03}"
    except (OverflowError, ValueError, OSError):
        return str(time)


def _took(duration: int | None) -> str:
    if duration is None:
        return ""
    for unit, length in (("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)):
        if duration >= length:
            return f"{duration / length:.3g}{unit}"
    return f"{duration}ns"
