"""``tracegist templates``: the constant part of every log message of a file."""

from __future__ import annotations

from tracegist.cli._options import Paths, check_paths
from tracegist.cli._output import write

__all__ = ["templates"]


def templates(file: Paths, /) -> None:
    """Print the template of each log message of a file.

    The file has one message a line; the answer, in the same order, one JSON
    object a line with the id and the text of its template. Variable parts are
    written <*>; messages of one template have one id.

    Examples:
        tracegist templates messages.log
        journalctl -o cat -n 10000 | tracegist templates - | sort | uniq -c

    :param file: The file, or - for standard input.
    """
    from tracegist import _engine  # noqa: PLC0415
    from tracegist.cli._reading import read_whole  # noqa: PLC0415

    (path,) = check_paths([file], templates)
    data = read_whole(path)
    if data:
        write(_engine.templates(data))
