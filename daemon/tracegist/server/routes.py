"""The routes: what each answers, and from what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.to_thread
import msgspec
from starlette.responses import Response
from starlette.routing import Route

from tracegist.errors import TokenBudgetExceeded, TraceNotFound
from tracegist.server.answers import Refusal, json_answer, refuse, wants_json
from tracegist.server.body import Bodies
from tracegist.server.ingest import Ingest, Inlet
from tracegist.server.otlp import Otlp
from tracegist.server.parameters import read_parameters
from tracegist.server.questions import Questions
from tracegist.server.stream import stream_summaries

if TYPE_CHECKING:
    from starlette.requests import Request

    from tracegist._engine import Engine
    from tracegist.publish import Publisher

__all__ = ["Backend", "make_otlp_routes", "make_routes"]

_LONGEST_IDLE: Final = 30.0
# Renderings for requests must leave worker threads to the pipeline, however many requests there are.
_RENDERINGS: Final = 2
_TEXT: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """What the routes answer from.

    :param engine: for summaries that differ from the default, and for evidence
    :param publisher: for the default summary and its stream
    :param status: collects what ``/status`` says
    :param inlet: finds what takes the pushes of a source; a :class:`SourceError` says why nothing does at the moment
    :param largest: bytes of a pushed body at most
    """

    engine: Engine
    publisher: Publisher
    status: Callable[[], Awaitable[Mapping[str, object]]]
    inlet: Callable[[str], Inlet | None]
    largest: int


class _Text(msgspec.Struct):
    text: str


def make_routes(backend: Backend) -> list[Route]:
    """Bind the routes to what they answer from."""
    bodies = Bodies(largest=backend.largest)
    answers = _Answers(backend, bodies)
    questions = Questions(backend.engine, backend.publisher, bodies)
    return [
        Route("/summary", _guarded(answers.summary)),
        Route("/summary/stream", _guarded(answers.stream)),
        Route("/status", _guarded(answers.status)),
        Route("/healthz", _guarded(answers.health)),
        Route("/openapi.json", _guarded(answers.description)),
        Route("/query", _guarded(questions.query), methods=["POST"]),
        Route("/traces/{trace}", _guarded(questions.trace)),
        Route("/evidence/{number}", _guarded(answers.evidence)),
        Route("/ingest/{source:path}", _guarded(answers.ingest), methods=["POST"]),
        *make_otlp_routes(backend, bodies),
    ]


def make_otlp_routes(backend: Backend, bodies: Bodies | None = None) -> list[Route]:
    """Bind the routes that any OpenTelemetry SDK knows: these alone are there over TCP."""
    otlp = Otlp(bodies or Bodies(largest=backend.largest), backend.inlet)
    return [
        Route("/v1/traces", otlp.traces, methods=["POST"]),
        Route("/v1/logs", otlp.logs, methods=["POST"]),
        Route("/v1/metrics", otlp.metrics, methods=["POST"]),
    ]


def _guarded(answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def guarded(request: Request) -> Response:
        try:
            return await answer(request)
        except Refusal as refusal:
            return refuse(request, refusal)

    return guarded


class _Answers:
    def __init__(self, backend: Backend, bodies: Bodies) -> None:
        self._backend = backend
        self._ingest = Ingest(bodies)
        self._renderings = anyio.CapacityLimiter(_RENDERINGS)

    async def summary(self, request: Request) -> Response:
        asked = read_parameters(request)
        latest = self._backend.publisher.latest
        if asked or latest is None:
            rendered = await self._render(asked)
        elif wants_json(request):
            rendered = latest.json
        else:
            return Response(latest.text, media_type=_TEXT)
        if wants_json(request):
            return json_answer(rendered)
        return Response(msgspec.json.decode(rendered, type=_Text).text, media_type=_TEXT)

    async def stream(self, request: Request) -> Response:
        if request.query_params:
            msg = "the stream takes no parameters: it is the summary as configured; GET /summary takes them"
            raise Refusal(HTTPStatus.BAD_REQUEST, msg)
        if request.method == "HEAD":  # the stream itself has no end to wait for
            return Response(media_type="text/event-stream")
        return stream_summaries(self._backend.publisher, json=wants_json(request))

    async def status(self, request: Request) -> Response:  # noqa: ARG002 - every route is given its request
        return json_answer(dict(await self._backend.status()))

    async def health(self, request: Request) -> Response:  # noqa: ARG002 - every route is given its request
        idle = self._backend.publisher.idle
        if idle > _LONGEST_IDLE:
            return Response(
                f"stuck: nothing published for {idle:.0f}s\n", HTTPStatus.SERVICE_UNAVAILABLE, media_type=_TEXT
            )
        notices = self._backend.publisher.notices
        return Response("".join(f"{line}\n" for line in ["ok", *notices]), media_type=_TEXT)

    async def description(self, request: Request) -> Response:  # noqa: ARG002 - every route is given its request
        from tracegist.server.openapi import describe  # noqa: PLC0415 - few ask for it

        return json_answer(describe())

    async def evidence(self, request: Request) -> Response:
        number = request.path_params["number"].removeprefix("#")
        if not (number.isascii() and number.isdecimal()):
            msg = (
                f"{number!r} is no number of evidence: ask for the digits behind a # of the summary, as in /evidence/12"
            )
            raise Refusal(HTTPStatus.BAD_REQUEST, msg)
        try:
            found = await anyio.to_thread.run_sync(self._backend.engine.evidence, int(number), limiter=self._renderings)
        except (TraceNotFound, OverflowError) as error:
            msg = str(error) if isinstance(error, TraceNotFound) else f"there is no evidence #{number}"
            raise Refusal(HTTPStatus.NOT_FOUND, msg, kind=TraceNotFound.__name__) from None
        return json_answer(found)

    async def ingest(self, request: Request) -> Response:
        taken = await self._ingest.take(request, self._backend.inlet)
        answer: dict[str, object] = {"source": request.path_params["source"], "bytes": taken.bytes}
        if taken.duplicate:
            return json_answer({**answer, "duplicate": True})
        return json_answer(answer, HTTPStatus.ACCEPTED)

    async def _render(self, asked: Mapping[str, Any]) -> bytes:
        publisher = self._backend.publisher
        try:
            return await anyio.to_thread.run_sync(publisher.render, publisher.notices, asked, limiter=self._renderings)
        except TokenBudgetExceeded as error:
            raise Refusal(HTTPStatus.BAD_REQUEST, str(error), kind=TokenBudgetExceeded.__name__) from None
        except (ValueError, OverflowError) as error:
            raise Refusal(HTTPStatus.BAD_REQUEST, str(error)) from None
