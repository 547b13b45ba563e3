"""Talk to a running daemon over its Unix socket.

>>> from tracegist.client import Client
>>> with Client("/nowhere/tracegist.sock") as client:
...     client.status()
Traceback (most recent call last):
tracegist.errors.DaemonUnreachable: no daemon answers on /nowhere/tracegist.sock: No such file or directory; ...
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from tracegist.errors import DaemonUnreachable, QueryError, TokenBudgetExceeded, TracegistError, TraceNotFound

if TYPE_CHECKING:
    import httpx

    from tracegist.config import Duration
    from tracegist.query import Query

__all__ = ["Client"]

_ERRORS: Final[dict[str, type[Exception]]] = {error.__name__: error for error in (TokenBudgetExceeded, TraceNotFound)}


class Client:
    """A connection to one daemon; a context manager.

    :param socket: the daemon's Unix socket
    :param timeout: seconds to wait for an answer
    """

    def __init__(self, socket: Path | str, *, timeout: float = 30.0) -> None:
        self.socket = Path(socket)
        self._timeout = timeout
        self._http: httpx.Client | None = None

    def __enter__(self) -> Self:
        """Make ready; nothing is sent before the first question."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the connection."""
        if self._http is not None:
            self._http.close()
            self._http = None

    def summary(
        self,
        *,
        budget: int | None = None,
        encoding: str | None = None,
        window: Duration | None = None,
        baseline: Duration | None = None,
        focus: str | None = None,
        sections: Sequence[str] | None = None,
    ) -> bytes:
        """Ask for a summary; what is None is as the daemon is configured.

        :return: UTF-8 JSON, the object that :meth:`tracegist._engine.Engine.summary` returns
        :raises TokenBudgetExceeded: if the header alone does not fit the budget
        :raises ValueError: if the encoding or a section is unknown, or a number is out of range
        :raises DaemonUnreachable: if no daemon answers
        """
        query: dict[str, str | list[str]] = {}
        for name, value in (
            ("budget", budget),
            ("encoding", encoding),
            ("window", window),
            ("baseline", baseline),
            ("focus", focus),
        ):
            if value is not None:
                query[name] = str(value)
        if sections:
            query["section"] = list(sections)
        return self._get("/summary", query)

    def status(self) -> bytes:
        """Ask how the daemon is.

        :return: UTF-8 JSON
        :raises DaemonUnreachable: if no daemon answers
        """
        return self._get("/status")

    def query(self, question: Query | bytes) -> bytes:
        """Put a question.

        :param question: its fields, or the JSON object of them
        :return: UTF-8 JSON, the object that :meth:`tracegist._engine.Engine.query` returns
        :raises QueryError: if a word makes no sense, or asks for what was never kept
        :raises TokenBudgetExceeded: if not even one row fits the budget
        :raises TraceNotFound: if what is asked for is not there, or not any more
        :raises DaemonUnreachable: if no daemon answers
        """
        content = question if isinstance(question, bytes) else question.to_json()
        return self._ask("POST", "/query", content=content, headers={"Content-Type": "application/json"})

    def evidence(self, number: int) -> bytes:
        """Ask for the raw events behind ``#number``.

        :return: UTF-8 JSON, the object that :meth:`tracegist._engine.Engine.evidence` returns
        :raises TraceNotFound: if the number was never given, or its events have expired
        :raises DaemonUnreachable: if no daemon answers
        """
        return self._get(f"/evidence/{number}")

    def _get(self, path: str, query: Mapping[str, str | list[str]] | None = None) -> bytes:
        return self._ask("GET", path, params=query)

    def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | list[str]] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        http = self._http or self._connect()
        import httpx  # noqa: PLC0415 - takes longer to import than most questions to answer

        try:
            response = http.request(method, path, params=params, content=content, headers=headers)
        except httpx.TimeoutException:
            msg = f"the daemon on {self.socket} has not answered for {self._timeout:g}s"
            raise DaemonUnreachable(msg) from None
        except httpx.TransportError as error:
            msg = f"the daemon on {self.socket} did not answer in HTTP: {error}"
            raise DaemonUnreachable(msg) from None
        if response.is_error:
            raise _refusal(response) from None
        return response.content

    def _connect(self) -> httpx.Client:
        """Knock first: the socket's own error says more than what comes out of layers above, and comes at once."""
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(self._timeout)
            try:
                probe.connect(str(self.socket))
            except (OSError, ValueError) as error:
                raise DaemonUnreachable(_unreachable(self.socket, error)) from None

        import httpx  # noqa: PLC0415

        self._http = httpx.Client(
            # There is no TLS on a Unix socket, and reading the certificates of all the world takes a tenth of a second.
            transport=httpx.HTTPTransport(uds=str(self.socket), verify=False),
            trust_env=False,
            base_url="http://tracegist",
            timeout=self._timeout,
            headers={"Accept": "application/json"},
        )
        return self._http


def _unreachable(path: Path, error: OSError | ValueError) -> str:
    reason = (isinstance(error, OSError) and error.strerror) or str(error)
    advice = "start one with: tracegist run"
    if isinstance(error, PermissionError):
        advice = "its file mode and group say who may connect"
    elif isinstance(error, ConnectionRefusedError):
        advice = "the one that made it has stopped; start one with: tracegist run"
    return f"no daemon answers on {path}: {reason}; {advice}"


def _refusal(response: httpx.Response) -> Exception:
    """Make what was raised there: an error of tracegist's own, or a ValueError for a question that makes no sense."""
    try:
        answer = json.loads(response.content)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        answer = {}
    if answer.get("type") == QueryError.__name__:
        return _query_error(answer)
    message = str(answer.get("error") or response.text.strip() or response.reason_phrase)
    kind = _ERRORS.get(str(answer.get("type")))
    if kind is None:
        kind = ValueError if response.status_code == HTTPStatus.BAD_REQUEST else TracegistError
    return kind(message)


def _query_error(answer: Mapping[str, object]) -> QueryError:
    text, at, suggestion = answer.get("text"), answer.get("at"), answer.get("suggestion")
    return QueryError(
        str(answer.get("error")),
        str(answer.get("field") or ""),
        text if isinstance(text, str) else "",
        at if isinstance(at, int) else 0,
        suggestion if isinstance(suggestion, str) else None,
    )
