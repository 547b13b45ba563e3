"""Options that several verbs share: their types, how they are read, and their help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

from cyclopts import Parameter
from cyclopts.validators import Number

from tracegist._config.units import Duration
from tracegist.cli._failure import Usage

if TYPE_CHECKING:
    from cyclopts import Token

__all__ = [
    "Baseline",
    "Budget",
    "ConfigFile",
    "Encoding",
    "Focus",
    "OutputFormat",
    "Paths",
    "Sections",
    "Socket",
    "Source",
    "Window",
    "Zone",
    "check_paths",
]


# The engine would count further, but no model reads further.
_LARGEST_BUDGET: Final = 1_000_000_000


def _duration(_: type, tokens: Sequence[Token]) -> Duration:
    return Duration.parse(tokens[0].value)


def _no_instant(_: type, value: Duration | None) -> None:
    if value == 0:
        msg = "nothing happens in no time"
        raise ValueError(msg)


# A lone "-" is a path here, and only this setting lets one through; `check_paths` refuses options that come with it.
# Every path is read as text, which a Path would shorten; that it may be one makes shells complete the names of files.
Paths: TypeAlias = Annotated[str | Path, Parameter(allow_leading_hyphen=True)]
Budget: TypeAlias = Annotated[
    int | None,
    Parameter(
        validator=Number(gte=1, lte=_LARGEST_BUDGET),
        metavar="TOKENS",
        help="Tokens the text may take, counted exactly as tiktoken counts them.",
    ),
]
Encoding: TypeAlias = Annotated[
    str | None, Parameter(metavar="NAME", help="Vocabulary that tokens are counted with: o200k_base or cl100k_base.")
]
Window: TypeAlias = Annotated[
    Duration | None,
    Parameter(
        converter=_duration,
        validator=_no_instant,
        metavar="DURATION",
        help="Time up to the newest event that the summary speaks of: 300s, 5m, 1h30m.",
    ),
]
Baseline: TypeAlias = Annotated[
    Duration | None,
    Parameter(converter=_duration, metavar="DURATION", help="Time before the window to compare it with."),
]
Focus: TypeAlias = Annotated[
    str | None, Parameter(metavar="TEXT", help="Only what has this text in its service, operation or message.")
]
Sections: TypeAlias = Annotated[
    list[str] | None,
    Parameter(name="--section", negative=(), metavar="NAME", help="Only this section; may be given again."),
]
OutputFormat: TypeAlias = Annotated[
    Literal["text", "json"], Parameter(help="Plain text, or one JSON object on one line.")
]
ConfigFile: TypeAlias = Annotated[
    Path | None, Parameter(name="--config", metavar="FILE", help="Configuration file; see: tracegist config --help.")
]
Source: TypeAlias = Annotated[
    str | None,
    Parameter(metavar="NAME", help="Read the files as this source of the configuration is read: format, zone, fields."),
]
Zone: TypeAlias = Annotated[
    str | None,
    Parameter(
        metavar="ZONE", help="Time zone of times that say none, such as Europe/Berlin; that of this host if not given."
    ),
]
Socket: TypeAlias = Annotated[
    Path | None, Parameter(metavar="PATH", help="The daemon's socket, if not the configured one.")
]


def check_paths(paths: Sequence[str | Path], verb: Callable[..., Any]) -> list[str]:
    """Refuse options that were mistaken for paths, and name the option that was meant.

    :return: the paths, as they were written
    :raises Usage: if a path begins with a hyphen
    """
    written = [str(path) for path in paths]
    for path in written:
        if path.startswith("-") and path != "-":
            from difflib import get_close_matches  # noqa: PLC0415 - only an error needs it

            known = [f"--{name.replace('_', '-')}" for name in verb.__annotations__]
            close = get_close_matches(path.split("=")[0], known, n=1)
            meant = f"; did you mean {close[0]}?" if close else f"; a file of that name is ./{path}"
            msg = f"unknown option {path}{meant}"
            raise Usage(msg)
    if written.count("-") > 1:
        msg = 'standard input can be read once: "-" was given more than once'
        raise Usage(msg)
    return written
