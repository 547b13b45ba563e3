"""Verbs with paths: an engine of their own, the files read to their end, and a word about those that could not be."""

from __future__ import annotations

import os
import stat as modes
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from tracegist import _engine
from tracegist.cli._failure import UNREADABLE, Unreadable, Usage, report
from tracegist.cli._reading import standard_input
from tracegist.errors import QueryError, SourceError, TokenBudgetExceeded, TraceNotFound

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from tracegist.config import Config, Dialect, Limits
    from tracegist.offline import Ingested
    from tracegist.query import Query

__all__ = ["Question", "check_readable", "evidence_of_files", "progress_bar", "query_files", "summarize_files"]

# A bar that is gone before it can be read is only a flicker.
_PATIENCE: Final = 0.5
_AMPLE: Final = 100_000
# Fields of a query that are wrong whatever the files say.
_ANY_STATE: Final = (
    "query",
    "what",
    "where",
    "group_by",
    "select",
    "order_by",
    "format",
    "limit",
    "budget",
    "encoding",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of the engine; times are in nanoseconds."""

    budget: int
    encoding: str
    window: int
    baseline: int
    focus: str | None = None
    sections: list[str] | None = None

    def ask(self, engine: _engine.Engine, *, budget: int | None = None) -> bytes:
        """Put it to an engine.

        :raises TokenBudgetExceeded: if the header alone does not fit
        :raises Usage: if it makes no sense
        """
        try:
            return engine.summary(
                budget=budget or self.budget,
                encoding=self.encoding,
                window=int(self.window),
                baseline=int(self.baseline),
                focus=self.focus,
                sections=self.sections,
            )
        except (ValueError, OverflowError) as error:
            raise Usage(str(error)) from None


def summarize_files(paths: Sequence[str], question: Question, limits: Limits, dialect: Dialect) -> tuple[bytes, int]:
    """Read files and ask about them.

    :param dialect: how they are written

    :return: the engine's JSON, and the exit code: not 0 if some of the files could not be read
    :raises Unreadable: if there is nothing to speak of
    """
    # A gigabyte is not read only to learn that an option is misspelt.
    question.ask(_engine.Engine(), budget=max(question.budget, _AMPLE))
    engine = _engine.Engine(host="", **limits.options(snapshots=False))
    code = _ingest(engine, paths, dialect)
    engine.abandon()
    return question.ask(engine), code


def evidence_of_files(paths: Sequence[str], number: int, config: Config, dialect: Dialect) -> bytes:
    """Read files, summarise them as ``summarize`` does by default, and look a number up.

    :raises TraceNotFound: if the number was not given
    """
    engine = _engine.Engine(host="", **config.engine.options(snapshots=False))
    _ingest(engine, paths, dialect)
    usual = config.summary
    Question(budget=_AMPLE, encoding=usual.encoding, window=usual.window, baseline=usual.baseline).ask(engine)
    return engine.evidence(number)


def query_files(paths: Sequence[str], question: Query, limits: Limits, dialect: Dialect) -> tuple[bytes, int]:
    """Read files and put a question about them.

    :param dialect: how they are written
    :return: the engine's JSON, and the exit code: not 0 if some of the files could not be read
    :raises QueryError: if a word of the question makes no sense
    :raises Unreadable: if there is nothing to ask about
    """
    # A gigabyte is not read only to learn that a word is misspelt.
    try:
        _engine.Engine().query(question.to_json())
    except QueryError as error:
        if error.field in _ANY_STATE:
            raise
    except (TokenBudgetExceeded, TraceNotFound):
        pass
    engine = _engine.Engine(host="", **limits.options(snapshots=False))
    code = _ingest(engine, paths, dialect)
    engine.abandon()
    return engine.query(question.to_json()), code


def _ingest(engine: _engine.Engine, paths: Sequence[str], dialect: Dialect) -> int:
    from tracegist.offline import ingest_paths  # noqa: PLC0415 - its reading machinery is for this alone

    readable = [path for path in paths if _can_be_read(path, alone=len(paths) == 1)]
    if not readable:
        msg = "none of the files could be read"
        raise Unreadable(msg)
    try:
        with progress_bar() as progress:
            files = ingest_paths(engine, readable, format=dialect.reads, dialect=dialect.dialect(), report=progress)
    except (SourceError, TraceNotFound) as error:
        raise Unreadable(str(error)) from None
    if not any(file.events for file in files):
        _refuse(files)
    for file in files:
        if file.damage:
            report(file.damage)
        if file.rejected > file.events:
            report(_mostly_unreadable(file))
    whole = len(readable) == len(paths) and not any(file.damage for file in files)
    return 0 if whole else UNREADABLE


def check_readable(path: str) -> None:
    """Look before anything is opened, for opening a pipe is something its writer notices.

    :raises Unreadable: if there is no such file, or it may not be read, or is none
    :raises Usage: if it is standard input, and that is a terminal
    """
    if path == "-":
        standard_input()
    elif reason := _obstacle(Path(path)):
        msg = f"{path}: {reason}"
        raise Unreadable(msg)


def _can_be_read(path: str, *, alone: bool) -> bool:
    try:
        check_readable(path)
    except Unreadable as error:
        if alone:
            raise
        report(error)
        return False
    return True


def _obstacle(path: Path) -> str:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "a link to no file" if path.is_symlink() else "no such file"
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or "no such file"
    if modes.S_ISDIR(mode):
        return f"a folder: name the files in it, such as {path / '*.jsonl'}"
    if modes.S_ISSOCK(mode):
        return "a socket: a daemon's is named by --socket"
    return "" if os.access(path, os.R_OK) else "Permission denied"


def _refuse(files: Sequence[Ingested]) -> NoReturn:
    """Say why there is nothing to say: the worst of the files tells the most."""
    worst = max(files, key=lambda file: (bool(file.damage), file.rejected, file.bytes))
    more = f"; nor in the {len(files) - 1} other files" if len(files) > 1 else ""
    msg = f"{_nothing_in(worst)}{more}"
    raise Unreadable(msg)


def _mostly_unreadable(file: Ingested) -> str:
    found = f"{file.events} events found" if file.events else "no event in it"
    return f"{_name(file)}: {found}: {file.rejected} records could not be read, the first for: {file.reason}"


def _name(file: Ingested) -> str:
    return "standard input" if file.stream == "-" else file.stream


def _nothing_in(file: Ingested) -> str:
    if file.damage:
        return file.damage
    if file.rejected:
        return _mostly_unreadable(file)
    return (
        f"{_name(file)}: no event in its {file.bytes} bytes" if file.bytes else f"{_name(file)}: empty: no event in it"
    )


@dataclass(slots=True)
class _Bar:
    """Shows a bar on standard error once reading takes its time; told of every block."""

    began: float = field(default_factory=time.monotonic)
    shown: Progress | None = None
    task: TaskID | None = None

    def __call__(self, done: int, total: int | None) -> None:
        if self.shown is None:
            if time.monotonic() - self.began < _PATIENCE:
                return
            self._show(total)
        if self.shown is not None and self.task is not None:
            self.shown.update(self.task, completed=done)

    def _show(self, total: int | None) -> None:
        from rich.console import Console  # noqa: PLC0415 - only for who waits
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            DownloadColumn,
            Progress,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        self.shown = Progress(*columns, console=Console(stderr=True), transient=True)
        self.shown.start()
        self.task = self.shown.add_task("", total=total)


@contextmanager
def progress_bar() -> Iterator[_Bar | None]:
    """Show a bar on standard error, if that is a terminal, once reading takes its time."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    bar = _Bar()
    try:
        yield bar
    finally:
        if bar.shown is not None:
            bar.shown.stop()
