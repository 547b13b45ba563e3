"""``tracegist show '#12'``: the raw events behind a statement."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Final

from cyclopts import Parameter

from tracegist.cli._failure import Usage
from tracegist.cli._options import ConfigFile, OutputFormat, Paths, Socket, Source, Zone, check_paths
from tracegist.cli._output import safe, write

__all__ = ["show"]

_NUMBER: Final = re.compile(r"#?([0-9]{1,18})")


def show(
    number: Annotated[str, Parameter(name="NUMBER")],
    /,
    *paths: Paths,
    zone: Zone = None,
    source: Source = None,
    format: OutputFormat = "text",
    config: ConfigFile = None,
    socket: Socket = None,
) -> None:
    """Print the raw events behind a statement, such as '#12'.

    Mind the quotes: to a shell, a # begins a comment. 12 will do.

    Examples:
        tracegist show '#12'
        tracegist show 12 traces.jsonl app.log
        tracegist show 12 --format json | jq -r .events[].raw

    :param number: What stands at the end of the statement.
    :param paths: The files that were summarized; without them, the daemon is asked.
    """
    match = _NUMBER.fullmatch(number)
    if match is None:
        msg = f"{number} is no number of evidence: write it as it stands at the end of a statement, such as '#12'"
        raise Usage(msg)
    files = check_paths(paths, show)
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
