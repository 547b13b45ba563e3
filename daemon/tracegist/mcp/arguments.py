"""The arguments of a tool, read strictly: a misspelt one must not pass for an answer that took it into account."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

from tracegist.config import Duration

__all__ = ["read"]

_T = TypeVar("_T", bound=Struct)

_UNKNOWN: Final = re.compile(r"Object contains unknown field `([^`]*)`")
_MISSING: Final = re.compile(r"Object missing required field `([^`]*)`")
_AT: Final = re.compile(r"(.*?) - at `\$\.?([^`]*)`", re.DOTALL)


def read(arguments: Mapping[str, Any], kind: type[_T]) -> _T:
    """Read what a model wrote; a number that it wrote as a text is a number all the same.

    :raises ValueError: if an argument is unknown, missing or of no use; the message says which, and what there is
    """
    try:
        return msgspec.convert(dict(arguments), kind, strict=False, dec_hook=_unit)
    except msgspec.ValidationError as error:
        raise ValueError(_explain(str(error), kind.__struct_fields__)) from None


def _unit(kind: type, value: object) -> object:
    if kind is not Duration:
        msg = f"no way to read a {kind.__name__}"
        raise NotImplementedError(msg)
    return Duration.parse(str(value))


def _explain(text: str, known: tuple[str, ...]) -> str:
    if found := _UNKNOWN.match(text):
        close = get_close_matches(found[1], known, n=1, cutoff=0.6)
        hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
        return f"unknown argument {found[1][:80]!r}; {hint}"
    if found := _MISSING.match(text):
        return f"{found[1]} is missing"
    if found := _AT.fullmatch(text):
        return f"{found[2]}: {found[1][:1].lower()}{found[1][1:]}"
    return text
