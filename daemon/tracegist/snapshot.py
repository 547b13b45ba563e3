"""What a snapshot is on the disk: the engine's state and the position of every stream in one file.

A file is a head (magic, schema, generation, two lengths), the SHA-256 of all else, the progress as JSON, and the state. The
state has a schema of its own, which the engine knows. There has been one schema of the file; whatever has another is refused
by name, and so is a state that the engine does not read.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from tracegist.errors import SnapshotError
from tracegist.sources._base import Progress

__all__ = ["decode_snapshot", "encode_snapshot"]

_MAGIC: Final = b"tgsnap\r\n"
_SCHEMA: Final = 1
_HEAD: Final = struct.Struct("<8sIQQQ")
_CHECKSUM: Final = 32


def encode_snapshot(generation: int, state: Sequence[bytes], progress: Mapping[str, Progress]) -> Sequence[bytes]:
    """Put a snapshot together; its parts follow each other in the file."""
    body = msgspec.json.encode(progress)
    head = _HEAD.pack(_MAGIC, _SCHEMA, generation, len(body), sum(map(len, state)))
    checksum = hashlib.sha256(head)
    for part in (body, *state):
        checksum.update(part)
    return head + checksum.digest(), body, *state


def decode_snapshot(data: bytes) -> tuple[bytes, dict[str, Progress]]:
    """Take a snapshot apart: the state, and what became of every stream.

    :raises SnapshotError: if it is torn, damaged, or of another schema
    """
    start = _HEAD.size + _CHECKSUM
    if len(data) < start:
        msg = f"torn: {len(data)} bytes, shorter than its head"
        raise SnapshotError(msg)
    magic, schema, _, length, state_length = _HEAD.unpack_from(data)
    if magic != _MAGIC:
        msg = "not a snapshot"
        raise SnapshotError(msg)
    if schema != _SCHEMA:
        msg = f"schema {schema}: this version reads {_SCHEMA}; use the tracegist that wrote it, or start afresh"
        raise SnapshotError(msg)
    if len(data) != start + length + state_length:
        msg = f"torn: {len(data)} bytes of {start + length + state_length}"
        raise SnapshotError(msg)
    checksum = hashlib.sha256(data[: _HEAD.size])
    checksum.update(memoryview(data)[start:])
    if checksum.digest() != data[_HEAD.size : start]:
        msg = "damaged: its checksum is another"
        raise SnapshotError(msg)
    try:
        progress = msgspec.json.decode(data[start : start + length], type=dict[str, Progress])
    except msgspec.MsgspecError as error:
        msg = f"its progress cannot be read: {error}"
        raise SnapshotError(msg) from error
    return data[start + length :], progress
