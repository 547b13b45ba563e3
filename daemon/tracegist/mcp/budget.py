"""Answers that fit: as text, and as the JSON that many clients show to the model in its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import msgspec

from tracegist import _engine

__all__ = ["Answer", "Budget", "longest", "tame"]

Budget: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
"""Tokens of an answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool says.

    Clients give a model the text, or the structured content, which is written as compact JSON then: each says all there is
    to say, and neither takes more than the budget.

    :param text: in plain lines
    :param content: the same as an object
    """

    text: str
    content: Mapping[str, Any]

    def tokens(self, encoding: str) -> int:
        """Tell how many tokens the larger of the two takes, exactly as tiktoken counts them.

        A large budget makes this long: it belongs on a worker thread.
        """
        json = msgspec.json.encode(self.content).decode()
        return max(_engine.count_tokens(self.text, encoding), _engine.count_tokens(json, encoding))


def longest(length: int, fits: Callable[[int], bool]) -> int:
    """Find the greatest length, up to `length`, that fits, given that every shorter one fits too; -1 if not even 0 does."""
    low, high = -1, length
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return low


def tame(text: str) -> str:
    """Keep what strangers wrote from steering a terminal, or a model that takes special tokens for its own."""
    shown = "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in text)
    return shown.replace("<|", "< |").replace("|>", "| >")
