"""``tracegist show '#12'``: the raw events behind a statement; ``tracegist show TRACE``: the tree of a trace."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from cyclopts import Parameter

from tracegist.cli._failure import Usage
from tracegist.cli._options import ConfigFile, OutputFormat, Paths, Socket, Source, Zone, check_paths
from tracegist.cli._output import safe, write

__all__ = ["show"]

_NUMBER: Final = re.compile(r"#?([0-9]{1,7})")
_TRACE: Final = re.compile(r"[0-9a-fA-F]{8,32}")


def show(
    subject: Annotated[str, Parameter(name="SUBJECT")],
    /,
    *paths: Paths,
    zone: Zone = None,
    source: Source = None,
    format: OutputFormat = "text",
    config: ConfigFile = None,
    socket: Socket = None,
) -> None:
    """Print the raw events behind a statement, such as '#12', or a trace.

    Mind the quotes: to a shell, a # begins a comment. 12 will do. Of a trace
    id its first eight digits will do.

    Examples:
        tracegist show '#12'
        tracegist show 12 traces.jsonl app.log
        tracegist show 5b8efff798038103 traces.jsonl
        tracegist show 12 --format json | jq -r .events[].raw

    :param subject: What stands at the end of the statement, or a trace id.
    :param paths: The files that were summarized; without them, the daemon is asked.
    """
    files = check_paths(paths, show)
    match = _NUMBER.fullmatch(subject)
    if match is None:
        if _TRACE.fullmatch(subject) is None:
            msg = (
                f"{subject} is no number of evidence and no trace: write the number as it stands at the end of a statement, "
                "such as '#12', or at least eight hexadecimal digits of a trace id"
            )
            raise Usage(msg)
        from tracegist.cli.query import query  # noqa: PLC0415

        form: Literal["text", "json"] | None = format if format == "json" else None
        query(*files, what="trace", of=subject, zone=zone, source=source, format=form, config=config, socket=socket)
        return
    if files:
        from tracegist.cli._dialect import dialect_of  # noqa: PLC0415
        from tracegist.cli._files import evidence_of_files  # noqa: PLC0415
        from tracegist.config import load  # noqa: PLC0415

        settings = load(config).config
        dialect = dialect_of(settings, source=source, zone=zone)
        answer = evidence_of_files(files, int(match[1]), settings, dialect)
    else:
        from tracegist.cli._daemon import find_daemon  # noqa: PLC0415

        with find_daemon(config, socket) as daemon:
            answer = daemon.evidence(int(match[1]))
    write(answer if format == "json" else "\n".join(_lines(json.loads(answer))))


def _lines(evidence: dict[str, Any]) -> Iterator[str]:
    subject = " ".join(evidence[key] for key in ("service", "operation", "kind") if evidence.get(key))
    yield safe(f"#{evidence['id']} {subject}")
    for event in evidence["events"]:
        yield ""
        yield safe(" ".join(str(event[key]) for key in ("role", "time", "source") if event.get(key)))
        yield safe(event["raw"])
