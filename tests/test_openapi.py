"""The socket answers what its description says, whatever is asked: schemathesis makes up the questions."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.applications import Starlette

from tracegist._engine import Engine
from tracegist.config import Output, Summary
from tracegist.publish import Publisher
from tracegist.server.http import make_app
from tracegist.server.routes import Backend, make_routes

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ASKED = ["/summary", "/query", "/traces/{trace}", "/evidence/{number}", "/status", "/healthz"]
SPAN = (
    b'{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":'
    b'[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"00f067aa0ba902b7","name":"POST /pay","kind":2,'
    b'"startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000100000000","status":{"code":2}}]}]}]}\n'
)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Starlette]:
    """What the socket serves, of an engine that has seen a trace."""
    engine = Engine()
    engine.ingest("spans", SPAN, received=time.time_ns())
    publisher = Publisher(engine, Summary(budget=300), Output(folder=Path(tmp_path_factory.mktemp("out"))))

    async def status() -> Mapping[str, object]:
        return {"generation": engine.generation()}

    anyio.run(publisher.publish)
    backend = Backend(engine=engine, publisher=publisher, status=status, inlet=lambda _: None, largest=1 << 20)
    yield make_app(make_routes(backend))
    publisher.close()


@pytest.mark.parametrize("path", ASKED)
def test_openapi__any_request__answered_as_described(app: Starlette, path: str) -> None:
    """No request makes the server fail, and each answer has a status, a type and a shape that the description has."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    (operation,) = [operation for operation in operations if operation.path == path]

    @given(case=operation.as_strategy())
    @settings(
        max_examples=25,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(checks=CHECKS)

    ask()


def test_openapi__routes__all_described(app: Starlette) -> None:
    """What is served is described, save what is there for the protocols of others."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    served = {str(getattr(route, "path", "")).replace(":path", "") for route in app.routes}
    assert served - set(schema.raw_schema["paths"]) == {"/v1/metrics"}
    assert set(schema.raw_schema["paths"]) <= served
