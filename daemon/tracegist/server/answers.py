"""What the server says when it cannot do what was asked: what was found, and what to do, as text or as JSON."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import msgspec
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

__all__ = ["Refusal", "json_answer", "refuse", "wants_json"]

_JSON: Final = "application/json"


class Refusal(Exception):
    """Raised when a request is answered with an error; the message says what was found and what to do.

    :param status: the HTTP status
    :param message: one line
    :param kind: the name of the error in :mod:`tracegist.errors`, for clients that raise it again
    :param details: what else the error says
    """

    def __init__(
        self,
        status: HTTPStatus,
        message: str,
        *,
        kind: str = "TracegistError",
        headers: Mapping[str, str] | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.headers = dict(headers or {})
        self.details = dict(details or {})


def wants_json(request: Request) -> bool:
    """Tell whether the client asked for JSON; ``curl`` accepts anything and gets what is easiest to read."""
    kinds = [part.partition(";")[0].strip() for part in request.headers.get("accept", "").split(",")]
    return any(kind == _JSON or kind.endswith("+json") for kind in kinds)


def json_answer(
    content: object, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with an object, or with bytes that are JSON already; a newline at the end keeps a terminal's prompt apart."""
    body = content if isinstance(content, bytes) else msgspec.json.encode(content)
    return Response(body.rstrip(b"\n") + b"\n", status_code=status, headers=headers, media_type=_JSON)


def refuse(request: Request, refusal: Refusal) -> Response:
    """Answer with an error: as text where the answer would have been text, as JSON anywhere else."""
    if request.url.path.startswith(("/summary", "/query", "/traces")) and not wants_json(request):
        return Response(f"{refusal.message}\n", refusal.status, refusal.headers, "text/plain; charset=utf-8")
    answer = {"type": refusal.kind, "status": int(refusal.status), "error": refusal.message, **refusal.details}
    return json_answer(answer, refusal.status, refusal.headers)
