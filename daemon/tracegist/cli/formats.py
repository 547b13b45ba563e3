"""``tracegist formats``: what files are taken for, and what comes of their records."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from tracegist.cli._failure import UNREADABLE, Usage, report
from tracegist.cli._options import ConfigFile, OutputFormat, Paths, Source, Zone, check_paths
from tracegist.cli._output import write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracegist.cli._survey import Found

__all__ = ["formats"]


def formats(
    *paths: Paths,
    as_: Annotated[
        str | None,
        Parameter(
            name="--as", metavar="FORMAT", help="Read the files as this format instead of telling it by content."
        ),
    ] = None,
    events: Annotated[
        int, Parameter(validator=Number(gte=0), metavar="N", help="Decoded events to show of a file.")
    ] = 5,
    zone: Zone = None,
    source: Source = None,
    format: OutputFormat = "text",
    config: ConfigFile = None,
) -> int:
    """Say what files are taken for, and what comes of their records.

    For each file: its format, how many records and events are in it, what they
    say and what they leave out, why some could not be read, and a few events
    as they were decoded.

    Examples:
        tracegist formats app.log traces.jsonl.gz
        tracegist formats --events 20 --zone Europe/Berlin app.log
        tracegist formats --as delimited export.csv
        tracegist formats --source shop shop.log   as the source "shop" is read

    :param paths: Files to read, whole; - is standard input.
    """
    from tracegist import _engine  # noqa: PLC0415 - not needed to complete or to print help
    from tracegist.cli._dialect import dialect_of  # noqa: PLC0415
    from tracegist.cli._survey import lines, survey  # noqa: PLC0415
    from tracegist.config import load  # noqa: PLC0415

    files = check_paths(paths, formats)
    if not files:
        msg = "name the files to look at, or - for standard input"
        raise Usage(msg)
    if as_ is not None and as_ not in _engine.formats():
        msg = f"unknown format {as_}: it is one of {', '.join(_engine.formats())}"
        raise Usage(msg)
    settings = load(config).config
    dialect = dialect_of(settings, source=source, zone=zone)
    found = survey(
        files,
        format=as_ or dialect.reads,
        dialect=dialect.dialect(),
        events=events,
        max_record=int(settings.engine.max_record),
    )
    for file in found:
        if file.failure:
            report(file.failure)
    if format == "json":
        write(json.dumps([_object(file) for file in found], ensure_ascii=False))
    elif any(file.report for file in found):
        write("\n\n".join("\n".join(lines(file)) for file in found if file.report))
    return 0 if _all_told(found) else UNREADABLE


def _object(file: Found) -> dict[str, Any]:
    return {"path": file.path, "failure": file.failure or None, **(file.report or {})}


def _all_told(found: Sequence[Found]) -> bool:
    return not any(file.failure for file in found) and any(file.report and file.report["events"] for file in found)
