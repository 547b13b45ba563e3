"""Tailed files and a real daemon: stopped in the middle of a storm, short of descriptors, with sources that overlap."""

from __future__ import annotations

import json
import shutil
import signal
from functools import partial
from pathlib import Path

import pytest

from bench.daemon import Daemon
from tailing import records

STORM = 6000


def source(name: str, *paths: Path) -> str:
    """A source of the configuration."""
    return f'[[sources]]\ntype = "tail"\nname = "{name}"\npaths = {json.dumps([*map(str, paths)])}\n'


def test_daemon__suspended_during_a_storm__everything_found(tmp_path: Path) -> None:
    """More notifications than the kernel keeps are lost while it is suspended; files, renames and records are not."""
    logs = tmp_path / "log"
    logs.mkdir()
    kept = logs / "kept.log"
    kept.write_bytes(records(0))
    with Daemon(tmp_path, source("storm", logs / "**" / "*.log*")) as daemon:
        daemon.until(lambda: daemon.events() == 1, seconds=30)
        daemon.process.send_signal(signal.SIGSTOP)
        try:
            for number in range(STORM):
                path = logs / f"{number}.log"
                path.write_bytes(records(number))
                if number % 3 == 0:
                    path.rename(logs / f"{number}.log.1")
            kept.rename(logs / "kept.log.1")
            with (logs / "kept.log.1").open("ab") as file:
                file.write(records(1))
            kept.write_bytes(records(2))
        finally:
            daemon.process.send_signal(signal.SIGCONT)
        daemon.until(lambda: daemon.events() >= STORM + 3, seconds=50)
        # And whatever is to come after that is found as before.
        with kept.open("ab") as file:
            file.write(records(3))
        daemon.until(lambda: daemon.events() >= STORM + 4, seconds=30)
        assert daemon.events() == STORM + 4


@pytest.mark.skipif(not shutil.which("prlimit"), reason="prlimit is not installed")
def test_daemon__few_descriptors__all_files_read(tmp_path: Path) -> None:
    """Where a process may have few files open, more of them than that are read all the same, and none fails for it."""
    logs = tmp_path / "log"
    logs.mkdir()
    for number in range(300):
        (logs / f"{number}.log").write_bytes(records(number))
    with Daemon(tmp_path, source("many", logs / "*.log"), wrap=("prlimit", "--nofile=64:64")) as daemon:
        daemon.until(lambda: daemon.events() >= 300, seconds=30)
        for number in range(300):
            with (logs / f"{number}.log").open("ab") as file:
                file.write(records(number))
        daemon.until(lambda: daemon.events() >= 600, seconds=30)
        assert daemon.events() == 600
    assert b"Too many open files" not in (tmp_path / "stderr").read_bytes()


def test_daemon__two_sources_of_one_file__counted_once(tmp_path: Path) -> None:
    """A file that several sources match, under one name or several, counts for one of them; the log says which."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    log = first / "app.log"
    log.write_bytes(records(1, 2))
    (second / "linked.log").hardlink_to(log)
    (second / "led.log").symlink_to(log)
    sources = source("one", first / "*.log") + source("two", second / "*.log", first / "app*")
    for count in (3, 4):
        with Daemon(tmp_path, sources) as daemon, log.open("ab") as file:
            file.write(records(count))
            file.flush()
            daemon.until(partial(has_counted, daemon, count), seconds=30)
            (second / f"{count}.log").write_bytes(b"")
            daemon.until(partial(has_said, tmp_path, b"source.shared"), seconds=30)
            assert daemon.events() == count


def has_counted(daemon: Daemon, count: int) -> bool:
    """Whether so many events were decoded."""
    return daemon.events() >= count


def has_said(folder: Path, event: bytes) -> bool:
    """Whether that stands in the log."""
    return event in (folder / "stderr").read_bytes()
