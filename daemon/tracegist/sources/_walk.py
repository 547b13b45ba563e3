"""The paths that globs match, kept up to date by listing again only the folders that have changed. Blocks."""

from __future__ import annotations

import fnmatch
import glob
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

__all__ = ["Walk"]

_Signature: TypeAlias = tuple[int, int, int]
"""Device, inode and time of the last change (ns) of a folder."""

# A folder's time of change moves in steps of some milliseconds; some file systems have steps of 2 s, none longer ones.
_STEP: Final = 3_000_000_000
_ALL_AGAIN: Final = 12


@dataclass(slots=True)
class _Listing:
    """What is in a folder.

    :param signature: before it was listed; None if it could not be
    :param trusted: whether the signature will differ when there is anything else in it
    """

    signature: _Signature | None
    trusted: bool
    names: list[str]
    folders: list[str]


@dataclass(slots=True, frozen=True)
class _Part:
    """A part of a pattern, between two slashes."""

    text: str
    matches: Callable[[str], object] | None

    @classmethod
    def of(cls, text: str) -> _Part:
        return cls(text, re.compile(fnmatch.translate(text)).match if glob.has_magic(text) else None)

    def select(self, names: Sequence[str]) -> Iterator[str]:
        """Those that match; hidden ones only if the pattern says so, as in a shell."""
        hidden = self.text.startswith(".")
        return (name for name in names if self.matches and (hidden or name[0] != ".") and self.matches(name))


class Walk:
    """Follows absolute patterns through the folders.

    A folder whose time of change is the same has the same names in it. That is not believed within the step of the clock
    it is taken from, and checked once in a while; a device where it turns out to be wrong is not believed again.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = [[_Part.of(text) for text in pattern.split("/")[1:]] for pattern in patterns]
        self._roots = [_root(pattern) for pattern in patterns]
        self.named = frozenset(pattern for pattern in patterns if not glob.has_magic(pattern))
        self.forget()

    def forget(self) -> None:
        """List everything anew the next time."""
        self.paths: list[str] = []
        self.problems: dict[str, str] = {}
        self._listings: dict[str, _Listing] = {}
        self._used: set[str] = set()
        self._unreliable: set[int] = set()
        self._times = 0
        self._walked = False

    @property
    def roots(self) -> Iterator[str]:
        """The folders that are there and that patterns begin in."""
        return (root for root in self._roots if os.path.isdir(root))

    def renew(self) -> bool:
        """Bring :attr:`paths` up to date; tell whether they may be others than before."""
        self._times += 1
        changed = not self._walked
        for folder in list(self._listings):
            changed = self._update(folder, all_again=not self._times % _ALL_AGAIN) or changed
        if not changed:
            return False
        self._used.clear()
        found: dict[str, None] = {}
        for pattern in self._patterns:
            for path in self._expand("", pattern, ()):
                found[path] = None
        self.paths = list(found)
        self._walked = True
        for folder in self._listings.keys() - self._used:
            del self._listings[folder]
            self.problems.pop(folder, None)
        return True

    def _expand(self, folder: str, parts: Sequence[_Part], above: tuple[_Signature, ...]) -> Iterator[str]:
        """Find what matches the parts of a pattern within a folder.

        :param above: the folders that ``**`` has gone through to come here, for links may lead in circles
        """
        part, rest = parts[0], parts[1:]
        if not part.matches:
            path = f"{folder}/{part.text}"
            if rest:
                yield from self._expand(path, rest, ())
            else:
                yield path
            return
        listing = self._list(folder or "/")
        if part.text == "**":
            if listing.signature is None or listing.signature[:2] in [one[:2] for one in above]:
                return
            if rest:
                yield from self._expand(folder, rest, ())
            else:
                yield from (f"{folder}/{name}" for name in listing.names if name[0] != ".")
            for name in listing.folders:
                if name[0] != ".":
                    yield from self._expand(f"{folder}/{name}", parts, (*above, listing.signature))
        elif rest:
            for name in part.select(listing.folders):
                yield from self._expand(f"{folder}/{name}", rest, ())
        else:
            yield from (f"{folder}/{name}" for name in part.select(listing.names))

    def _list(self, folder: str) -> _Listing:
        self._used.add(folder)
        if folder not in self._listings:
            self._listings[folder] = self._read(folder)
        return self._listings[folder]

    def _update(self, folder: str, *, all_again: bool) -> bool:
        """Look whether a folder has changed, and list it again if so; tell whether there is something else in it now."""
        before = self._listings[folder]
        if before.trusted and not all_again and _sign(folder) == before.signature:
            return False
        listing = self._listings[folder] = self._read(folder)
        if (listing.names, listing.folders) == (before.names, before.folders):
            return False
        if before.trusted and before.signature and _sign(folder) == before.signature:
            self._unreliable.add(before.signature[0])
        return True

    def _read(self, folder: str) -> _Listing:
        self.problems.pop(folder, None)
        signature = _sign(folder)
        listing = _Listing(signature, signature is not None, [], [])
        if signature is None:
            return listing
        listing.trusted = time.time_ns() - signature[2] > _STEP and signature[0] not in self._unreliable
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    listing.names.append(entry.name)
                    if entry.is_dir():
                        listing.folders.append(entry.name)
                    elif entry.is_symlink() and not os.path.exists(entry.path):
                        # It may lead to a folder any time, and nothing in this one changes then.
                        listing.trusted = False
        except OSError as error:
            self.problems[folder] = error.strerror or str(error)
            listing.signature, listing.trusted = None, False
        return listing


def _sign(folder: str) -> _Signature | None:
    try:
        stat = os.stat(folder)
    except OSError:
        return None
    return stat.st_dev, stat.st_ino, stat.st_mtime_ns


def _root(pattern: str) -> str:
    folder = os.path.dirname(pattern)
    while glob.has_magic(folder):
        folder = os.path.dirname(folder)
    return folder
