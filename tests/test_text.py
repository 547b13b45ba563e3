"""What lies in files beside plain lines of UTF-8: other encodings and line ends, NUL bytes, lines without an end."""

from __future__ import annotations

import gzip
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from tailing import Rig, records
from tracegist.sources import Position
from tracegist.sources._reader import Reading, RecordReader

pytestmark = pytest.mark.anyio

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufeff"), max_size=30)


@pytest.fixture
def anyio_backend() -> str:
    """The daemon runs on asyncio."""
    return "asyncio"


def lines(data: bytes) -> list[bytes]:
    """Lines with their ends; what may end a line of other texts is none here."""
    return [line + b"\n" for line in data.split(b"\n")[:-1]]


@given(
    lines_=st.lists(TEXT.map(lambda text: text.replace("\n", " ")), min_size=1, max_size=30),
    encoding=st.sampled_from(["utf-16-le", "utf-16-be"]),
    steps=st.lists(st.integers(1, 60), min_size=1, max_size=8),
    packed=st.booleans(),
)
@example(
    lines_=["\u0a00\u000a".replace("\n", "x"), "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")] * 9,
    encoding="utf-16-le",
    steps=[3],
    packed=False,
)
async def test_utf16__grows_by_any_bytes_and_is_opened_anew__the_same_text(
    lines_: list[str], encoding: str, steps: list[int], *, packed: bool
) -> None:
    """What is read is UTF-8, whole characters and whole lines, wherever the bytes were cut and reading began anew."""
    text = "".join(f"{line}\n" for line in lines_)
    raw = "\ufeff".encode(encoding) + text.encode(encoding)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "app.log"
        reading = Reading(format="text", block=64)
        position: dict[str, Position] = {}
        found = b""
        written = 0
        while written < len(raw):
            written = min(len(raw), written + steps[written % len(steps)])
            path.write_bytes(gzip.compress(raw[:written]) if packed else raw[:written])
            reader = RecordReader.begin(str(path), reading, position)
            reader.ended = False
            while not reader.ended:
                found += reader.next()
            position = {"app": reader.position(str(path))}
            reader.close()
            assert found.endswith(b"\n") or not found
    assert found == text.encode()


async def test_crlf__records_once_and_whole(tmp_path: Path) -> None:
    """A carriage return belongs to the end of its line, also where the newline comes later."""
    log = tmp_path / "app.log"
    data = records(1, 2, 3).replace(b"\n", b"\r\n")
    log.write_bytes(data[:-1])
    rig = Rig(tmp_path)
    async with rig.running():
        await rig.until(lambda: len(rig.lines) == 2)
        with log.open("ab") as file:
            file.write(data[-1:])
        await rig.until(lambda: len(rig.lines) == 3)
    assert b"".join(rig.data.values()) == data


async def test_nul_bytes__hole_of_copytruncate__passed_over(tmp_path: Path) -> None:
    """A writer that keeps its place leaves a hole when its file is truncated; what it writes behind it counts."""
    log = tmp_path / "app.log"
    rig = Rig(tmp_path)
    with log.open("wb", buffering=0) as file:
        async with rig.running():
            file.write(records(1, 2))
            await rig.expect(1, 2)
            os.truncate(log, 0)
            file.write(records(3))
            await rig.expect(1, 2, 3)
        file.write(records(4))
        async with rig.running():
            await rig.expect(1, 2, 3, 4)


async def test_nul_bytes__within_a_line__left_there(tmp_path: Path) -> None:
    """A NUL byte ends nothing."""
    log = tmp_path / "app.log"
    log.write_bytes(b"one\0two\nthree\0\nfour\n")
    rig = Rig(tmp_path, format="text")
    async with rig.running():
        await rig.until(lambda: len(rig.lines) == 3)
    assert rig.lines == [b"one\0two\n", b"three\0\n", b"four\n"]


async def test_line_over_the_limit__cut_and_what_follows_is_whole(tmp_path: Path) -> None:
    """A line without an end is not waited for beyond the limit, and memory stays within it."""
    log = tmp_path / "app.log"
    log.write_bytes(records(1) + b"x" * 100_000)
    rig = Rig(tmp_path, block=1024, max_record=4096)
    with capture_logs():
        async with rig.running():
            await rig.until(lambda: sum(map(len, rig.data.values())) >= 96_000)
            with log.open("ab") as file:
                file.write(b"y" * 5000 + b"\n" + records(2))
            await rig.until(lambda: records(2) in b"".join(rig.data.values()))
    (data,) = rig.data.values()
    assert data == log.read_bytes()
