"""What the daemon says of itself, as the journal, a terminal and a file get it."""

from __future__ import annotations

import io
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest
import structlog

from tracegist import log
from tracegist.config import Log


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Logging belongs to the whole process, and other tests have a use for it."""
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = raising
    structlog.reset_defaults()


class Terminal(io.StringIO):
    """A stream that is one."""

    def isatty(self) -> bool:
        """It is."""
        return True


def said(config: Log, stream: TextIO, environ: dict[str, str] | None = None) -> None:
    """Log something of each kind."""
    log.configure(config, stream=stream, environ=environ or {})
    logger = structlog.stdlib.get_logger("test")
    logger.debug("source.scanned")
    logger.warning("commit.failed", path=Path("/var/lib/x"), reason="No\nspace\x1b[31m left")
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 1)
    logging.getLogger("uvicorn.error").error("Exception in %s", "ASGI")
    logger.info("daemon.stopped")


def test_configure__a_file__json_with_a_time() -> None:
    """Every line is an object, whoever logged; what is below the level and what uvicorn says of itself is left out."""
    stream = io.StringIO()
    said(Log(), stream)
    entries = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(entry["level"], entry["event"]) for entry in entries] == [
        ("warning", "commit.failed"),
        ("error", "Exception in ASGI"),
        ("info", "daemon.stopped"),
    ]
    assert all(entry["time"].endswith("Z") for entry in entries)
    assert entries[0]["path"] == "/var/lib/x"
    assert entries[1]["logger"] == "uvicorn.error"


def test_configure__the_journal__priority_before_the_object(tmp_path: Path) -> None:
    """The journal takes the priority off the line, and has a time of its own."""
    with (tmp_path / "journal").open("w+") as stream:
        status = os.fstat(stream.fileno())
        said(Log(level="debug"), stream, {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
        stream.seek(0)
        lines = stream.read().splitlines()
    assert [line[:3] for line in lines] == ["<7>", "<4>", "<3>", "<6>"]
    assert "time" not in json.loads(lines[0][3:])


def test_configure__a_terminal__coloured_and_nothing_of_strangers_obeyed() -> None:
    """People get colours; an escape sequence in a file name is shown, not obeyed."""
    stream = Terminal()
    said(Log(), stream)
    text = stream.getvalue()
    assert "\x1b[" in text
    assert "\\x1b[31m left" in text
    assert "No\nspace" not in text


def test_configure__console_without_a_terminal__plain() -> None:
    """No colours in a file."""
    stream = io.StringIO()
    said(Log(format="console"), stream)
    assert "\x1b" not in stream.getvalue()
    assert "commit.failed" in stream.getvalue()


def test_configure__stream_gone__nothing_raised() -> None:
    """A log that cannot be written does not stop what is logged about."""
    stream = io.StringIO()
    log.configure(Log(), stream=stream, environ={})
    stream.close()
    structlog.stdlib.get_logger("test").error("commit.failed")
