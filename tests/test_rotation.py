"""Rotation by the programs that do it: logrotate in all its modes, and links as Kubernetes makes them."""

from __future__ import annotations

import fcntl
import gzip
import os
import shutil
import subprocess
import threading
import time
from collections import Counter
from contextlib import suppress
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

import pytest
from anyio import to_thread

from tailing import Rig, record, records

pytestmark = pytest.mark.anyio

LOGROTATE = shutil.which("logrotate", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
MODES = {
    "create": "create",
    "copytruncate": "copytruncate",
    "compress": "create\ncompress",
    "delaycompress": "create\ncompress\ndelaycompress",
    "copytruncate and compress": "copytruncate\ncompress",
    "dateext": "create\ndateext\ndateformat -%Y%m%d-%s",
    "dateext and compress": "create\ndateext\ndateformat -%Y%m%d-%s\ncompress\nextension .log",
    "olddir": "create\nolddir old\ncompress\ndelaycompress",
}
ROTATIONS = 4


@pytest.fixture
def anyio_backend() -> str:
    """The daemon runs on asyncio."""
    return "asyncio"


class Program(threading.Thread):
    """A program that logs: numbered records, appended to whatever has the log's name at that moment.

    It leaves it to logrotate to create the log: one that is there already logrotate moves out of the way, and may overwrite.

    :param held: locked while the log is open, so that logrotate does not compress and delete what is still to be written to
    """

    def __init__(self, log: Path, held: Path) -> None:
        super().__init__()
        self._log = log
        self._held = held
        self._over = threading.Event()
        self.written = 0

    def run(self) -> None:
        """Write until told to end."""
        with self._held.open("wb") as held:
            while not self._over.is_set():
                fcntl.flock(held, fcntl.LOCK_EX)
                with (
                    suppress(FileNotFoundError),
                    os.fdopen(os.open(self._log, os.O_WRONLY | os.O_APPEND), "ab") as file,
                ):
                    file.write(records(*range(self.written, self.written + 5)))
                    self.written += 5
                fcntl.flock(held, fcntl.LOCK_UN)
                time.sleep(0.001)

    def end(self) -> None:
        """Stop writing."""
        self._over.set()
        self.join()


class Logrotate:
    """The real one, on a folder and a state of its own. It waits, as it is told to do, until the program lets go of a log."""

    def __init__(self, folder: Path, mode: str) -> None:
        self._state = folder / "state"
        self._config = folder / "conf"
        self._folder = folder / "log"
        self.held = folder / "held"
        (self._folder / "old").mkdir(parents=True)
        script = ["postrotate", f"  flock {self.held} true", "endscript"]
        options = [*MODES[mode].splitlines(), "rotate 100", "missingok", "nomail", *script]
        lines = "\n".join(f"  {option}" for option in options)
        self._config.write_text(f"{self._folder}/app.log {{\n{lines}\n}}\n")

    def rotated(self) -> int:
        """How many rotated files there are."""
        return sum(path.is_file() and path.name != "app.log" for path in self._folder.rglob("*"))

    def rotate(self) -> None:
        """Rotate once. Two rotations of one second have the same name by date: then it is tried again."""
        before = self.rotated()
        while self.rotated() == before:
            assert LOGROTATE is not None
            subprocess.run([LOGROTATE, "-f", "-s", self._state, self._config], capture_output=True, check=False)


def on_disk(folder: Path, pattern: str) -> set[bytes]:
    """The records of all files that match."""
    found: set[bytes] = set()
    for path in folder.rglob("*"):
        if path.is_file() and fnmatch(path.name, pattern):
            data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            found.update(data.splitlines(keepends=True))
    return found


@pytest.mark.skipif(LOGROTATE is None, reason="logrotate is not installed")
@pytest.mark.parametrize("pattern", ["*.log", "*log*"])
@pytest.mark.parametrize("mode", MODES)
async def test_logrotate__while_a_program_writes__each_record_once(tmp_path: Path, mode: str, pattern: str) -> None:
    """Over rotations and a restart nothing is counted twice, and nothing is lost that is still in a file that matches."""
    logrotate, log = Logrotate(tmp_path, mode), tmp_path / "log" / "app.log"
    log.touch()
    program = Program(log, logrotate.held)
    rig = Rig(tmp_path / "log", f"**/{pattern}", poll_interval=0.02)
    program.start()
    try:
        for _ in range(2):
            async with rig.running():
                for _ in range(ROTATIONS // 2):
                    # What was never seen under its name cannot be known under another.
                    await rig.until(partial(has_reached, rig, program.written))
                    await to_thread.run_sync(logrotate.rotate)
    finally:
        program.end()
    with log.open("ab") as file:
        file.write(record("the last"))
    wanted = {record("the last"), *on_disk(tmp_path / "log", pattern)}
    if "copytruncate" not in mode:
        # Renaming loses nothing, whatever the pattern.
        wanted.update(map(record, range(program.written)))
    async with rig.running():
        await rig.until(lambda: wanted <= set(rig.lines))
    assert logrotate.rotated() == ROTATIONS
    assert [line for line, count in Counter(rig.lines).items() if count > 1] == []


def has_reached(rig: Rig, number: int) -> bool:
    """Whether there is a record of that number or a later one."""
    return any(int(line.split(b"record ")[1].split(b'"')[0]) >= number for line in rig.lines)


class Pod:
    """The log of a container, as the kubelet lays it out: a link in ``containers`` to one in ``pods`` to the runtime's file."""

    def __init__(self, folder: Path) -> None:
        self._runtime = folder / "runtime"
        self._pods = folder / "pods" / "default_web-1_uid" / "web"
        self.link = folder / "containers" / "web-1_default_web-0123.log"
        for path in (self._runtime, self._pods, self.link.parent):
            path.mkdir(parents=True)
        self.log = self._runtime / "0123-json.log"
        self.log.touch()
        (self._pods / "0.log").symlink_to(self.log)
        self.link.symlink_to(self._pods / "0.log")

    def rotate(self, stamp: str) -> None:
        """Rename the log, compress the one before and make a new one: the links lead to it by its name."""
        for older in self._runtime.glob("0123-json.log.????"):
            (self._runtime / f"{older.name}.gz").write_bytes(gzip.compress(older.read_bytes()))
            older.unlink()
        self.log.rename(self.log.with_name(f"{self.log.name}.{stamp}"))
        self.log.touch()

    def restart(self) -> None:
        """Start the container anew: another file, and the link is led to it."""
        self.log = self._runtime / "4567-json.log"
        self.log.touch()
        self.link.unlink()
        (self._pods / "1.log").symlink_to(self.log)
        self.link.symlink_to(self._pods / "1.log")


@pytest.mark.parametrize("patterns", [["containers/*.log"], ["containers/*.log", "pods/**/*.log", "runtime/*"]])
async def test_kubernetes__rotated_and_restarted__each_record_once(tmp_path: Path, patterns: list[str]) -> None:
    """The files behind two links are rotated and exchanged, while it runs and while it does not."""
    pod = Pod(tmp_path)
    rig = Rig(tmp_path, *patterns)
    written = 0

    def write(count: int = 5) -> None:
        nonlocal written
        with pod.log.open("ab") as file:
            file.write(records(*range(written, written + count)))
        written += count

    for stamp in ("0001", "0002"):
        async with rig.running():
            write()
            await rig.expect(*range(written))
            pod.rotate(stamp)
            write()
            await rig.expect(*range(written))
        write()
        pod.rotate(f"1{stamp[1:]}")
        write()
    async with rig.running():
        await rig.expect(*range(written))
        pod.restart()
        write()
        await rig.expect(*range(written))
