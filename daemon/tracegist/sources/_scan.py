"""What is there: the files that patterns match, each once however many names it has. Blocks: for worker threads."""

from __future__ import annotations

import fnmatch
import glob
import os
import re
import stat as modes
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

__all__ = ["Found", "Key", "Patterns", "Seen", "beside"]

Key: TypeAlias = tuple[int, int]
"""Device and inode."""

_COMPRESSED: Final = (".gz", ".zst", ".xz", ".bz2")


@dataclass(slots=True)
class Seen:
    """A file, with all its names that match."""

    size: int
    mtime: int
    paths: list[str]


@dataclass(slots=True)
class Found:
    """What a scan has found.

    :param files: regular files
    :param problems: paths that cannot be followed, and why
    :param folders: those that patterns begin in and files lie in
    """

    files: dict[Key, Seen] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)


class Patterns:
    """Globs (``**`` for any folders), and patterns of what to leave out.

    :param exclude: matched against the whole path, or against the name alone where there is no slash in it
    """

    def __init__(self, patterns: Sequence[str], exclude: Sequence[str] = ()) -> None:
        self._patterns = tuple(os.path.abspath(os.path.expanduser(pattern)) for pattern in patterns)
        self._names = _any(os.path.basename(pattern) or "*" for pattern in self._patterns)
        self._excludes = bool(exclude)
        self._exclude_paths = _any(pattern for pattern in exclude if "/" in pattern)
        self._exclude_names = _any(pattern for pattern in exclude if "/" not in pattern)

    def may_match(self, path: str) -> bool:
        """Tell whether a path could be one of them, by its name alone."""
        return self._names(os.path.basename(path)) and not self._excluded(path)

    def find(self) -> Found:
        """Look for all of them."""
        found = Found()
        for pattern in self._patterns:
            named = not glob.has_magic(pattern)
            root = _root(pattern)
            if os.path.isdir(root):
                found.folders.add(root)
            paths = [pattern] if named else glob.iglob(pattern, recursive=True)
            for path in paths:
                if not (self._excludes and self._excluded(path)):
                    self._look(path, found, named=named)
        return found

    def _look(self, path: str, found: Found, *, named: bool) -> None:
        try:
            stat = os.stat(path)
        except OSError as error:
            # What a wildcard matched and is gone by now was deleted in between.
            if named or not isinstance(error, FileNotFoundError):
                found.problems[path] = error.strerror or str(error)
            return
        if not modes.S_ISREG(stat.st_mode):
            if named:
                found.problems[path] = "a folder" if modes.S_ISDIR(stat.st_mode) else "not a regular file"
            return
        if path.endswith(_COMPRESSED):
            found.problems[path] = "compressed: not read"
            return
        key = (stat.st_dev, stat.st_ino)
        seen = found.files.get(key)
        if seen is None:
            found.files[key] = Seen(stat.st_size, stat.st_mtime_ns, [path])
        elif path in seen.paths:
            return
        else:
            seen.paths.append(path)
        found.folders.add(path[: path.rindex("/")])

    def _excluded(self, path: str) -> bool:
        return self._exclude_paths(path) or self._exclude_names(os.path.basename(path))


def beside(path: str, inode: int) -> str | None:
    """Look for a file that was renamed where its pattern does not match: under any name in the folder it was in."""
    for folder in {os.path.dirname(path), os.path.dirname(os.path.realpath(path))}:
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.inode() == inode and entry.is_file(follow_symlinks=False):
                        return entry.path
        except OSError:
            continue
    return None


def _root(pattern: str) -> str:
    folder = os.path.dirname(pattern)
    while glob.has_magic(folder):
        folder = os.path.dirname(folder)
    return folder


def _any(patterns: Iterable[str]) -> Callable[[str], bool]:
    joined = "|".join(f"(?:{fnmatch.translate(pattern)})" for pattern in patterns)
    if not joined:
        return lambda _: False
    compiled = re.compile(joined)
    return lambda text: compiled.match(text) is not None
