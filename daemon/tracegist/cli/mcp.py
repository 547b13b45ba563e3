"""``tracegist mcp``: a server of the Model Context Protocol on standard input and output."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from tracegist.cli._failure import Usage
from tracegist.cli._options import ConfigFile, Paths, Socket, Source, Zone, check_paths

if TYPE_CHECKING:
    from tracegist.mcp.account import Account

__all__ = ["mcp"]


def mcp(
    *paths: Paths,
    underscores: Annotated[bool, Parameter(negative=())] = False,
    zone: Zone = None,
    source: Source = None,
    config: ConfigFile = None,
    socket: Socket = None,
) -> None:
    """Let a language model ask, over the Model Context Protocol.

    It speaks on standard input and output: a client starts it. With paths it
    answers from those files alone, which are read when it is asked, and again
    when they have changed. Without, it asks the daemon.

    Examples:
        claude mcp add tracegist -- tracegist mcp
        codex mcp add tracegist -- tracegist mcp
        tracegist mcp --underscores traces.jsonl app.log

    :param paths: Files to answer from; without them, the daemon is asked.
    :param underscores: Name the tools trace_query rather than trace.query, for clients that allow no dot.
    """
    account = _account(check_paths(paths, mcp), zone, source, config, socket)
    if sys.stdin is not None and sys.stdin.isatty():
        sys.stderr.write(
            "tracegist: a client speaks here, in JSON lines; docs/mcp.md says how to set one up. Ctrl-C ends it.\n"
        )
    import anyio  # noqa: PLC0415

    from tracegist.mcp.stdio import serve_stdio  # noqa: PLC0415 - half a second to import

    # A thread that waits for standard input would hold an orderly end up until there is some.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        anyio.run(lambda: serve_stdio(account, underscores=underscores))
    except BaseExceptionGroup as errors:
        # A client that ends without a word, and nothing else, is no failure of ours.
        if errors.split(BrokenPipeError)[1] is not None:
            raise
        raise BrokenPipeError from None


def _account(paths: list[str], zone: Zone, source: Source, config: ConfigFile, socket: Socket) -> Account:
    if not paths:
        from tracegist.cli._daemon import find_daemon  # noqa: PLC0415
        from tracegist.mcp.remote import RemoteAccount  # noqa: PLC0415

        with find_daemon(config, socket) as daemon:
            return RemoteAccount(daemon.socket)
    if "-" in paths:
        msg = "standard input belongs to the client here: name files"
        raise Usage(msg)
    from tracegist.cli._dialect import dialect_of  # noqa: PLC0415
    from tracegist.cli._files import check_readable  # noqa: PLC0415
    from tracegist.config import load  # noqa: PLC0415
    from tracegist.mcp.files import FilesAccount  # noqa: PLC0415

    for path in paths:
        check_readable(path)
    settings = load(config).config
    return FilesAccount(paths, settings, dialect_of(settings, source=source, zone=zone))
