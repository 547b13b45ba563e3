"""Runs pytest for ``python.rs``, and tells it on standard output what comes of each test.

A frame is three fields, each ended by a NUL: kind, name, text. Kinds are ``selected`` and ``deselected`` (the name is
their number), ``listed``, ``passed``, ``ignored`` and ``failed``. All that is written for people goes to standard error.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME = "under_cargo"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the selection in libtest's terms; options, so that they reach the processes that pytest-xdist starts."""
    group = parser.getgroup(NAME)
    group.addoption("--only", action="append", default=[], help="run the tests whose name contains this")
    group.addoption("--skip", action="append", default=[], help="leave out the tests whose name contains this")
    group.addoption("--exact", action="store_true", help="names are whole names")
    group.addoption("--ignored", choices=["no", "only", "too"], default="no", help="run the slow tests")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Select by name as libtest does, and ignore slow tests as it ignores those marked so."""
    only, skip, exact = config.getoption("only"), config.getoption("skip"), config.getoption("exact")
    ignored = config.getoption("ignored")

    def named(item: pytest.Item, names: Iterable[str]) -> bool:
        return any(name == item.nodeid if exact else name in item.nodeid for name in names)

    def selected(item: pytest.Item) -> bool:
        if ignored == "only" and item.get_closest_marker("slow") is None:
            return False
        return (not only or named(item, only)) and not named(item, skip)

    dropped = [item for item in items if not selected(item)]
    items[:] = [item for item in items if selected(item)]
    config.hook.pytest_deselected(items=dropped)
    if ignored == "no":
        for item in items:
            if item.get_closest_marker("slow") is not None:
                item.add_marker(pytest.mark.skip(reason="slow"))
    if hasattr(config, "workeroutput"):
        config.workeroutput["deselected"] = len(dropped)


class Report:
    """Tells what comes of each test, once, when all of its phases are over."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.deselected = 0
        self._phases: dict[str, list[pytest.TestReport]] = {}
        self._told_selected = False

    def tell(self, kind: str, name: object, text: str = "") -> None:
        """Write a frame."""
        for field in (kind, str(name), text):
            self.stream.write(field.replace("\0", "\\0").encode(errors="backslashreplace") + b"\0")
        self.stream.flush()

    def tell_selected(self, number: int) -> None:
        """Say how many tests will run; every process that pytest-xdist starts collects them all, and says so."""
        if not self._told_selected:
            self._told_selected = True
            self.tell("selected", number)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """List the tests, or count them where no pytest-xdist does."""
        if session.config.getoption("collectonly"):
            for item in session.items:
                self.tell("listed", item.nodeid)
        elif not session.config.getoption("numprocesses"):
            self.tell_selected(len(session.items))

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Count the tests left out where no pytest-xdist runs them."""
        self.deselected += len(items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Count the tests where pytest-xdist runs them."""
        self.tell_selected(len(ids))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        """Take from a process of pytest-xdist how many tests it left out."""
        self.deselected = getattr(node, "workeroutput", {}).get("deselected", self.deselected)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Report a file that cannot be imported as a test that failed."""
        if report.failed:
            self.tell("failed", report.nodeid, report.longreprtext)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Report a test once its last phase is over, or the process that ran it has crashed."""
        phases = self._phases.setdefault(report.nodeid, [])
        phases.append(report)
        if report.when in {"setup", "call"}:
            return
        del self._phases[report.nodeid]
        failed = [phase for phase in phases if phase.failed]
        skipped = [phase for phase in phases if phase.skipped]
        if failed:
            sections = [f"---- {title} ----\n{content}" for title, content in report.sections]
            self.tell("failed", report.nodeid, "\n".join([*(phase.longreprtext for phase in failed), *sections]))
        elif skipped:
            self.tell("ignored", report.nodeid, reason(skipped[0]))
        else:
            self.tell("passed", report.nodeid)

    def pytest_sessionfinish(self) -> None:
        """Say how many tests were left out."""
        self.tell("deselected", self.deselected)


def reason(report: pytest.TestReport) -> str:
    """Why a test was skipped, or was expected to fail and did."""
    if hasattr(report, "wasxfail"):
        return f"fails as expected: {report.wasxfail.removeprefix('reason: ')}".removesuffix(": ")
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
    return text.removeprefix("Skipped: ")


if __name__ == "__main__":
    stream = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    sys.path.append(str(Path(__file__).parent))
    report = Report(stream)
    sys.exit(pytest.main(["-p", NAME, *sys.argv[1:]], plugins=[report]))
