"""Count tokens exactly as tiktoken does, with no network: the vocabularies are built into the engine."""

from __future__ import annotations

from functools import cache
from math import ceil, isfinite
from typing import TYPE_CHECKING, Final

from tracegist import _engine

if TYPE_CHECKING:
    import tiktoken

__all__ = ["TokenCounter", "tiktoken_encoding"]

# What tiktoken_ext.openai_public says besides the ranks, which it would download; test_tokens compares the two.
_PATTERNS: Final = {
    "cl100k_base": (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
        r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
    ),
    "o200k_base": (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
}
_SPECIAL: Final = {
    "cl100k_base": {
        "<|endoftext|>": 100257,
        "<|fim_prefix|>": 100258,
        "<|fim_middle|>": 100259,
        "<|fim_suffix|>": 100260,
        "<|endofprompt|>": 100276,
    },
    "o200k_base": {"<|endoftext|>": 199999, "<|endofprompt|>": 200018},
}


class TokenCounter:
    """Tokens of text in one encoding; text that looks like a special token counts as the ordinary text it is.

    >>> from tracegist import TokenCounter
    >>> counter = TokenCounter()
    >>> counter.count("checkout waits on payment")
    4
    >>> counter.truncate("checkout waits on payment", 3)
    'checkout waits on'

    For a model whose vocabulary is not public, an encoding and a factor make an estimate, and say so:

    >>> other = TokenCounter("o200k_base*1.2")
    >>> other.count("checkout waits on payment"), other.is_estimate
    (5, True)

    :param encoding: ``o200k_base`` or ``cl100k_base``, or one of them with a factor, such as ``o200k_base*1.2``
    :raises ValueError: if the encoding is unknown, or the factor is not a positive number
    """

    __slots__ = ("encoding", "factor")

    encoding: str
    """The encoding whose tokens are counted."""

    factor: float
    """What an exact count is multiplied by: 1, unless the count is an estimate for another model."""

    def __init__(self, encoding: str = "o200k_base") -> None:
        name, times, factor = encoding.partition("*")
        _engine.count_tokens("", name)
        self.encoding = name
        self.factor = _factor(factor, encoding) if times else 1.0

    @property
    def is_estimate(self) -> bool:
        """Whether counts are estimates for another model's tokens."""
        return self.factor != 1

    def count(self, text: str) -> int:
        """Tokens of `text`: exact, or rounded up where it is an estimate."""
        return ceil(_engine.count_tokens(_whole(text), self.encoding) * self.factor)

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`, as ``tiktoken.Encoding.encode_ordinary`` gives them.

        :raises ValueError: if counts are estimates: the ids of the other model are not known
        """
        if self.is_estimate:
            msg = f"{self!r} estimates the number of tokens: which they are is known for {self.encoding!r} alone"
            raise ValueError(msg)
        return _engine.split_tokens(_whole(text), self.encoding)

    def truncate(self, text: str, budget: int) -> str:
        """Longest prefix of `text`, cut between words where one ends near, that takes at most `budget` tokens.

        :raises ValueError: if the budget is negative
        """
        if budget < 0:
            msg = f"budget is {budget}: it cannot be negative"
            raise ValueError(msg)
        allowed = int(budget / self.factor)
        # The quotient is rounded: count() decides.
        while ceil(allowed * self.factor) > budget:
            allowed -= 1
        return _engine.truncate(_whole(text), allowed, self.encoding)

    def tiktoken(self) -> tiktoken.Encoding:
        """Make tiktoken's own object for this encoding, for code that expects one; see :func:`tiktoken_encoding`."""
        return tiktoken_encoding(self.encoding)

    def __repr__(self) -> str:
        """Return the call that makes an equal counter."""
        return f"TokenCounter({self.encoding + (f'*{self.factor:g}' if self.is_estimate else '')!r})"


@cache
def tiktoken_encoding(name: str) -> tiktoken.Encoding:
    """Make a ``tiktoken.Encoding`` from the vocabulary that is built in; nothing is downloaded.

    :param name: ``o200k_base`` or ``cl100k_base``
    :return: the same object for the same name; the first takes about a second
    :raises ValueError: if the encoding is unknown
    """
    ranks = {token: rank for rank, token in enumerate(_engine.vocabulary(name))}
    import tiktoken  # noqa: PLC0415 - nothing else needs it, and it takes long to import

    return tiktoken.Encoding(name, pat_str=_PATTERNS[name], mergeable_ranks=ranks, special_tokens=_SPECIAL[name])


def _factor(text: str, encoding: str) -> float:
    try:
        factor = float(text)
    except ValueError:
        factor = 0
    if not (isfinite(factor) and factor > 0):
        msg = f"{encoding!r} has no positive number after the *: write for example 'o200k_base*1.2'"
        raise ValueError(msg)
    return factor


def _whole(text: str) -> str:
    """Replace lone surrogates, which no UTF-8 can hold, in the way of tiktoken."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
