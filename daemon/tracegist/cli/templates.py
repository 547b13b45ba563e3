"""``tracegist templates``: the constant part of every log message of a file, and what varies in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from tracegist.cli._options import Paths, check_paths
from tracegist.cli._output import safe, write

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["templates"]

_MANY: Final = 20
_PERCENT: Final = 10


def templates(
    file: Paths,
    /,
    *,
    values: Annotated[
        Literal["text", "json"] | None,
        Parameter(help="The templates instead, the most frequent first, with the values of their variables."),
    ] = None,
    most: Annotated[int, Parameter(validator=Number(gte=0), metavar="N", help="Values to tell of each variable.")] = 5,
) -> None:
    """Print the template of each log message of a file.

    The file has one message a line; the answer, in the same order, one JSON
    object a line with the id and the text of its template. Variable parts are
    written <*>; messages of one template have one id.

    With --values, each template comes once, with the number of its messages
    and, for each <*> in order, the values it takes most, how many there are,
    and the range where they are numbers. Of more than 1,000 messages of one
    build they are those of a sample, taken evenly.

    Examples:
        tracegist templates messages.log
        tracegist templates messages.log --values text
        journalctl -o cat -n 10000 | tracegist templates - | sort | uniq -c

    :param file: The file, or - for standard input.
    """
    from tracegist import _engine  # noqa: PLC0415
    from tracegist.cli._reading import read_whole  # noqa: PLC0415

    (path,) = check_paths([file], templates)
    data = read_whole(path)
    if not data:
        return
    if values is None:
        write(_engine.templates(data))
        return
    found = _engine.template_values(data, most=most)
    write(found if values == "json" else "\n".join(_lines([json.loads(line) for line in found.splitlines()])))


def _lines(found: list[dict[str, Any]]) -> Iterator[str]:
    width = max(len(f"{template['messages']:,}") for template in found)
    for template in found:
        yield f"{template['messages']:>{width},}  {safe(template['template'])}"
        for number, slot in enumerate(template["slots"], 1):
            about = "about " if template["sampled"] < template["messages"] else ""
            yield f"{'':{width}}  {number:>3}  {_slot(slot, about)}"


def _slot(slot: dict[str, Any], about: str) -> str:
    parts = [f"{_quoted(share['value'])} {_percent(share['share'])}" for share in slot["values"]]
    if slot["distinct"] == 1:
        parts = [_quoted(share["value"]) for share in slot["values"]]
    # Where hardly any value comes twice, one more or less often says nothing.
    elif slot["distinct"] > _MANY and slot["values"] and slot["values"][0]["share"] * slot["distinct"] < _PERCENT:
        parts = [_quoted(share["value"]) for share in slot["values"][:1]]
        parts.append("…")
    told = ", ".join(parts)
    if slot["distinct"] > len(slot["values"]) or "…" in parts:
        told += f"; {about}{slot['distinct']:,} different"
    if slot["range"] and slot["distinct"] > 1:
        told += "; {min:.15g} to {max:.15g}, half below {median:.15g}".format(**slot["range"])
    return told


def _quoted(value: str) -> str:
    return (
        safe(value) if value and value == value.strip() and "," not in value else json.dumps(value, ensure_ascii=False)
    )


def _percent(share: float) -> str:
    return f"{100 * share:.2g}%" if share < 1 / _PERCENT else f"{100 * share:.0f}%"
