"""Numbered records, and the ways in which programs write, rotate, drop and push them.

Every record is one line of OTLP with one span; every other one is called by the one before it. A record's number stands in
it, and the block of numbers that it belongs to is its operation, so that who has counted the series can say where one is
missing. What was made is kept aside, for a pass over the same bytes.
"""

from __future__ import annotations

import gzip
import itertools
import json
import os
import random
import re
import shutil
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Final

import httpx

__all__ = [
    "Compressed",
    "Dated",
    "Dropped",
    "Growing",
    "Pushed",
    "Records",
    "Renamed",
    "Shifted",
    "Truncated",
    "block_of",
    "number_of",
]

_BORN: Final = 1_767_225_600_000_000_000
_STEP: Final = 1_000_000
_CALLER, _CALLED = 3, 2
# They differ: one record in the place of another would be seen in the percentiles.
_DURATIONS: Final = [int(1_000_000 * 1.02**place) for place in range(400)]
_NUMBER: Final = re.compile(rb'"spanId":"([0-9a-f]{16})"')
_LETTERS: Final = str.maketrans("0123456789", "abcdefghij")
_DIGITS: Final = str.maketrans("abcdefghij", "0123456789")


class Records:
    """The records of one source, made one after another.

    :param source: its name, which is the service of its spans
    :param ticks: shared by all sources: the time of the next record, in steps
    :param truth: the file that keeps all that is made
    :param block: records of one operation
    """

    def __init__(self, source: str, ticks: Iterator[int], truth: Path, *, block: int = 1000) -> None:
        self.source = source
        self.block = block
        self.truth = truth
        self.made = 0
        self._ticks = ticks
        self._trace = int.from_bytes(source.encode()[:8], "big")
        self._file = truth.open("ab", buffering=0)

    def make(self, count: int) -> bytes:
        """Make the next few."""
        data = b"".join(self._record(number) for number in range(self.made, self.made + count))
        self._file.write(data)
        self.made += count
        return data

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    def _record(self, number: int) -> bytes:
        called = number % 2
        start = _BORN + next(self._ticks) * _STEP
        span = {
            "traceId": f"{self._trace:016x}{number // 2 + 1:016x}",
            "spanId": f"{number + 1:016x}",
            "parentSpanId": f"{number:016x}" if called else "",
            "name": block_name(number // self.block),
            "kind": _CALLED if called else _CALLER,
            "startTimeUnixNano": str(start),
            "endTimeUnixNano": str(start + _DURATIONS[number % len(_DURATIONS)]),
        }
        name = {"stringValue": f"{self.source}-store" if called else self.source}
        resource = {"attributes": [{"key": "service.name", "value": name}]}
        line = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}
        return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def block_name(block: int) -> str:
    """The operation that stands for a block: its number in letters, as numbers in names are taken for ids."""
    return f"block {str(block).translate(_LETTERS)}"


def block_of(name: str) -> int:
    """The block that an operation stands for."""
    return int(name.removeprefix("block ").translate(_DIGITS))


def number_of(line: bytes) -> int | None:
    """The number of a record; None if the line is none."""
    found = _NUMBER.search(line)
    return int(found[1], 16) - 1 if found else None


class Growing:
    """A file that grows and is not rotated. What is written at once may end within a record.

    :param path: the file
    :param records: what it is written from
    :param random_: for where writes end
    """

    kept = 3
    """Rotated files that are not deleted."""

    def __init__(self, path: Path, records: Records, random_: random.Random) -> None:
        self.path = path
        self.records = records
        self.rotations = 0
        self._random = random_
        self._rest = b""
        self._file = self._open(path)

    @property
    def pattern(self) -> str:
        """What finds the file, and those it becomes."""
        return f"{self.path}*"

    def write(self, count: int) -> None:
        """Write what is left and a few records more, perhaps without the end of the last."""
        data = self._rest + self.records.make(count)
        cut = len(data) - (self._random.randrange(300) if self._random.random() < 0.5 else 0)
        self._rest = data[cut:]
        os.write(self._file, data[:cut])

    def finish(self) -> None:
        """Complete the last record."""
        os.write(self._file, self._rest)
        self._rest = b""

    def rotate(self) -> None:
        """Put another file in its place; the writer notices late, as it does."""

    def tidy(self) -> None:
        """Do what may be done once all that was written has been read."""

    def close(self) -> None:
        """Let the files go."""
        os.close(self._file)
        self.records.close()

    def _open(self, path: Path) -> int:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def _reopen(self, path: Path) -> None:
        self.finish()
        os.close(self._file)
        self._file = self._open(path)
        self.rotations += 1


class Renamed(Growing):
    """Renamed to a name with a number, and made anew."""

    def __init__(self, path: Path, records: Records, random_: random.Random) -> None:
        super().__init__(path, records, random_)
        self._old: list[Path] = []

    def rotate(self) -> None:
        """Rename the file; the end of a record goes into it under its new name."""
        old = self.path.with_name(f"{self.path.name}.{self.rotations + 1:06}")
        self.path.rename(old)
        self._reopen(self.path)
        self._old.append(old)

    def tidy(self) -> None:
        """Delete those that are old."""
        old, self._old = self._old[: -self.kept], self._old[-self.kept :]
        for path in old:
            path.unlink()


class Shifted(Growing):
    """Renamed to ``.1``, which becomes ``.2`` and so on, as logrotate does it."""

    def rotate(self) -> None:
        """Rename all of them, the oldest first."""
        for age in range(self._count(), 0, -1):
            self._aged(age).rename(self._aged(age + 1))
        self.path.rename(self._aged(1))
        self._reopen(self.path)

    def tidy(self) -> None:
        """Delete those that are old."""
        for age in range(self._count(), self.kept, -1):
            self._aged(age).unlink()

    def _count(self) -> int:
        return next(age for age in itertools.count() if not self._aged(age + 1).exists())

    def _aged(self, age: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{age}")


class Dated(Renamed):
    """Each file has a name of its own from its beginning, and is left when the next is begun."""

    def __init__(self, path: Path, records: Records, random_: random.Random) -> None:
        super().__init__(path.with_name(f"{path.name}-000000"), records, random_)

    @property
    def pattern(self) -> str:
        """All that begin alike."""
        return f"{self.path.with_name(self.path.name[:-6])}*"

    def rotate(self) -> None:
        """Begin the next."""
        old = self.path
        self.path = old.with_name(f"{old.name[:-6]}{self.rotations + 1:06}")
        self._reopen(self.path)
        self._old.append(old)


class Compressed(Renamed):
    """Renamed and made anew, and compressed later."""

    def tidy(self) -> None:
        """Compress what was rotated, as gzip does, and delete what is old."""
        for place, path in enumerate(self._old):
            if path.suffix != ".gz":
                packed = path.with_name(f"{path.name}.gz")
                with path.open("rb") as plain, gzip.open(packed, "wb") as file:
                    shutil.copyfileobj(plain, file)
                path.unlink()
                self._old[place] = packed
        super().tidy()


class Truncated(Growing):
    """Emptied in place, as copytruncate does it; where the copy goes is nobody's matter here."""

    def tidy(self) -> None:
        """Empty it."""
        os.truncate(self.path, 0)
        self.rotations += 1


class Dropped:
    """Files dropped whole into a spool folder."""

    def __init__(self, path: Path, records: Records) -> None:
        self.path = path
        self.records = records
        self.rotations = 0
        self._data = b""
        path.mkdir(parents=True, exist_ok=True)

    def write(self, count: int) -> None:
        """Make a few records for the next file."""
        self._data += self.records.make(count)

    def finish(self) -> None:
        """Drop what there is."""
        self.rotate()

    def rotate(self) -> None:
        """Drop a file: written aside, and renamed when it is complete."""
        if self._data:
            self.rotations += 1
            aside = self.path / f".{self.rotations}"
            aside.write_bytes(self._data)
            aside.rename(self.path / f"{self.rotations:06}.jsonl")
            self._data = b""

    def tidy(self) -> None:
        """Delete what was read."""
        for path in (self.path / "done").glob("*.jsonl"):
            path.unlink()

    def close(self) -> None:
        """Let the files go."""
        self.records.close()


class Pushed:
    """Batches pushed over a socket, each until it is acknowledged. Its writes block while nobody takes them.

    :param client: makes a client of who takes them
    """

    def __init__(self, client: Callable[[], httpx.Client], records: Records) -> None:
        self.records = records
        self.rotations = 0
        self.unsure = 0
        self._client = client
        self._sequence = 0

    def write(self, count: int) -> None:
        """Push a batch; again and again if no answer says what has become of it."""
        data = self.records.make(count)
        self._sequence += 1
        while not self._push(data):
            time.sleep(0.01)

    def finish(self) -> None:
        """Do nothing: what was written is acknowledged."""

    def rotate(self) -> None:
        """Do nothing."""

    def tidy(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Let the files go."""
        self.records.close()

    def _push(self, data: bytes) -> bool:
        producer = {"producer": "load", "sequence": str(self._sequence)}
        try:
            with self._client() as client:
                answer = client.post("/ingest/load", params=producer, content=data)
        except httpx.ConnectError:
            return False
        except httpx.TransportError:
            self.unsure += 1
            return False
        # A push that was kept, and whose answer a kill has cut off, is known when it comes again.
        kept = {HTTPStatus.ACCEPTED, HTTPStatus.OK}
        if answer.status_code not in {*kept, HTTPStatus.SERVICE_UNAVAILABLE}:
            raise RuntimeError(answer.text)
        return answer.status_code in kept
