"""Programs that read the same load, can be killed, and say afterwards what they have counted: tracegist, and a peer."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import httpx

from tracegist._engine import Engine
from tracegist.commit import Committer
from tracegist.sources import Progress

from .load import Records, block_of, number_of

__all__ = ["COLLECTOR", "HOLD", "Account", "Collector", "Reader", "Tracegist", "settle", "summary", "until"]

COLLECTOR: Final = Path(__file__).parents[2] / "target" / "collector" / "collector"
_DAY: Final = 86_400_000_000_000
_POLLS: Final = 0.5
_NEAR: Final = 2000
_PATIENCE: Final = 30.0
_DEADLINE: Final = 120.0
_SHOWN: Final = 6
_BUDGET: Final = 100_000_000
HOLD: Final = 20_000_000_000


@dataclass(frozen=True, slots=True)
class Account:
    """What has become of the records of a source.

    :param lost: how many, by the number of the first record of their block
    :param doubled: likewise
    :param block: how many numbers a block has
    """

    made: int
    block: int
    lost: Mapping[int, int]
    doubled: Mapping[int, int]

    @property
    def where(self) -> str:
        """Which were lost and which doubled, in a few words."""
        signed = [(number, -count) for number, count in self.lost.items()] + list(self.doubled.items())
        ranges: list[list[int]] = []
        for number, count in sorted(signed):
            if ranges and number - ranges[-1][1] < _NEAR and (count < 0) == (ranges[-1][2] < 0):
                ranges[-1][1:] = [number, ranges[-1][2] + count]
            else:
                ranges.append([number, number, count])
        words = [f"{count:+} in {first}-{last}" for first, last, count in ranges]
        return ", ".join(words[:_SHOWN] + ["..."] * (len(words) > _SHOWN))


class Reader(Protocol):
    """A program that reads numbered records."""

    @property
    def name(self) -> str:
        """What it is called in tables."""

    def start(self) -> None:
        """Start it; it may take a while until it reads."""

    def ready(self) -> bool:
        """Whether it can be asked, or is busy with its work already."""

    def kill(self) -> None:
        """End it as a power cut would."""

    def stop(self) -> None:
        """End it in order."""

    def read(self) -> int | None:
        """Records counted so far; None while it cannot be asked."""

    def safe(self) -> int:
        """Records counted so far that no kill takes from it."""

    def account(self, records: Records) -> Account:
        """What has become of a source's records, once it has been stopped."""


class _Process:
    """A process that is started again and again, and whose errors are kept."""

    def __init__(self, command: list[str], log: Path) -> None:
        self._command = command
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        # None of the user's own settings.
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("TRACEGIST_", "XDG_"))}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, env=environ
            )

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order."""
        self._end(signal.SIGTERM)

    def check(self) -> None:
        """Raise if it has ended by itself."""
        if self._process and self._process.poll() is not None:
            msg = (
                f"{self._command[0]} ended by itself with {self._process.returncode}:\n{self._log.read_text()[-3000:]}"
            )
            raise RuntimeError(msg)

    def _end(self, how: signal.Signals) -> None:
        if self._process:
            self.check()
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None


class Tracegist(_Process):
    """The daemon.

    :param folder: for its configuration, state and socket
    """

    name = "tracegist"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "t.sock"
        self._state = folder / "state"
        self._config = folder / "tracegist.toml"
        command = [sys.executable, "-m", "tracegist", "run", "--config", str(self._config)]
        super().__init__(command, folder / "tracegist.log")

    def configure(self, sources: str, *, engine: str = "") -> None:
        """Write the configuration, of which `sources` is the part in TOML that names them, and `engine` adds to a section.

        It commits as often as may be, so that many kills fall into a commit, and holds traces for longer than a source may
        lag behind another.
        """
        self._config.write_text(
            f'[state]\nfolder = "{self._state}"\ncommit_interval = "50ms"\n[engine]\ntrace_hold = "{HOLD // 10**9}s"\n{engine}'
            f'[output]\nfolder = "{self._folder}/out"\n[server]\nsocket = "{self._socket}"\n{sources}'
        )

    def client(self) -> httpx.Client:
        """A client of its socket."""
        return httpx.Client(transport=httpx.HTTPTransport(uds=str(self._socket)), base_url="http://x", timeout=30)

    def ready(self) -> bool:
        """Whether somebody listens on its socket."""
        self.check()
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self._socket)) == 0

    def read(self) -> int | None:
        """Events in its ledger."""
        if not self.ready():
            return None
        with self.client() as client:
            return int(client.get("/status").json()["ledger"]["events"])

    def safe(self) -> int:
        """Events in the ledger of its newest snapshot."""
        ledger: dict[str, int] = json.loads(self.engine().stats())["ledger"]
        return ledger["events"]

    def snapshot(self) -> tuple[bytes, Mapping[str, Progress]] | None:
        """Its newest state, and how far its streams were read for it; None before the first."""
        loaded = Committer(self._state).load()
        return loaded[:2] if loaded else None

    def engine(self) -> Engine:
        """An engine in its newest state."""
        engine = Engine()
        if loaded := self.snapshot():
            engine.restore(loaded[0])
        return engine

    def account(self, records: Records) -> Account:
        """Compare what the series say with what was made; a block that has both lost and doubled shows the difference."""
        size = records.block
        counts: Counter[int] = Counter()
        for fact in summary(self.engine())["facts"]:
            if fact["section"] == "busy" and fact["service"].removesuffix("-store") == records.source:
                counts[block_of(fact["operation"])] += round(fact["after"])
        made = {block: min(size, records.made - block * size) for block in range(-(-records.made // size))}
        lost = {block * size: count - counts[block] for block, count in made.items() if count > counts[block]}
        doubled = {
            block * size: count - made.get(block, 0) for block, count in counts.items() if count > made.get(block, 0)
        }
        return Account(records.made, size, lost, doubled)


class Collector(_Process):
    """The OpenTelemetry Collector: a filelog receiver with file storage for each source; what arrives is on disk at once.

    :param folder: for its configuration and storage
    :param patterns: of the files of each source
    :param synchronous: hand each batch on before the position behind it is stored, which is not the default
    """

    def __init__(self, folder: Path, patterns: Mapping[str, str], *, synchronous: bool = False) -> None:
        self.name = "collector, synchronous" if synchronous else "collector"
        self._arrived = (0, time.monotonic())
        self._tallies = {source: _Tally(folder / f"{source}.tally") for source in patterns}
        (folder / "storage").mkdir()
        config = folder / "collector.yaml"
        config.write_text(json.dumps(_collector(folder, patterns)))
        gates = ["--feature-gates=stanza.synchronousLogEmitter"] if synchronous else []
        super().__init__([str(COLLECTOR), f"--config={config}", *gates], folder / "collector.log")

    def ready(self) -> bool:
        """Whether it has begun to take files in hand."""
        self.check()
        return all(tally.path.exists() for tally in self._tallies.values())

    def read(self) -> int:
        """Different records that have arrived, of all sources."""
        count = sum(tally.distinct() for tally in self._tallies.values())
        if count != self._arrived[0]:
            self._arrived = (count, time.monotonic())
        return count

    def safe(self) -> int:
        """The same, once the poll that has read the last of them is over and has stored its position."""
        count = self.read()
        return count if time.monotonic() - self._arrived[1] > _POLLS else 0

    def account(self, records: Records) -> Account:
        """Compare the numbers that have arrived with those that were made."""
        tally = self._tallies[records.source]
        tally.distinct()
        lost = {number: 1 for number in range(records.made) if not tally.counts[number]}
        doubled = {number: times - 1 for number, times in tally.counts.items() if times > 1}
        return Account(records.made, 1, lost, doubled)


class _Tally:
    """What an exporter has written so far: the records, a line each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.counts: Counter[int] = Counter()
        self._offset = 0

    def distinct(self) -> int:
        if self.path.exists():
            with self.path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
            end = data.rfind(b"\n") + 1
            self._offset += end
            self.counts.update(number for line in data[:end].splitlines() if (number := number_of(line)) is not None)
        return len(self.counts)


def _collector(folder: Path, patterns: Mapping[str, str]) -> dict[str, object]:
    """As careful as its settings let it be."""
    receiver = {
        "start_at": "beginning",
        "storage": "file_storage",
        "compression": "auto",
        "on_truncate": "read_whole_file",
        "retry_on_failure": {"enabled": True},
    }
    return {
        "extensions": {"file_storage": {"directory": str(folder / "storage"), "fsync": True}},
        "receivers": {f"file_log/{source}": {**receiver, "include": [text]} for source, text in patterns.items()},
        "exporters": {f"tally/{source}": {"path": str(folder / f"{source}.tally")} for source in patterns},
        "service": {
            "telemetry": {"metrics": {"level": "none"}, "logs": {"level": "warn"}},
            "extensions": ["file_storage"],
            "pipelines": {
                f"logs/{source}": {"receivers": [f"file_log/{source}"], "exporters": [f"tally/{source}"]}
                for source in patterns
            },
        },
    }


def summary(engine: Engine) -> dict[str, Any]:
    """All that an engine could say of a day."""
    answer: dict[str, Any] = json.loads(engine.summary(budget=_BUDGET, window=_DAY, baseline=1_000_000_000))
    return answer


def settle(reader: Reader, expected: int) -> tuple[int, float]:
    """Wait until as many are counted and safe as are expected, or nothing changes any more once it has answered.

    :return: how many there are, and the seconds until the last of them was counted
    """
    began = changed = time.monotonic()
    last: int | None = None
    while time.monotonic() - changed < (_DEADLINE if last is None else _PATIENCE):
        count = reader.read()
        if count is not None and count != last:
            last, changed = count, time.monotonic()
        if count is not None and count >= expected and reader.safe() >= expected:
            break
        time.sleep(0.05)
    return reader.safe(), changed - began


def until(condition: Callable[[], object]) -> None:
    """Wait for something that comes soon."""
    deadline = time.monotonic() + _DEADLINE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.005)
