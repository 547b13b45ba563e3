"""``trace.query``: rows that fit a budget as lines and as JSON, and a cursor that goes on behind them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import anyio.to_thread
import msgspec
from msgspec import Struct

from tracegist.errors import TokenBudgetExceeded
from tracegist.mcp.account import Account
from tracegist.mcp.budget import Answer, longest

__all__ = ["query"]

_NUMBERS: Final = ("budget", "limit")
_PLAIN: Final = {"text", "count", "evidence", "time", "trace", "digits", "number"}
_ROUNDS: Final = 8


class _Column(Struct):
    name: str
    unit: str


class _Exactness(Struct):
    notes: list[str]


class _Found(Struct):
    text: str
    tokens: int
    budget: int
    encoding: str
    columns: list[_Column]
    rows: list[list[str | int | float | None]]
    totals: list[str | int | float | None]
    total_rows: int
    position: int
    left_out: int
    cursor: str | None
    exactness: _Exactness

    def in_words(self) -> Answer:
        """Put the text into an object. How much is left out stands in the text."""
        return Answer(self.text, {"text": self.text, **({} if self.cursor is None else {"cursor": self.cursor})})

    def in_rows(self) -> Answer:
        """Put the rows of the text into an object: no names twice, and nothing that is empty."""
        content: dict[str, Any] = {}
        # What the first lines say of all rows: of when, compared with what, how exact.
        if about := [line.removeprefix("# ") for line in self.text.split("\n")[:1] if line.startswith("# ")]:
            content["about"] = about[0]
        content["columns"] = [column.name for column in self.columns]
        if units := {column.name: column.unit for column in self.columns if column.unit not in _PLAIN}:
            content["units"] = units
        content["rows"] = [_short(row) for row in self.rows]
        content["total_rows"] = self.total_rows
        if self.total_rows > 1 and any(total is not None for total in self.totals):
            content["totals"] = _short(self.totals)
        if self.exactness.notes:
            content["notes"] = self.exactness.notes
        return Answer(self.text, {**content, **self._rest()})

    def _rest(self) -> dict[str, Any]:
        return {} if self.cursor is None else {"left_out": self.left_out, "cursor": self.cursor}


async def query(account: Account, arguments: Mapping[str, Any]) -> Answer:
    """Answer a question; its fields are those of :meth:`tracegist._engine.Engine.query`.

    Where the budget is too small for a row as JSON, the object has the lines in it.

    :raises QueryError: if a word makes no sense, or asks for what was never kept
    :raises TokenBudgetExceeded: if not even one row fits
    :raises TraceNotFound: if what is asked for is not there, or not any more
    """
    asked = {name: _number(value) if name in _NUMBERS else value for name, value in arguments.items()}
    if asked.get("encoding") is None:
        asked["encoding"] = await account.encoding()
    found = msgspec.json.decode(await account.query(asked), type=_Found)
    budget = found.budget
    write = _Found.in_rows
    for _ in range(_ROUNDS):
        answer = write(found)
        over = await anyio.to_thread.run_sync(answer.tokens, found.encoding) - budget
        if over <= 0:
            return answer
        if write == _Found.in_words:
            again = {"budget": max(found.tokens - over, 1)}
        elif fewer := await anyio.to_thread.run_sync(_fewer, found, budget):
            again = {"limit": fewer}
        else:
            # Not even one row has room: lines from here on, which take less.
            write, again = _Found.in_words, {}
        try:
            found = msgspec.json.decode(await account.query({**asked, **again}), type=_Found)
        except TokenBudgetExceeded:
            break
    msg = f"a budget of {budget} tokens is too small for this answer as JSON: ask for {budget + over} or more"
    raise TokenBudgetExceeded(msg)


def _fewer(found: _Found, budget: int) -> int:
    """Tell how many of the rows fit as JSON, with the cursor behind them; 0 if none does."""

    def fits(count: int) -> bool:
        cursor = found.cursor or "00000-000000-000000"
        left_out = found.left_out + len(found.rows) - count
        page = msgspec.structs.replace(found, rows=found.rows[:count], left_out=left_out, cursor=cursor)
        return Answer("", page.in_rows().content).tokens(found.encoding) <= budget

    return max(longest(len(found.rows) - 1, fits), 0)


def _short(row: list[str | int | float | None]) -> list[str | int | float | None]:
    """Write fractions in four significant digits: more of them cost tokens and say nothing."""
    return [float(f"{value:.4g}") if isinstance(value, float) else value for value in row]


def _number(value: object) -> object:
    """Read a number that a model wrote as a text."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() else value
