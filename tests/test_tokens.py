"""Token counts are tiktoken's own: ids compared one by one, on text that is hard on the splitter."""

from __future__ import annotations

import base64
import hashlib
import importlib
import random
from typing import TYPE_CHECKING

import pytest
import tiktoken

from tracegist import TokenCounter, _engine
from tracegist.tokens import tiktoken_encoding

if TYPE_CHECKING:
    from collections.abc import Iterator

ENCODINGS = ["cl100k_base", "o200k_base"]

# As tiktoken_ext.openai_public has them, of the files that tiktoken would download.
SHA256 = {
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
}

TEXT = r"""
a the I 'twas don't DON'T we'll WE'VE you're O'Reilly x'sY K8s getUserById HTTPServer parseJSONBody über naïve STRASSE
straße İstanbul ΣΊΣΥΦΟΣ привет Ὀδυσσεύς שלום مرحبا नमस्ते สวัสดี 你好世界 こんにちは カタカナ 한국어 ǅungla ʰa ªº
0xdeadbeef 4f1c9a77b0e3d2c8 3.14159 1,000,000 2024-03-09T14:02:33.123456Z 10.0.0.1:8080 ½ Ⅷ ٣٤٥ ₂ /api/v1/users?id=1
GET POST <*> --- ==> != && || ::: ... !!! /// \\ {"key":[null]} <|endoftext|> <|fim_prefix|> <|endofprompt|>
👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇩🇪 ☃
"""
WORDS = [*TEXT.split(), "e\u0301", "n\u0303\u0327"]
BLANKS = "\t\n\v\f\r \x85\xa0\u1680\u2003\u2028\u2029\u202f\u205f\u3000"
SPACES = [*BLANKS, *" \n\n", "\n\n", "\r\n", "  ", "   ", " \n ", "\n \n", "\t\t", " " * 17]
ODD = ["'s", "'S", "'\u017f", "'ll", "'lL", "'\u212a", "'re", "'vE", "'d", "'m", "'t", "''", "//", "/\n", "Ab", "aB"]
ODD += [*"'/_-.\"ABあー々\u0e33ǅʰ\u017f\u212a\u02bc\U0001d400\U00010400\U0001f600", "ABC", "0", "12", "345", "6789"]
ODD += [*"\0\x1b\x1c\x7f\u200b\u200d\ufeff\ufffd\ufe0f\u0300\u0301\u0345\u20dd\U000e0100", "\x1b[31m"]
POOLS = [WORDS, SPACES, ODD, WORDS + SPACES, SPACES + ODD, WORDS + ODD, WORDS + SPACES + ODD]
PLANES = [(0, 0x80), (0x80, 0x250), (0x250, 0x800), (0x800, 0xD800), (0xE000, 0x10000)]
PLANES += [(0x10000, 0x20000), (0x20000, 0x110000)]


def strings(seed: int, count: int) -> Iterator[str]:
    """Give `count` strings, the same for the same seed: words, odds and ends, ASCII noise, any characters, runs."""
    rng = random.Random(seed)
    for _ in range(count):
        length = 1 + int(rng.random() ** 2 * 24)
        match rng.randrange(10):
            case 0:
                yield bytes(byte & 0x7F for byte in rng.randbytes(length)).decode("ascii")
            case 1:
                yield "".join(chr(rng.randrange(*plane)) for plane in rng.choices(PLANES, k=length))
            case 2:
                yield "".join(atom * rng.choice([1, 2, 9, 60]) for atom in rng.choices(SPACES + ODD, k=1 + length // 6))
            case pool:
                yield "".join(rng.choices(POOLS[pool - 3], k=length))


def differences(encoding: str, texts: list[str]) -> list[str]:
    """Those of `texts` whose ids or number of tokens are not tiktoken's."""
    expected = tiktoken_encoding(encoding).encode_ordinary
    split, count = _engine.split_tokens, _engine.count_tokens
    return [
        text for text in texts if (ids := expected(text)) != split(text, encoding) or len(ids) != count(text, encoding)
    ]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_ids__100_000_strings__equal_tiktoken(encoding: str) -> None:
    """Every id is tiktoken's, and the count is their number."""
    assert differences(encoding, list(strings(20240309, 100_000))) == []


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_ids__each_character__equal_tiktoken(encoding: str) -> None:
    """Every character is of the class that tiktoken's Unicode tables give it, after a letter, a capital and a space."""
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    # Beyond plane 3 nearly nothing is assigned; what is (variation selectors, tags) starts there.
    texts = [f"a{char}Bc {char}D {char} {char}'s" for char in characters[:0x33800:7] + characters[0xDF800:0xDFA00]]
    assert differences(encoding, texts) == []


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_ids__pieces_without_a_seam__equal_tiktoken(encoding: str) -> None:
    """Long words, base64 and punctuation merge in the same order, on both sides of where the method changes."""
    rng = random.Random(7)
    alphabets = ["ab", "abcdefghijklmnopqrstuvwxyz", "ABCDEFabcdef", "-=", "あいうえおかきくけこ漢字", "é̂ß", "!?.,:;"]
    texts = ["".join(rng.choices(letters, k=size)) for letters in alphabets for size in [*range(90, 140), 1000, 5000]]
    assert differences(encoding, texts) == []


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_vocabulary__is_the_published_file(encoding: str) -> None:
    """Written out as tiktoken publishes them, the ranks have the published SHA-256."""
    tokens = _engine.vocabulary(encoding)
    text = b"".join(b"%s %d\n" % (base64.b64encode(token), rank) for rank, token in enumerate(tokens))
    assert hashlib.sha256(text).hexdigest() == SHA256[encoding]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_tiktoken_encoding__is_as_published(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pattern and special tokens are those of the installed tiktoken, whose own constructor would download."""
    openai_public = importlib.import_module("tiktoken_ext.openai_public")
    monkeypatch.setattr(openai_public, "load_tiktoken_bpe", lambda *_, **__: {})
    published = openai_public.ENCODING_CONSTRUCTORS[encoding]()
    ours = tiktoken_encoding(encoding)
    assert isinstance(ours, tiktoken.Encoding)
    assert vars(ours)["_pat_str"] == published["pat_str"]
    assert vars(ours)["_special_tokens"] == published["special_tokens"]
    assert ours.encode("<|endoftext|>", allowed_special="all") == [published["special_tokens"]["<|endoftext|>"]]
    assert TokenCounter(encoding).tiktoken() is ours


def test_count__special_token__ordinary_text() -> None:
    """What looks like a special token is counted as the characters it is made of."""
    assert TokenCounter().count("<|endoftext|>") == 7
    assert TokenCounter().encode("<|endoftext|>") == tiktoken_encoding("o200k_base").encode_ordinary("<|endoftext|>")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_count__a_million_of_one_character__no_overflow(encoding: str) -> None:
    """What overflows tiktoken's stack is counted, in no quadratic time."""
    assert _engine.count_tokens(" " * 1_000_000, encoding) == 7813
    assert _engine.count_tokens("a" * 1_000_000, encoding) == 125_000


def test_count__lone_surrogate__as_tiktoken() -> None:
    """What no UTF-8 can hold counts as the replacement character, as tiktoken has it."""
    text = "a\ud800b \udfff"
    assert TokenCounter().encode(text) == tiktoken_encoding("o200k_base").encode_ordinary(text)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_truncate__any_budget__fits_and_wastes_little(encoding: str) -> None:
    """The prefix fits by tiktoken's count, and unless it was cut between words, none longer does."""
    expected = tiktoken_encoding(encoding).encode_ordinary
    for text in strings(3, 2000):
        for budget in (0, 1, 2, 5, 13):
            kept = _engine.truncate(text, budget, encoding)
            assert text.startswith(kept)
            assert len(expected(kept)) <= budget
            if kept != text and not text[len(kept)].isspace():
                assert len(expected(text[: len(kept) + 1])) > budget


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_count__lines__additive(encoding: str) -> None:
    """The tokens of lines that end in a newline and start with neither / nor white space add up."""
    rng = random.Random(11)
    lines = [" ".join(text.splitlines()) + "\n" for text in strings(5, 20_000)]
    lines = [line for line in lines if line[0] != "/" and not line[0].isspace()]
    for start in range(0, len(lines) - 8, 4):
        some = lines[start : start + rng.randrange(2, 8)]
        together = tiktoken_encoding(encoding).encode_ordinary("".join(some))
        assert together == [token for line in some for token in _engine.split_tokens(line, encoding)]


def test_counter__factor__estimates_and_says_so() -> None:
    """An encoding with a factor rounds up, is labelled, and keeps within the budget by its own count."""
    counter = TokenCounter("o200k_base*1.2")
    assert (counter.count(""), counter.count("hello world")) == (0, 3)
    assert counter.is_estimate
    assert not TokenCounter().is_estimate
    assert repr(counter) == "TokenCounter('o200k_base*1.2')"
    for budget in range(40):
        assert (
            counter.count(counter.truncate("one two three four five six seven eight nine ten " * 3, budget)) <= budget
        )
    with pytest.raises(ValueError, match="estimates"):
        counter.encode("hello")


@pytest.mark.parametrize(
    "encoding", ["p50k_base", "", "*2", "o200k_base*", "o200k_base*x", "o200k_base*-1", "o200k_base*inf"]
)
def test_counter__unknown_encoding__says_what_there_is(encoding: str) -> None:
    """A name that is not shipped, or a factor that is no positive number, is refused by a message that helps."""
    with pytest.raises(ValueError, match=r"o200k_base"):
        TokenCounter(encoding)


def test_counter__negative_budget__refused() -> None:
    """A budget below zero is an error of the caller, not an empty text."""
    with pytest.raises(ValueError, match="-1"):
        TokenCounter().truncate("hello", -1)
