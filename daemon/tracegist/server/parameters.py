"""The parameters of ``/summary``, read strictly: a misspelt one must not pass for a summary that took it into account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from tracegist.config import Duration
from tracegist.server.answers import Refusal

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["read_parameters"]

_LONGEST_TEXT: Final = 1000


def read_parameters(request: Request) -> dict[str, Any]:
    """Read what is asked for beyond the defaults, as keyword arguments of :meth:`tracegist._engine.Engine.summary`.

    ``section`` may be given again, or name several with commas between them.

    :raises Refusal: if a parameter is unknown, unreadable or given twice
    """
    asked: dict[str, Any] = {}
    for name, text in request.query_params.multi_items():
        read = _READERS.get(name)
        if read is None:
            raise Refusal(HTTPStatus.BAD_REQUEST, f"unknown parameter {name!r}; known: {', '.join(_READERS)}")
        if name in asked and name != "section":
            raise Refusal(HTTPStatus.BAD_REQUEST, f"{name} was given twice")
        try:
            value = read(text)
        except ValueError as error:
            raise Refusal(HTTPStatus.BAD_REQUEST, f"{name}: {error}") from None
        asked[name] = [*asked.get(name, ()), *value] if name == "section" else value
    if "section" in asked:
        asked["sections"] = asked.pop("section")
    return asked


def _budget(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text)):
        msg = f"{text[:80]!r} is no number of tokens such as 1000"
        raise ValueError(msg)
    return int(text)


def _window(text: str) -> int:
    window = Duration.parse(text)
    if not window:
        msg = "nothing would fall into a window of 0"
        raise ValueError(msg)
    return int(window)


def _baseline(text: str) -> int:
    return int(Duration.parse(text))


def _text(text: str) -> str:
    if len(text) > _LONGEST_TEXT:
        msg = f"longer than {_LONGEST_TEXT} characters"
        raise ValueError(msg)
    return text


def _sections(text: str) -> list[str]:
    return [part for part in _text(text).split(",") if part]


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "budget": _budget,
    "encoding": _text,
    "window": _window,
    "baseline": _baseline,
    "focus": _text,
    "section": _sections,
}
