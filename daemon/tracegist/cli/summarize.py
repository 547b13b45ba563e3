"""``tracegist summarize``: what happened, within a budget of tokens."""

from __future__ import annotations

import msgspec

from tracegist.cli._failure import Usage
from tracegist.cli._options import (
    Baseline,
    Budget,
    ConfigFile,
    Encoding,
    Focus,
    OutputFormat,
    Paths,
    Sections,
    Socket,
    Source,
    Window,
    Zone,
    check_paths,
)
from tracegist.cli._output import write

__all__ = ["summarize"]


class _Text(msgspec.Struct):
    """All that is wanted of the object where only its text is printed."""

    text: str


def summarize(
    *paths: Paths,
    budget: Budget = None,
    encoding: Encoding = None,
    window: Window = None,
    baseline: Baseline = None,
    focus: Focus = None,
    section: Sections = None,
    zone: Zone = None,
    source: Source = None,
    format: OutputFormat = "text",
    config: ConfigFile = None,
    socket: Socket = None,
) -> int:
    """Say what happened, within a budget of tokens.

    With paths, or - for standard input, it reads those alone and needs no
    daemon. Without, it asks the daemon. What no option says is as configured:
    1000 tokens of o200k_base, 5m against the hour before.

    Examples:
        tracegist summarize traces.jsonl app.log
        tracegist summarize *.jsonl --budget 2000 --window 180s --format json
        kubectl logs deploy/cart | tracegist summarize - --focus cart
        tracegist summarize --window 15m --section wrong

    :param paths: Files to read, whole; - is standard input.
    """
    files = check_paths(paths, summarize)
    code = 0
    if files:
        from tracegist.cli._dialect import dialect_of  # noqa: PLC0415
        from tracegist.cli._files import Question, summarize_files  # noqa: PLC0415
        from tracegist.config import load  # noqa: PLC0415

        settings = load(config).config
        usual = settings.summary
        question = Question(
            budget=budget or usual.budget,
            encoding=encoding or usual.encoding,
            window=window or usual.window,
            baseline=usual.baseline if baseline is None else baseline,
            focus=focus,
            sections=section,
        )
        answer, code = summarize_files(files, question, settings.engine, dialect_of(settings, source=source, zone=zone))
    else:
        from tracegist.cli._daemon import find_daemon  # noqa: PLC0415

        with find_daemon(config, socket) as daemon:
            try:
                answer = daemon.summary(
                    budget=budget, encoding=encoding, window=window, baseline=baseline, focus=focus, sections=section
                )
            except ValueError as error:
                raise Usage(str(error)) from None
    write(answer if format == "json" else msgspec.json.decode(answer, type=_Text).text)
    return code
