"""``tracegist config check|show|schema``: what the configuration says, and what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from cyclopts import App

from tracegist.cli._failure import EXIT_CODES, report
from tracegist.cli._options import ConfigFile
from tracegist.cli._output import write

__all__ = ["app"]

_EPILOGUE: Final = f"""\
Looked for in this order, and none of them has to exist:
    --config FILE
    $TRACEGIST_CONFIG
    ~/.config/tracegist/tracegist.toml
    /etc/tracegist/tracegist.toml

TRACEGIST_SECTION_KEY overrides key of [section]: TRACEGIST_SUMMARY_BUDGET=2000

{EXIT_CODES}"""

app = App(name="config", help="Check, show and describe the configuration.", help_epilogue=_EPILOGUE)


@app.command
def check(file: Path | None = None, /) -> None:
    """Say what is wrong with a configuration, and where; exit with 5 if anything is.

    Examples:
        tracegist config check /etc/tracegist/tracegist.toml

    :param file: The file; without one, that which a daemon would read.
    """
    from tracegist.config import load  # noqa: PLC0415

    loaded = load(file)
    for note in loaded.notes:
        report(note)
    sources = len(loaded.config.sources)
    write(f"{loaded.file or 'no configuration file, the defaults hold'}: ok, {sources} source{'s' * (sources != 1)}")


@app.command
def show(*, config: ConfigFile = None) -> None:
    """Print the values in force as TOML, and behind each that is no default where it came from.

    Examples:
        tracegist config show > tracegist.toml

    :param config: The file, if not the one that a daemon would read.
    """
    from tracegist.config import load  # noqa: PLC0415
    from tracegist.config import show as shown  # noqa: PLC0415

    write(shown(load(config)))


@app.command
def schema() -> None:
    """Print the JSON Schema of the file, for editors and other programs."""
    from tracegist.config import schema as described  # noqa: PLC0415

    write(json.dumps(described(), indent=2))
