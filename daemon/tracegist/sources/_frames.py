"""Frames of the journal: a fixed head (magic, two lengths, CRC-32), a JSON object that says from whom and when, the bytes.

What is damaged costs the frames it lies in and no other: behind it, reading goes on with the next frame that is whole.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from zlib import crc32

import msgspec

__all__ = ["OVERHEAD", "Damage", "Frame", "Origin", "encode_frame", "scan_frames", "torn_at"]

_HEAD: Final = struct.Struct("<4sIII")
_MAGIC: Final = b"TGJ1"

OVERHEAD: Final = _HEAD.size + 512
"""Bytes a frame takes beside those that were pushed, at most."""


class Origin(msgspec.Struct, frozen=True, omit_defaults=True):
    """What stands beside the bytes of a frame.

    :param received: nanoseconds since the epoch
    :param producer: who numbers its pushes, or the key of this one alone
    :param sequence: its number
    :param table: whether the bytes are no push, but what was known of producers when the segment was begun
    """

    source: str
    received: int
    format: str | None = None
    producer: str = ""
    sequence: int | None = None
    table: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that is whole; its bytes lie from `start` to `end` in the segment."""

    origin: Origin
    data: bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes of a segment in which there is no frame that is whole."""

    start: int
    end: int


def encode_frame(origin: Origin, data: bytes) -> tuple[bytes, bytes]:
    """Put a frame together: what stands before the bytes, and the bytes."""
    beside = msgspec.json.encode(origin)
    return _HEAD.pack(_MAGIC, len(beside), len(data), crc32(data, crc32(beside))) + beside, data


def scan_frames(data: bytes, offset: int, *, whole: bool) -> Iterator[Frame | Damage]:
    """Find the frames in a part of a segment, and what lies between them.

    :param data: begins where a frame does
    :param offset: where it lies in the segment
    :param whole: whether it reaches to the end of the segment; if not, what may go on behind it is left out
    """
    at = 0
    while at < len(data):
        found = _frame_at(data, at, offset)
        if isinstance(found, Frame):
            yield found
            at = found.end - offset
            continue
        undecided = found == "more"
        then = data.find(_MAGIC, at + 1)
        while then >= 0 and not isinstance(found := _frame_at(data, then, offset), Frame):
            undecided = undecided or found == "more"
            then = data.find(_MAGIC, then + 1)
        if not whole and (undecided or then < 0):
            return
        end = len(data) if then < 0 else then
        yield Damage(offset + at, offset + end)
        at = end


def torn_at(data: bytes, found: Sequence[Frame | Damage]) -> int | None:
    """Tell where a frame begins that was never written to its end: nobody was told that it is kept.

    :param data: a segment as a process that was killed has left it
    :param found: what :func:`scan_frames` finds in it
    :return: none if it ends with a frame that is whole, or with one that is damaged
    """
    last = found[-1] if found else None
    if not isinstance(last, Damage) or last.end < len(data) or _frame_at(data, last.start, 0) != "more":
        return None
    head = data[last.start : last.start + _HEAD.size]
    if len(head) < _HEAD.size:
        return last.start
    *_, checksum = _HEAD.unpack(head)
    # One that only seems to go on, since its length is damaged, ends where its checksum holds.
    at, sum_ = last.start + _HEAD.size, 0
    while at < len(data):
        then = data.find(_MAGIC, at + 1)
        end = len(data) if then < 0 else then
        sum_ = crc32(data[at:end], sum_)
        if sum_ == checksum:
            return None
        at = end
    return last.start


def _frame_at(data: bytes, at: int, offset: int) -> Frame | Literal["more", "damaged"]:
    if at + _HEAD.size > len(data):
        return "more" if _MAGIC.startswith(data[at : at + len(_MAGIC)]) else "damaged"
    magic, beside_length, length, checksum = _HEAD.unpack_from(data, at)
    if magic != _MAGIC:
        return "damaged"
    start = at + _HEAD.size + beside_length
    end = start + length
    if end > len(data):
        return "more"
    beside, body = data[at + _HEAD.size : start], data[start:end]
    if crc32(body, crc32(beside)) != checksum:
        return "damaged"
    try:
        origin = msgspec.json.decode(beside, type=Origin)
    except msgspec.MsgspecError:
        return "damaged"
    return Frame(origin, body, offset + start, offset + end)
