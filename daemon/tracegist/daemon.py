"""The daemon: put together, started and stopped in order, and told by signals what to do.

At the start: state restored, socket made, server and publisher running, sources read, READY=1. At SIGTERM or SIGINT: sources
stopped, what is being ingested finished, state committed, summary published, socket gone. SIGHUP reads the configuration anew.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio
import anyio.to_thread
import structlog
from msgspec.structs import replace

from tracegist import log
from tracegist._engine import Engine
from tracegist.commit import Committer
from tracegist.config import Config
from tracegist.errors import ConfigError, TracegistError
from tracegist.lock import lock_folder
from tracegist.notify import Notifier
from tracegist.publish import Publisher
from tracegist.sample import SampleSource, sample_config
from tracegist.server import Backend, HttpServer, Listener, listen
from tracegist.server.guard import read_token
from tracegist.status import collect_status, version_of
from tracegist.work import Work

if TYPE_CHECKING:
    from tracegist.sources import Journal, Progress, Source

__all__ = ["Daemon", "serve"]

_STOP: Final = (signal.SIGTERM, signal.SIGINT)
# What a running daemon cannot exchange: where its state is, what bounds its engine, where it listens.
_FIXED: Final = ("state", "engine", "server")
_LONGEST_NOTICE: Final = 200
# For so long the summary says that the start was not from the newest snapshot; the status always does.
_FALLBACK_SHOWN: Final = 3600.0


async def serve(config: Config, *, sample: bool = False, reload: Callable[[], Config] | None = None) -> None:
    """Run the daemon until SIGTERM or SIGINT.

    :param config: what it does
    :param sample: replay the bundled recording in place of the configured sources, with all state in a temporary folder
    :param reload: reads the configuration anew at SIGHUP; None to ignore the signal
    :raises DaemonRunning: if another daemon has the socket or the state folder
    :raises ConfigError: if something that the configuration names cannot be had
    :raises TracegistError: if the socket cannot be made
    """
    log.configure(config.log)
    with ExitStack() as stack, anyio.open_signal_receiver(*_STOP, signal.SIGHUP) as signals:
        extra: list[Source] = []
        if sample:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tracegist-sample-")))
            config, reload, extra = sample_config(config, folder), None, [SampleSource()]
            listener = stack.enter_context(_listen_anywhere(config, folder))
        else:
            listener = stack.enter_context(listen(config.server, os.environ))
        stack.enter_context(lock_folder(config.state.folder))
        await Daemon(config, listener, extra=extra, reload=reload, hint=sample).run(signals)


def _listen_anywhere(config: Config, folder: Path) -> Listener:
    """A newcomer may have a daemon already; the recording needs no place in particular."""
    try:
        return listen(config.server, os.environ)
    except TracegistError:
        return listen(replace(config.server, socket=folder / "tracegist.sock", group=None), {})


class Daemon:
    """All parts of a running daemon.

    :param config: what it does
    :param listener: where it can be asked
    :param extra: sources that no configuration names
    :param reload: reads the configuration anew
    :param hint: whether to tell a person how to see the summary, even if standard output is no terminal
    """

    def __init__(
        self,
        config: Config,
        listener: Listener,
        *,
        extra: Sequence[Source] = (),
        reload: Callable[[], Config] | None = None,
        hint: bool = False,
    ) -> None:
        self.config = config
        self._listener = listener
        self._extra = extra
        self._read_config = reload
        self._hint = hint
        self._since = time.time()
        self._log = structlog.stdlib.get_logger(__name__)
        self._notifier = Notifier()
        self._engine = Engine(host=os.uname().nodename, **config.engine.options())
        self._committer = Committer(config.state.folder, keep=config.state.keep)
        self._work = self._new_work({})
        self._over = anyio.Event()
        self._stopping = False
        self._not_reloaded = ""
        watchdog = self._notifier.watchdog
        self._publisher = Publisher(
            self._engine,
            config.summary,
            config.output,
            notices=self._notices,
            alive=self._say_alive,
            pace=watchdog / 3 if watchdog is not None else 5.0,
        )
        backend = Backend(
            engine=self._engine,
            publisher=self._publisher,
            status=self._status,
            inlet=self._find_journal,
            largest=int(config.engine.max_record),
        )
        server = config.server
        token = "" if server.mcp.off else read_token(server.mcp_token_file or config.state.folder / "mcp-token")
        self._server = HttpServer(backend, listener, otlp=server.otlp, mcp=server.mcp, token=token)

    async def run(self, signals: AsyncIterator[signal.Signals]) -> None:
        """Run until a signal says to stop."""
        loaded = await anyio.to_thread.run_sync(self._committer.load, self._engine.restore)
        if loaded is None and self._committer.fallback is not None:
            self._engine.missed("all before this start: no snapshot could be used")
        self._work = self._new_work(loaded[1] if loaded is not None else {})
        self._log.info(
            "daemon.starting",
            version=version_of(),
            pid=os.getpid(),
            state=self.config.state.folder,
            generation=self._committer.generation,
        )
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._server.run, name="server")
            async with anyio.create_task_group() as publishing:
                # There is a summary from the first moment on, if only one that says that nothing has come yet.
                await self._publisher.publish()
                publishing.start_soon(self._publisher.run, name="publisher")
                async with anyio.create_task_group() as working:
                    working.start_soon(self._keep_working, name="work")
                    self._say_ready()
                    await self._obey(signals)
                publishing.cancel_scope.cancel()
            await self._publisher.publish()
            self._publisher.close()
        self._log.info("daemon.stopped", generation=self._committer.generation)

    async def _obey(self, signals: AsyncIterator[signal.Signals]) -> None:
        """Follow the signals until one of them ends the daemon."""
        async for received in signals:
            if received == signal.SIGHUP:
                await self._reload()
                continue
            self._log.info("daemon.stopping", signal=received.name)
            self._notifier.send("STOPPING=1")
            self._stopping = True
            self._over.set()
            self._server.stop()
            return

    async def _keep_working(self) -> None:
        """Work under one configuration after another."""
        while not self._stopping:
            await self._work.run(self._over)
            if not self._stopping:
                self._over = anyio.Event()
                self._work = self._new_work(self._work.progress)

    def _new_work(self, progress: Mapping[str, Progress]) -> Work:
        return Work(self._engine, self.config, self._committer, progress=progress, extra=self._extra)

    async def _reload(self) -> None:
        if self._read_config is None:
            self._log.warning("reload.ignored", reason="the sample has no configuration to read again")
            return
        self._notifier.send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            config = await anyio.to_thread.run_sync(self._read_config)
        except ConfigError as error:
            self._log.error("reload.failed", reason=str(error))
            self._not_reloaded = f"configuration not reloaded: {error}"
        else:
            self._not_reloaded = ""
            self._take(config)
        self._notifier.send("READY=1")

    def _take(self, config: Config) -> None:
        """Go on under another configuration."""
        fixed = [name for name in _FIXED if getattr(config, name) != getattr(self.config, name)]
        if fixed:
            self._log.warning("reload.needs_restart", sections=fixed)
            config = replace(config, **{name: getattr(self.config, name) for name in fixed})
        log.configure(config.log)
        changed = [name for name in config.__struct_fields__ if getattr(config, name) != getattr(self.config, name)]
        self.config = config
        self._publisher.reconfigure(config.summary, config.output)
        if "sources" in changed:
            self._over.set()
        self._log.info("daemon.reloaded", changed=changed)

    def _notices(self) -> list[str]:
        found = [f"source {name}: {reason}" for name, reason in sorted(self._work.failures.items())]
        found += [reason for reason in (self._committer.failure, self._not_reloaded) if reason]
        fallback = self._committer.fallback
        if fallback is not None and time.time() - self._since < _FALLBACK_SHOWN:
            found.append(str(fallback))
        return [" ".join(notice.split())[:_LONGEST_NOTICE] for notice in found]

    async def _status(self) -> dict[str, object]:
        status = await collect_status(self._engine, self._publisher, self._work, since=self._since)
        return {**status, "otlp": self._server.otlp.status, "mcp": self._server.mcp.status}

    def _find_journal(self, name: str) -> Journal | None:
        return self._work.journal(name)

    def _say_alive(self) -> None:
        self._notifier.send("WATCHDOG=1")

    def _say_ready(self) -> None:
        """Tell systemd, the log and a person at the terminal where the summary is."""
        curl = f"curl --unix-socket {shlex.quote(str(self._listener.path))} http://x/summary"
        text, json = self._publisher.files
        self._notifier.send("READY=1", f"STATUS=Serving {self._listener.path}")
        self._log.info("daemon.started", socket=self._listener.path, summary=[str(text), str(json)], curl=curl)
        if self._hint or sys.stdout.isatty():
            _print(f"The summary is kept in {text}\nand answered by the socket:\n\n    {curl}\n\n")


def _print(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except (OSError, ValueError):
        # Nobody reads it; the log has it too.
        return
