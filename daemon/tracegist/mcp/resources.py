"""The summary as a resource, and word of each newer one to those who have asked for it.

Protocols before 2026-07-28 subscribe a session (`resources/subscribe`); that one opens a stream of its own
(`subscriptions/listen`), which the protocol's package serves from a bus. Both are told here, and nobody watches the account
while nobody listens.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import anyio
import anyio.lowlevel
import msgspec
import structlog
from mcp.server import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import ResourceUpdated, ServerEvent
from mcp_types import (
    INVALID_PARAMS,
    EmptyResult,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    SubscribeRequestParams,
    TextResourceContents,
    UnsubscribeRequestParams,
)

from tracegist.errors import TracegistError
from tracegist.mcp.account import Account
from tracegist.mcp.evidence import Evidence, evidence
from tracegist.mcp.summarize import Summarize, summarize

__all__ = ["SUMMARY", "Updates", "read_resource", "resources", "templates"]

SUMMARY: Final = "tracegist://summary"
_EVIDENCE: Final = "tracegist://evidence/"
_MARKDOWN: Final = "text/markdown"
_PLAIN: Final = "text/plain"
# A client may read it again each time it is told, and pay for it.
_PACE: Final = 5.0
_RETRY: Final = 2.0


def resources() -> list[Resource]:
    """Describe what can be read."""
    return [
        Resource(
            uri=SUMMARY,
            name="summary",
            title="What is wrong on this host",
            description="The account of the last minutes, as trace.summarize gives it; can be subscribed to.",
            mime_type=_MARKDOWN,
        )
    ]


def templates() -> list[ResourceTemplate]:
    """Describe what can be read by a number."""
    return [
        ResourceTemplate(
            uri_template=f"{_EVIDENCE}{{id}}",
            name="evidence",
            title="The raw events behind #id",
            mime_type=_PLAIN,
        )
    ]


class _Text(msgspec.Struct):
    text: str


async def read_resource(
    account: Account, updates: Updates, context: ServerRequestContext[Any, Any], params: ReadResourceRequestParams
) -> ReadResourceResult:
    """Give the text of a resource.

    :param updates: told of what was read
    :raises MCPError: if there is no such resource, or it cannot be had
    """
    uri = str(params.uri)
    number = uri.removeprefix(_EVIDENCE)
    if uri != SUMMARY and number == uri:
        msg = f"there is no resource {uri[:80]!r}; there are {SUMMARY} and {_EVIDENCE}12"
        raise MCPError(INVALID_PARAMS, msg, data={"uri": uri})
    try:
        await account.prepare(context.session.report_progress, anew=uri == SUMMARY)
        if uri == SUMMARY:
            updates.note_read(msgspec.json.decode(await account.summary({}), type=_Text).text)
            text = (await summarize(account, Summarize())).text
        else:
            text = (await evidence(account, Evidence(id=number))).text
    except (TracegistError, ValueError) as error:
        raise MCPError(INVALID_PARAMS, str(error), data={"uri": uri}) from None
    kind = _MARKDOWN if uri == SUMMARY else _PLAIN
    return ReadResourceResult(contents=[TextResourceContents(uri=uri, mime_type=kind, text=text)])


class Updates:
    """Tells those who listen that there is a newer summary: at once, and then at most once in a few seconds.

    It is the protocol package's bus (`mcp.server.subscriptions.SubscriptionBus`) at the same time.

    :param account: what is watched
    :param pace: seconds between two words of a change at least
    """

    def __init__(self, account: Account, *, pace: float = _PACE) -> None:
        self._account = account
        self._pace = pace
        self._listeners: dict[object, Callable[[ServerEvent], None]] = {}
        self._sessions: dict[str, ServerRequestContext[Any, Any]] = {}
        self._changed = anyio.Event()
        self._fresh = anyio.Event()
        self._newest = ""
        self._said: str | None = None
        self._log = structlog.stdlib.get_logger(__name__)

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners) + len(self._sessions)

    async def publish(self, event: ServerEvent) -> None:
        """Tell everyone."""
        for listener in list(self._listeners.values()):
            listener(event)
        if isinstance(event, ResourceUpdated):
            async with anyio.create_task_group() as tasks:
                for context in list(self._sessions.values()):
                    tasks.start_soon(_send, context, event.uri, self._pace)
        await anyio.lowlevel.checkpoint()

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        """Add a stream; what is returned takes it away again."""
        token = object()
        self._listeners[token] = listener
        self._note()

        def unsubscribe() -> None:
            self._listeners.pop(token, None)
            self._note()

        return unsubscribe

    async def subscribe_session(
        self, context: ServerRequestContext[Any, Any], params: SubscribeRequestParams
    ) -> EmptyResult:
        """Add a session of an older protocol, until it ends.

        :raises MCPError: if the resource never changes, or there is none
        """
        if str(params.uri) != SUMMARY:
            msg = f"{str(params.uri)[:80]!r} does not change; {SUMMARY} can be subscribed to"
            raise MCPError(INVALID_PARAMS, msg)
        key = _session(context)
        self._sessions[key] = context
        # The package has no other way to tell when a session ends.
        context.session._connection.exit_stack.callback(self._leave, key)  # noqa: SLF001
        self._note()
        return EmptyResult()

    async def unsubscribe_session(
        self,
        context: ServerRequestContext[Any, Any],
        params: UnsubscribeRequestParams,  # noqa: ARG002 - there is one resource to be subscribed to
    ) -> EmptyResult:
        """Take a session away again."""
        self._leave(_session(context))
        return EmptyResult()

    async def run(self) -> None:
        """Watch the account while somebody listens, until cancelled."""
        while True:
            while not self.listeners:
                await self._changed.wait()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._follow)
                tasks.start_soon(self._tell)
                while self.listeners:
                    await self._changed.wait()
                tasks.cancel_scope.cancel()

    def note_read(self, text: str) -> None:
        """Remember what was read: whoever subscribes behind it is told of anything else."""
        self._said = _body(text)

    async def _follow(self) -> None:
        """Keep the newest; if there is none to be had, try again."""
        while True:
            try:
                async for text in self._account.updates():
                    self._newest = text
                    self._fresh.set()
            except TracegistError as error:
                # The daemon is away, and may come back.
                self._log.debug("mcp.not_followed", reason=str(error))
            await anyio.sleep(_RETRY)

    async def _tell(self) -> None:
        """Tell of the newest if it says anything else, and then let it be for a while."""
        while True:
            await self._fresh.wait()
            self._fresh = anyio.Event()
            news, said = _body(self._newest), self._said
            self._said = news
            if said not in (None, news):
                await self.publish(ResourceUpdated(SUMMARY))
                await anyio.sleep(self._pace)

    def _leave(self, key: str) -> None:
        self._sessions.pop(key, None)
        self._note()

    def _note(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()


def _session(context: ServerRequestContext[Any, Any]) -> str:
    """Name a session as its transport does; on standard input and output there is one."""
    headers = getattr(context.request, "headers", {})
    return str(headers.get("mcp-session-id", ""))


async def _send(context: ServerRequestContext[Any, Any], uri: str, patience: float) -> None:
    """Tell one session; one that does not listen must not keep the others waiting."""
    with anyio.move_on_after(patience):
        await context.session.send_resource_updated(uri)


def _body(text: str) -> str:
    """Leave out the first line: it has the time in it, and changes though nothing happens."""
    return text.partition("\n")[2]
