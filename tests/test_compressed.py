"""Compressed files: what is in them, whatever the pieces, and a word about where they cannot be read."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from shutil import which

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracegist.sources import _compressed
from tracegist.sources._compressed import HEAD, Coding, DamagedError, Decompressor, EndsEarlyError, coding_of

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

COMPRESS: dict[Coding, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    # The command writes a checksum unless told not to, the library only when asked.
    "zstd": lambda data: zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1}),
    "xz": lambda data: lzma.compress(data, preset=1),
    "bzip2": bz2.compress,
}
CODINGS: tuple[Coding, ...] = ("gzip", "zstd", "xz", "bzip2")
codings = pytest.mark.parametrize("coding", CODINGS)


def opened(data: bytes, coding: Coding) -> Decompressor:
    """Begin to read compressed bytes."""
    assert coding_of(data[:HEAD]) == coding
    return Decompressor(io.BytesIO(data).read, coding, "a file")


def lines(number: int) -> bytes:
    """Text that compresses as logs do."""
    chance = random.Random(number)
    return b"".join(b"%d request took %d ms\n" % (one, chance.randrange(10_000)) for one in range(number))


def take_all(reader: Decompressor, into: list[bytes], size: int = 1 << 16) -> None:
    """Read to the end, or to where it cannot be read any further."""
    while data := reader.read(size):
        into.append(data)


def all_of(reader: Decompressor) -> bytes:
    """Read to the end."""
    found: list[bytes] = []
    take_all(reader, found)
    return b"".join(found)


@given(st.sampled_from(CODINGS), st.lists(st.binary(max_size=300), min_size=1, max_size=4), st.integers(1, 500))
def test_decompressor__members_in_pieces__their_bytes(coding: Coding, members: list[bytes], size: int) -> None:
    """Members that follow one another are one text, in blocks of the size that was asked for."""
    reader = opened(b"".join(map(COMPRESS[coding], members)), coding)
    whole = b"".join(members)
    found = []
    while block := reader.read(size):
        found.append(block)
    assert b"".join(found) == whole
    assert all(len(block) == size for block in found[:-1])
    assert reader.offset == len(whole)


@codings
def test_decompressor__skip__goes_on_there(coding: Coding) -> None:
    """An offset is reached by decompressing; one beyond the end is told by where it stopped."""
    data = lines(20_000)
    for offset in (0, 1, 100_000, len(data)):
        reader = opened(COMPRESS[coding](data), coding)
        reader.skip(offset)
        assert reader.offset == offset
        assert all_of(reader) == data[offset:]
    reader = opened(COMPRESS[coding](data), coding)
    reader.skip(len(data) + 1)
    assert reader.offset == len(data)


@codings
def test_decompressor__cut__ends_early_and_goes_on_when_it_has_grown(coding: Coding, tmp_path: Path) -> None:
    """A file that ends in the middle is told apart from a damaged one, and read on once there is more of it."""
    data = lines(20_000)
    packed = COMPRESS[coding](data)
    path = tmp_path / "growing"
    for cut in (0, 1, HEAD - 3, len(packed) // 2, len(packed) - 1):
        path.write_bytes(packed[:cut])
        with path.open("rb") as file:
            reader = Decompressor(file.read, coding, "a file")
            found: list[bytes] = []
            with pytest.raises(EndsEarlyError, match=r"a file: ends .* still being written, or was cut off"):
                take_all(reader, found)
            with pytest.raises(EndsEarlyError):
                reader.read(1)
            assert data.startswith(b"".join(found))
            with path.open("ab") as more:
                more.write(packed[cut:])
            assert b"".join(found) + all_of(reader) == data


@codings
def test_decompressor__damaged__what_came_before_and_why(coding: Coding) -> None:
    """Damage is named with its place; what could be read before it is given out, the same however it is read."""
    whole = lines(60_000)
    half = len(whole) // 2
    packed = bytearray(COMPRESS[coding](whole[:half]) + COMPRESS[coding](whole[half:]))
    middle = len(COMPRESS[coding](whole[:half]))
    packed[middle + 200 : middle + 220] = bytes(20)
    found = []
    for size in (7, 700, 1 << 20):
        reader = opened(bytes(packed), coding)
        reader.skip(half)
        text: list[bytes] = []
        with pytest.raises(DamagedError, match=rf"a file: its {coding} data cannot be read near byte \d+ .* anew"):
            take_all(reader, text, size)
        with pytest.raises(DamagedError):
            reader.read(1)
        found.append(b"".join(text))
        assert reader.offset == half + len(found[-1])
    assert found[0] == found[1] == found[2]


@codings
def test_decompressor__rubbish_behind_the_end__damaged(coding: Coding) -> None:
    """What follows the last member and is none is not passed over in silence."""
    reader = opened(COMPRESS[coding](b"text\n") + b"rubbish", coding)
    assert reader.read(100) == b"text\n"
    with pytest.raises(DamagedError, match=f"what follows is not {coding}"):
        reader.read(100)


@pytest.mark.parametrize("coding", ["gzip", "xz"])
def test_decompressor__padded_with_zeros__read(coding: Coding) -> None:
    """Tapes and `tar` pad with zeros; both formats allow it."""
    packed = COMPRESS[coding](b"one\n") + bytes(512) + COMPRESS[coding](b"two\n") + bytes(512)
    assert all_of(opened(packed, coding)) == b"one\ntwo\n"


@given(st.sampled_from(CODINGS), st.data())
def test_decompressor__any_bytes__bytes_or_a_clear_error(coding: Coding, data: st.DataObject) -> None:
    """Whatever is changed in a file, reading it ends: with bytes, or with one of two errors."""
    packed = bytearray(COMPRESS[coding](lines(50)))
    for _ in range(data.draw(st.integers(1, 4))):
        packed[data.draw(st.integers(0, len(packed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    reader = Decompressor(io.BytesIO(bytes(packed)).read, coding, "a file")
    try:
        all_of(reader)
    except (DamagedError, EndsEarlyError) as error:
        assert "a file" in str(error)  # noqa: PT017 - it need not be raised


@codings
def test_decompressor__bomb__memory_stays(coding: Coding) -> None:
    """A gigabyte out of a few bytes is given out in pieces, and never held."""
    bomb = COMPRESS[coding](bytes(32 << 20)) * 4
    reader = opened(bomb, coding)
    tracemalloc.start()
    try:
        for _ in range(32):
            assert len(reader.read(1 << 20)) == 1 << 20
        assert tracemalloc.get_traced_memory()[1] < 24 << 20
    finally:
        tracemalloc.stop()


def test_decompressor__window_beyond_the_limit__refused() -> None:
    """A frame that would need gigabytes to be read says so."""
    parameters: dict[int, int] = {zstd.CompressionParameter.window_log: 30}
    compressor = zstd.ZstdCompressor(options=parameters)
    packed = compressor.compress(lines(1000)) + compressor.flush()
    with pytest.raises(DamagedError, match="memory"):
        opened(packed, "zstd").read(1)


def test_coding_of__other_files__none() -> None:
    """Text is no compressed file, whatever its name; nor is a skippable frame anything but zstd."""
    for head in (b"", b"\x1f", b"BZ", b"{}\n", b"PK\x03\x04", b"\x28\xb5"):
        assert coding_of(head) is None
    assert coding_of(b"\x5a\x2a\x4d\x18\0\0") == "zstd"


@pytest.mark.parametrize(
    ("command", "coding"), [("gzip", "gzip"), ("zstd", "zstd"), ("xz", "xz"), ("bzip2", "bzip2")], ids=CODINGS
)
def test_decompressor__what_commands_write__read(command: str, coding: Coding, tmp_path: Path) -> None:
    """Files as the usual commands write them, appended to one another."""
    program = which(command)
    if program is None:
        pytest.skip(f"{command} is not installed")
    path = tmp_path / "log"
    path.write_bytes(lines(5000))
    packed = subprocess.run([program, "-c", path], check=True, capture_output=True).stdout
    assert all_of(opened(packed + packed, coding)) == lines(5000) * 2


def test_decompressor__pieces__of_one_size() -> None:
    """Damage gives the same bytes each time only because reads are of one size."""
    sizes = []

    def read(size: int) -> bytes:
        sizes.append(size)
        return b""

    with pytest.raises(EndsEarlyError):
        Decompressor(read, "gzip", "a file").read(1)
    assert sizes == [_compressed._PACKED]
