"""``POST /query`` and ``GET /traces/{id}``: questions to the engine, answered as text, or as JSON for who accepts it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import anyio
import anyio.to_thread
import msgspec
from starlette.responses import Response

from tracegist.errors import QueryError, TokenBudgetExceeded, TraceNotFound
from tracegist.query import Query, facts_as_configured
from tracegist.server.answers import Refusal, json_answer, wants_json

if TYPE_CHECKING:
    from starlette.requests import Request

    from tracegist._engine import Engine
    from tracegist.publish import Publisher
    from tracegist.server.body import Bodies

__all__ = ["Questions"]

# As for summaries: worker threads are left to the pipeline, however many ask.
_AT_ONCE: Final = 2
_TYPES: Final = {"text": "text/plain; charset=utf-8", "csv": "text/csv; charset=utf-8"}
_NUMBERS: Final = ("budget", "limit")


class _Shown(msgspec.Struct):
    text: str


class _Asked(msgspec.Struct):
    format: str | None = None


class Questions:
    """Puts questions to an engine.

    :param engine: answers them
    :param publisher: says of which window the summary is
    :param bodies: reads them
    """

    def __init__(self, engine: Engine, publisher: Publisher, bodies: Bodies) -> None:
        self._engine = engine
        self._publisher = publisher
        self._bodies = bodies
        self._limiter = anyio.CapacityLimiter(_AT_ONCE)

    async def query(self, request: Request) -> Response:
        """Answer the question in a body."""
        with self._bodies.room() as room:
            question = await self._bodies.read(request, room)
        return await self._answer(request, self._as_configured(question or b"{}"))

    async def trace(self, request: Request) -> Response:
        """Show the tree of a trace; the parameters are fields of a query."""
        fields: dict[str, str | int] = {}
        for name, text in request.query_params.multi_items():
            if name not in Query.__struct_fields__ or name in {"what", "of"}:
                msg = f"unknown parameter {name!r}; known: budget, encoding, limit, cursor, format"
                raise Refusal(HTTPStatus.BAD_REQUEST, msg)
            if name in _NUMBERS and not (text.isascii() and text.isdecimal()):
                raise Refusal(HTTPStatus.BAD_REQUEST, f"{name}: {text[:80]!r} is no number such as 100")
            fields[name] = int(text) if name in _NUMBERS else text
        question = msgspec.json.encode({**fields, "what": "trace", "of": request.path_params["trace"]})
        return await self._answer(request, question)

    def _as_configured(self, question: bytes) -> bytes:
        try:
            fields = msgspec.json.decode(question)
        except msgspec.DecodeError:
            return question  # the engine says better what is wrong with it
        if not isinstance(fields, dict):
            return question
        usual = self._publisher.summary
        return msgspec.json.encode(facts_as_configured(fields, window=usual.window, baseline=usual.baseline))

    async def _answer(self, request: Request, question: bytes) -> Response:
        try:
            answer = await anyio.to_thread.run_sync(self._engine.query, question, limiter=self._limiter)
        except QueryError as error:
            details = {"field": error.field, "text": error.text, "at": error.at, "suggestion": error.suggestion}
            kind = QueryError.__name__
            raise Refusal(HTTPStatus.BAD_REQUEST, str(error), kind=kind, details=details) from None
        except TokenBudgetExceeded as error:
            raise Refusal(HTTPStatus.BAD_REQUEST, str(error), kind=TokenBudgetExceeded.__name__) from None
        except TraceNotFound as error:
            raise Refusal(HTTPStatus.NOT_FOUND, str(error), kind=TraceNotFound.__name__) from None
        if wants_json(request):
            return json_answer(answer)
        # The engine has read it: it is an object, and its format is a known one.
        form = msgspec.json.decode(question, type=_Asked).format or "text"
        return Response(msgspec.json.decode(answer, type=_Shown).text, media_type=_TYPES[form])
