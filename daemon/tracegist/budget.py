"""Share a budget of tokens: among the items of a queue, and between a summary and the other parts of a prompt."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import anyio
import anyio.lowlevel

from tracegist import _engine
from tracegist.errors import TokenBudgetExceeded

if TYPE_CHECKING:
    from tracegist.analysis import Analysis, TraceAnalyzer

__all__ = ["BudgetAwareSummarizer", "TokenBudgetQueue"]

T = TypeVar("T")

_PLACEHOLDER: Final = "{summary}"


class TokenBudgetQueue(Generic[T]):
    """A queue of at most so many tokens: who puts waits until what was taken has made room.

    Items leave in the order in which they came, and a large one that waits is not overtaken by small ones.

    >>> import anyio
    >>> from tracegist import TokenBudgetQueue
    >>> async def program():
    ...     queue = TokenBudgetQueue[str](budget=100)
    ...     await queue.put("checkout waits on payment")
    ...     queue.close()
    ...     return [item async for item in queue]
    >>> anyio.run(program)
    ['checkout waits on payment']

    :param budget: tokens that may lie in the queue at once
    :param count: tells the tokens of an item; None counts ``str(item)`` exactly as tiktoken does
    :param encoding: whose tokens, where `count` is None
    :raises ValueError: if the budget is not positive or the encoding is unknown
    """

    def __init__(self, budget: int, *, count: Callable[[T], int] | None = None, encoding: str = "o200k_base") -> None:
        if budget < 1:
            msg = f"budget is {budget}: a queue needs at least 1 token"
            raise ValueError(msg)
        _engine.count_tokens("", encoding)
        self.budget = budget
        self._count = count or (lambda item: _engine.count_tokens(str(item), encoding))
        self._items: deque[tuple[T, int]] = deque()
        self._turns: deque[object] = deque()
        self._tokens = 0
        self._closed = False
        self._changed = anyio.Event()

    @property
    def tokens(self) -> int:
        """Tokens that lie in the queue now."""
        return self._tokens

    def __len__(self) -> int:
        """Return how many items lie in the queue now."""
        return len(self._items)

    async def put(self, item: T) -> None:
        """Add an item, when there is room for it.

        :raises TokenBudgetExceeded: if it is larger than the whole budget
        :raises ValueError: if the queue is closed, or its count is negative
        """
        tokens = self._count(item)
        if tokens < 0:
            msg = f"an item cannot have {tokens} tokens"
            raise ValueError(msg)
        if tokens > self.budget:
            msg = f"an item of {tokens} tokens never fits a queue of {self.budget}: at least {tokens} are needed"
            raise TokenBudgetExceeded(msg)
        await anyio.lowlevel.checkpoint()
        turn = object()
        self._turns.append(turn)
        try:
            while not self._closed and (self._turns[0] is not turn or self._tokens + tokens > self.budget):
                await self._changed.wait()
            if self._closed:
                msg = "the queue is closed"
                raise ValueError(msg)
            self._items.append((item, tokens))
            self._tokens += tokens
        finally:
            # Whether it went in or was given up, the next in line may go.
            self._turns.remove(turn)
            self._notify()

    async def get(self) -> T:
        """Take the oldest item, when there is one.

        :raises anyio.EndOfStream: if the queue is closed and empty
        """
        await anyio.lowlevel.checkpoint()
        while not self._items:
            if self._closed:
                raise anyio.EndOfStream
            await self._changed.wait()
        item, tokens = self._items.popleft()
        self._tokens -= tokens
        self._notify()
        return item

    def close(self) -> None:
        """Take no more items; what lies in the queue can still be taken."""
        self._closed = True
        self._notify()

    def _notify(self) -> None:
        """Wake all who wait, to look again."""
        self._changed.set()
        self._changed = anyio.Event()

    def __aiter__(self) -> AsyncIterator[T]:
        """Take items until the queue is closed and empty."""
        return self

    async def __anext__(self) -> T:
        """Take the oldest item, when there is one."""
        try:
            return await self.get()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None


class BudgetAwareSummarizer:
    r"""A summary that shares one budget with the other parts of a prompt.

    >>> from tracegist import Analyzer, BudgetAwareSummarizer, Event
    >>> analyzer = Analyzer()
    >>> analyzer.feed(Event(kind="log", service="cart", level="error", message="no route to redis"))
    1
    >>> summarizer = BudgetAwareSummarizer(analyzer, budget=400)
    >>> prompt = summarizer.prompt("You are on call. Here is what happened:\n{summary}\nWhat do you do first?")
    >>> "redis" in prompt
    True

    :param analyzer: what gives the account
    :param budget: tokens of all parts together
    :param encoding: whose tokens; it must be the analyzer's
    :raises ValueError: if the encoding is unknown
    """

    def __init__(self, analyzer: TraceAnalyzer, *, budget: int, encoding: str = "o200k_base") -> None:
        _engine.count_tokens("", encoding)
        self.analyzer = analyzer
        self.budget = budget
        self.encoding = encoding
        self._reserved = 0

    @property
    def remaining(self) -> int:
        """Tokens left for the summary."""
        return self.budget - self._reserved

    def reserve(self, part: str | int) -> int:
        """Set tokens aside for another part of the prompt, given as its text or as a number.

        :return: how many
        :raises TokenBudgetExceeded: if they are not left
        """
        tokens = part if isinstance(part, int) else _engine.count_tokens(part, self.encoding)
        if tokens > self.remaining:
            msg = f"{tokens} tokens cannot be set aside: {self.remaining} of {self.budget} are left"
            raise TokenBudgetExceeded(msg)
        self._reserved += tokens
        return tokens

    def release(self, tokens: int) -> None:
        """Give back tokens that were set aside.

        :raises ValueError: if so many were not
        """
        if not 0 <= tokens <= self._reserved:
            msg = f"{tokens} tokens cannot be given back: {self._reserved} are set aside"
            raise ValueError(msg)
        self._reserved -= tokens

    def analysis(self, *, focus: str | None = None) -> Analysis:
        """Give the account in the tokens that are left.

        :raises TokenBudgetExceeded: if the header alone does not fit them
        """
        return self.analyzer.analysis(budget=self.remaining, focus=focus)

    def prompt(self, template: str, *, focus: str | None = None) -> str:
        """Put the summary in the place of ``{summary}``, so that the whole takes at most the tokens that are left.

        :raises ValueError: if the template has no ``{summary}``
        :raises TokenBudgetExceeded: if the template leaves too little for the header
        """
        before, found, after = template.partition(_PLACEHOLDER)
        if not found:
            msg = f"the template has no {_PLACEHOLDER}"
            raise ValueError(msg)
        budget = self.remaining - _engine.count_tokens(before + after, self.encoding)
        while True:
            if budget < 1:
                msg = f"the template leaves no token of {self.remaining} for a summary"
                raise TokenBudgetExceeded(msg)
            whole = f"{before}{self.analyzer.analysis(budget=budget, focus=focus).text}{after}"
            over = _engine.count_tokens(whole, self.encoding) - self.remaining
            if over <= 0:
                return whole
            # Tokens may merge or part where texts meet, so the sum is off by a few.
            budget -= over
