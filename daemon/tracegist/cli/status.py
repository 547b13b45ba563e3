"""``tracegist status``: how the daemon is."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tracegist.cli._options import ConfigFile, OutputFormat, Socket
from tracegist.cli._output import write

__all__ = ["status"]


def status(*, format: OutputFormat = "text", config: ConfigFile = None, socket: Socket = None) -> None:
    """Say how the daemon is: what it reads, what was lost.

    Examples:
        tracegist status
        tracegist status --format json | jq .ledger

    :param format: An outline, or the JSON object that the daemon answers with.
    """
    from tracegist.cli._daemon import find_daemon  # noqa: PLC0415

    with find_daemon(config, socket) as daemon:
        answer = daemon.status()
    write(answer if format == "json" else "\n".join(_lines(json.loads(answer))))


def _lines(value: object, indent: str = "") -> Iterator[str]:
    """Lay nested objects out as an outline, one value a line; what is empty is left out."""
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = [("-", item) for item in value]
    else:
        yield f"{indent}{value}"
        return
    for key, item in pairs:
        if item in ({}, [], "", None):
            continue
        if isinstance(item, dict | list):
            yield f"{indent}{key}" if key == "-" else f"{indent}{key}:"
            yield from _lines(item, f"{indent}  ")
        else:
            yield f"{indent}{key} {item}" if key == "-" else f"{indent}{key}: {item}"
