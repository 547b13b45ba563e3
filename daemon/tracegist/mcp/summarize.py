"""``trace.summarize``: the account of a host, within a budget."""

from __future__ import annotations

import re
from typing import Any, Final

import anyio.to_thread
import msgspec
from msgspec import Struct

from tracegist import _engine
from tracegist.config import Duration
from tracegist.errors import TokenBudgetExceeded
from tracegist.mcp.account import Account
from tracegist.mcp.budget import Answer, Budget

__all__ = ["Summarize", "summarize"]

_ROUNDS: Final = 8
_COMMAND: Final = re.compile(r"tracegist query --section (\S+)(?=\n\Z)")


class Summarize(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be asked; None is as configured."""

    budget: Budget | None = None
    window: Duration | None = None
    baseline: Duration | None = None
    focus: str | None = None
    sections: list[str] | str | None = None
    encoding: str | None = None

    def asked(self) -> dict[str, Any]:
        """Return it as keyword arguments of the engine.

        :raises ValueError: if the window has no length
        """
        if self.window == 0:
            msg = "window is 0: nothing would fall into it; give a length such as 5m"
            raise ValueError(msg)
        values = ((name, getattr(self, name)) for name in self.__struct_fields__)
        asked = {
            name: int(value) if isinstance(value, Duration) else value for name, value in values if value is not None
        }
        if isinstance(self.sections, str):
            asked["sections"] = [section.strip() for section in self.sections.split(",") if section.strip()]
        return asked


class _Summary(Struct):
    text: str
    tokens: int
    budget: int
    encoding: str
    left_out: int


async def summarize(account: Account, asked: Summarize) -> Answer:
    """Give the account.

    :raises TokenBudgetExceeded: if the header alone does not fit
    :raises ValueError: if the encoding or a section is unknown
    """
    options = asked.asked()
    found = _read(await account.summary(options), asked.window)
    budget, allowed = found.budget, found.budget
    for _ in range(_ROUNDS):
        answer = Answer(found.text, {"text": found.text, "tokens": found.tokens, "left_out": found.left_out})
        over = await anyio.to_thread.run_sync(answer.tokens, found.encoding) - budget
        if over <= 0:
            return answer
        allowed = min(allowed, found.tokens) - over
        try:
            found = _read(await account.summary({**options, "budget": max(allowed, 1)}), asked.window)
        except TokenBudgetExceeded:
            break
    msg = f"a budget of {budget} tokens is too small for this answer as JSON: ask for {budget + over} or more"
    raise TokenBudgetExceeded(msg)


def _read(data: bytes, window: Duration | None) -> _Summary:
    found = msgspec.json.decode(data, type=_Summary)
    # The last line names the command that goes on; here it is a tool.
    since = "" if window is None else f" since {window}"
    text = _COMMAND.sub(rf"trace.query what facts where section=\1{since}", found.text)
    if text != found.text:
        found.text, found.tokens = text, _engine.count_tokens(text, found.encoding)
    return found
