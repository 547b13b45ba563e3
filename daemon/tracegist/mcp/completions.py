"""What could be meant while somebody fills in the argument of a prompt: the services of this host, usual lengths of time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from mcp_types import CompleteRequestParams, CompleteResult, Completion
from msgspec import Struct

from tracegist.errors import TracegistError
from tracegist.mcp.account import Account

__all__ = ["complete"]

# As many as the protocol lets an answer have.
_MOST: Final = 100
_LENGTHS: Final = ("1m", "5m", "15m", "30m", "1h")
# Services, those that do most first; of all that is kept, since one that is silent now can be meant too.
_SERVICES: Final[Mapping[str, Any]] = {
    "group_by": "service",
    "select": "count",
    "since": "all",
    "limit": 1000,
    "budget": 100_000,
}


class _Rows(Struct):
    rows: list[list[str | int | float | None]]


async def complete(account: Account, params: CompleteRequestParams) -> CompleteResult:
    """Propose values that contain what was typed, those that begin with it first."""
    typed = params.argument.value.casefold()
    known = await _known(account, params.argument.name)
    fitting = sorted(
        (value for value in known if typed in value.casefold()),
        key=lambda value: typed not in value[: len(typed)].casefold(),
    )
    return CompleteResult(
        completion=Completion(values=fitting[:_MOST], total=len(fitting), has_more=len(fitting) > _MOST)
    )


async def _known(account: Account, argument: str) -> list[str]:
    if argument == "since":
        return list(_LENGTHS)
    if argument != "service":
        return []
    try:
        rows = msgspec.json.decode(await account.query(_SERVICES), type=_Rows).rows
    except (TracegistError, ValueError):
        # Nobody is helped by an error in the middle of a word.
        return []
    return [row[0] for row in rows if isinstance(row[0], str)]
