"""The configuration: a TOML file, environment variables over it, and defaults that need neither.

:func:`load` finds the file, lays the environment over it and gives back a :class:`Loaded`: the frozen :class:`Config`,
the file it came from and the origin of every value. Errors name the file and the path inside it, and guess what was
meant::

    /etc/tracegist/tracegist.toml: $.sources[1].formt: unknown key; did you mean "format"?

``TRACEGIST_SECTION_KEY`` overrides ``key`` of ``[section]``, as ``TRACEGIST_SUMMARY_BUDGET=2000`` does. Sources cannot
be given that way. A program's own defaults can be had without a file:

>>> from tracegist.config import load
>>> load("/dev/null", environ={"HOME": "/home/ann"}).config.summary.budget
1000
"""

from tracegist._config.folders import SYSTEM_CONFIG, SYSTEM_SOCKET, Folders, find_folders
from tracegist._config.load import Loaded, load
from tracegist._config.shape import (
    Config,
    Dialect,
    FieldName,
    Format,
    Journald,
    Limits,
    Log,
    Output,
    Push,
    Server,
    SourceConfig,
    Spool,
    State,
    Stdin,
    Summary,
    Tail,
)
from tracegist._config.show import schema, show
from tracegist._config.units import Address, Duration, FileMode, Pattern, Size

__all__ = [
    "SYSTEM_CONFIG",
    "SYSTEM_SOCKET",
    "Address",
    "Config",
    "Dialect",
    "Duration",
    "FieldName",
    "FileMode",
    "Folders",
    "Format",
    "Journald",
    "Limits",
    "Loaded",
    "Log",
    "Output",
    "Pattern",
    "Push",
    "Server",
    "Size",
    "SourceConfig",
    "Spool",
    "State",
    "Stdin",
    "Summary",
    "Tail",
    "find_folders",
    "load",
    "schema",
    "show",
]
