"""The command line: one file a verb, imported when the verb is used; this one puts them together and handles failure.

>>> from tracegist.cli import main
>>> main(["config", "nonsense"])
2
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from tracegist.cli._failure import (
    CLOSED_PIPE,
    EXIT_CODES,
    FAILED,
    INTERRUPTED,
    USAGE,
    discard_output,
    exit_code,
    report,
)
from tracegist.errors import TracegistError

if TYPE_CHECKING:
    from cyclopts import App

__all__ = ["main", "make_app"]

_HELP: Final = """\
tracegist keeps the best account of what happens on a host that fits in N
tokens: what is slow, what fails, what changed, what stopped, and where it comes
from. With paths a verb works on those files alone; without, it asks the daemon."""

_EPILOGUE: Final = f"""\
Examples:
    tracegist summarize traces.jsonl app.log   what is wrong in these files
    journalctl -o json | tracegist summarize - --budget 500
    tracegist run --sample                     a daemon on a bundled recording
    tracegist run                              the daemon itself
    tracegist summarize --window 15m           what the daemon says
    tracegist query --where status=error       what fails, by operation
    tracegist show '#12'                       the raw events behind a statement
    source <(tracegist completion bash)        completion in this shell

{EXIT_CODES}"""

_VERBS: Final = {
    "run": "Run the daemon: read the sources, keep the summary, serve the socket.",
    "summarize": "Say what happened, within a budget of tokens.",
    "query": "Answer a question about what happened, within a budget of tokens.",
    "show": "Print the raw events behind a statement, such as '#12', or a trace.",
    "status": "Say how the daemon is: what it reads, what was lost.",
    "formats": "Say what files are taken for, and what comes of their records.",
    "templates": "Print the template of each log message of a file.",
    "mcp": "Let a language model ask, over the Model Context Protocol.",
    "config": "Check, show and describe the configuration.",
    "completion": "Print the completion script for a shell.",
}


def make_app(verb: str | None = None) -> App:
    """Put the verbs together without importing them: `tracegist --help` has no need of any.

    :param verb: the verb in use, which says more of itself than its line here
    """
    from cyclopts import App  # noqa: PLC0415 - `import tracegist.cli` is for its errors too

    app = App(
        name="tracegist",
        help=_HELP,
        help_epilogue=_EPILOGUE,
        help_formatter="plain",
        help_format="plaintext",
        version=_version,
        suppress_keyboard_interrupt=False,
        result_action="return_value",
    )
    for order, (name, summary) in enumerate(_VERBS.items()):
        is_app = name == "config"
        app.command(
            f"tracegist.cli.{name}:{'app' if is_app else name}",
            name=name,
            help=None if name == verb else summary,
            sort_key=order,
            **({} if is_app else {"help_epilogue": EXIT_CODES}),
        )
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command line and return its exit code; what goes wrong is told in one line on standard error.

    :param arguments: the words after ``tracegist``; None for the process's own
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _carry_out(words)
        sys.stdout.flush()
    except KeyboardInterrupt:
        discard_output()
        return INTERRUPTED
    except BrokenPipeError:
        discard_output()
        return CLOSED_PIPE
    except OSError as error:
        discard_output()
        report(
            f"{error.filename}: {error.strerror}" if error.filename else f"cannot write the output: {error.strerror}"
        )
        return FAILED
    except MemoryError:
        report("out of memory")
        return FAILED
    return code


def _carry_out(words: Sequence[str]) -> int:
    from cyclopts import CycloptsError  # noqa: PLC0415 - `import tracegist.cli` is for its errors too

    verb = _verb(words)
    try:
        code = make_app(verb)(words, exit_on_error=False, print_error=False)
    except TracegistError as error:
        report(error)
        return exit_code(error)
    except CycloptsError as error:
        report(f"{str(error).rstrip('.')}; see: {' '.join(filter(None, ('tracegist', verb, '--help')))}")
        return USAGE
    return code if isinstance(code, int) else 0


def _verb(words: Sequence[str]) -> str:
    return next((word for word in words if word in _VERBS), "")


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    try:
        return version("tracegist")
    except PackageNotFoundError:
        return "unknown (not installed)"
