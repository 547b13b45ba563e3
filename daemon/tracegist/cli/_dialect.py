"""How the files on the command line are written: as a source of the configuration says, as an option says, or as usual."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracegist.cli._failure import Usage
from tracegist.config import Dialect

if TYPE_CHECKING:
    from tracegist.config import Config

__all__ = ["dialect_of"]


def dialect_of(config: Config, *, source: str | None = None, zone: str | None = None) -> Dialect:
    """Find how files are to be read.

    :param source: the name of a source in `config`
    :param zone: the time zone of times that say none, whatever the source says
    :raises Usage: if there is no such source, or no such zone
    """
    found = Dialect()
    if source is not None:
        known = {each.name: each for each in config.sources if isinstance(each, Dialect)}
        if source not in known:
            msg = f'the configuration has no source "{source}" with a format of its own; it has: {", ".join(known)}'
            raise Usage(msg)
        found = known[source]
    if zone is not None:
        found = msgspec.structs.replace(found, zone=zone)
        try:
            found.dialect()
        except ValueError as error:
            raise Usage(str(error)) from None
    return found
