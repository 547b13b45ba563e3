"""``tracegist query``: answers a question about what happened, within a budget of tokens."""

from __future__ import annotations

import sys
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from cyclopts import Parameter

from tracegist.cli._options import Budget, ConfigFile, Encoding, Paths, Socket, Source, Zone, check_paths
from tracegist.cli._output import write
from tracegist.query import Answer, Query, facts_as_configured

__all__ = ["query"]

Form: TypeAlias = Literal["table", "text", "json", "csv"]
Words: TypeAlias = Annotated[str | None, Parameter(metavar="NAMES")]

# Programs and spreadsheets do not read by tokens.
_ALL: Final = 1_000_000_000


def query(
    *paths: Paths,
    what: Annotated[str | None, Parameter(metavar="NAME")] = None,
    where: Annotated[str | None, Parameter(metavar="TERMS", allow_leading_hyphen=True)] = None,
    of: Annotated[str | None, Parameter(metavar="WHOM")] = None,
    since: Annotated[str | None, Parameter(metavar="TIME", allow_leading_hyphen=True)] = None,
    until: Annotated[str | None, Parameter(metavar="TIME", allow_leading_hyphen=True)] = None,
    group_by: Words = None,
    select: Words = None,
    order_by: Annotated[str | None, Parameter(metavar="NAMES", allow_leading_hyphen=True)] = None,
    limit: Annotated[int | None, Parameter(metavar="ROWS")] = None,
    compare: Annotated[str | None, Parameter(metavar="TIME")] = None,
    section: Annotated[str | None, Parameter(metavar="NAME")] = None,
    budget: Budget = None,
    encoding: Encoding = None,
    cursor: Annotated[str | None, Parameter(metavar="CURSOR")] = None,
    zone: Zone = None,
    source: Source = None,
    format: Form | None = None,
    config: ConfigFile = None,
    socket: Socket = None,
) -> int:
    """Answer a question about what happened, within a budget of tokens.

    Terms of --where must all hold: service=pay*,cart status=error -kind=log
    duration>100ms "timed out". With paths, or - for standard input, it reads
    those alone and needs no daemon.

    Examples:
        tracegist query --where status=error
        tracegist query app.log --group-by template --since all
        tracegist query --group-by service --compare baseline --order-by -p95
        tracegist query --section slow
        tracegist query --where service=cart --group-by time:1m --format csv

    :param paths: Files to read, whole; - is standard input.
    :param what: What is asked for: series, edges, templates and more; see docs/query.md.
    :param where: Which events; terms with spaces between them: service=pay* status=error attribute.tenant=acme.
    :param of: Whom it is about, where a question needs one: a trace, '#12'.
    :param since: From when: 5m before the newest event, 14:02, RFC 3339, all.
    :param until: Until when: likewise, or now.
    :param group_by: Dimensions, a row for each combination: service, operation, kind, template, level, source, status, time:1m,
        attribute.KEY.
    :param select: Measures, a column each: count, rate, errors, error_share, p50, p95, max, self_p95.
    :param order_by: Columns to sort by; - in front for the largest first, + for the smallest.
    :param limit: Rows of a page at most.
    :param compare: What to compare with: baseline, 10m before the window, or FROM..TO.
    :param section: Everything that this section of a summary could say.
    :param cursor: Where to go on, as the page before gave it.
    :param format: A table (in a terminal), lines of few tokens (elsewhere), JSON, or comma-separated values.
    """
    files = check_paths(paths, query)
    form: Form = format or ("table" if sys.stdout.isatty() else "text")
    if section is not None:
        what, where = what or "facts", f'section="{section}" {where or ""}'.rstrip()
    question = Query(
        what=what,
        where=where,
        of=of,
        since=since,
        until=until,
        group_by=group_by,
        select=select,
        order_by=order_by,
        limit=limit,
        compare=compare,
        budget=budget,
        encoding=encoding,
        cursor=cursor,
        format="csv" if form == "csv" else None,
    )
    code = 0
    if files:
        from tracegist.cli._dialect import dialect_of  # noqa: PLC0415
        from tracegist.cli._files import query_files  # noqa: PLC0415
        from tracegist.config import load  # noqa: PLC0415

        settings = load(config).config
        usual = settings.summary
        question = _with_usual(question, form, usual.budget, usual.encoding)
        as_configured = facts_as_configured(
            msgspec.structs.asdict(question), window=usual.window, baseline=usual.baseline
        )
        question = Query(**as_configured)
        answer, code = query_files(files, question, settings.engine, dialect_of(settings, source=source, zone=zone))
    else:
        from tracegist.cli._daemon import find_daemon  # noqa: PLC0415

        question = _with_usual(question, form, None, None)
        with find_daemon(config, socket) as daemon:
            answer = daemon.query(question)
    if form == "json":
        write(answer)
    elif form == "table":
        from tracegist.cli._table import show_table  # noqa: PLC0415

        show_table(Answer.from_json(answer))
    else:
        write(Answer.from_json(answer).text)
    return code


def _with_usual(question: Query, form: Form, budget: int | None, encoding: str | None) -> Query:
    """Fill in what no option says."""
    return msgspec.structs.replace(
        question,
        budget=question.budget or (_ALL if form in ("json", "csv") else budget),
        encoding=question.encoding or encoding,
    )
