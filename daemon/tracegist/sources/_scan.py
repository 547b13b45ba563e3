"""What is there: the files that patterns match, each once however many names it has. Blocks: for worker threads.

A scan is made of differences, so that thousands of quiet files cost little: folders that have not changed are not listed
again, and each file costs one `stat`, compared in place with what it was.
"""

from __future__ import annotations

import fnmatch
import os
import re
import stat as modes
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from tracegist.sources._walk import Walk

__all__ = ["Found", "Key", "Patterns", "Seen", "around", "beside"]

Key: TypeAlias = tuple[int, int]
"""Device and inode."""

_GONE: Final = (FileNotFoundError, NotADirectoryError)
_MANY: Final = 8
_BELOW: Final = 64


@dataclass(slots=True, eq=False)
class Seen:
    """A file, with all its names that match.

    :param real: the path that the first of them leads to through links; empty if it is the same
    """

    device: int
    inode: int
    size: int
    mtime: int
    paths: list[str]
    real: str = ""

    @property
    def key(self) -> Key:
        """What it is known by."""
        return self.device, self.inode


@dataclass(slots=True)
class Found:
    """What a scan has found. The same object is brought up to date by the next scan.

    :param files: regular files
    :param changed: those that are new, or were written to, or have other names, since the scan before
    :param gone: those that no name leads to any more
    :param problems: paths that cannot be followed, and why
    :param folders: those that patterns begin in and files lie in
    """

    files: dict[Key, Seen] = field(default_factory=dict)
    changed: list[Seen] = field(default_factory=list)
    gone: list[Key] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)


class Patterns:
    """Globs (``**`` for any folders), and patterns of what to leave out.

    :param exclude: matched against the whole path, or against the name alone where there is no slash in it
    """

    def __init__(self, patterns: Sequence[str], exclude: Sequence[str] = ()) -> None:
        absolute = [os.path.abspath(os.path.expanduser(pattern)) for pattern in patterns]
        self._walk = Walk(absolute)
        self._names = _any(os.path.basename(pattern) for pattern in absolute)
        self._exclude_paths = _any(pattern for pattern in exclude if "/" in pattern)
        self._exclude_names = _any(pattern for pattern in exclude if "/" not in pattern)
        self._found = Found()
        # By folder and name, what it led to when it was last looked at, if to a file.
        self._led: dict[str, dict[str, Seen | None]] = {}
        self._real: dict[str, str] = {}

    def may_match(self, path: str) -> bool:
        """Tell whether a path could be one of them, by its name alone."""
        return self._names(os.path.basename(path)) and not self._excluded(path)

    def forget(self) -> None:
        """Find everything anew the next time."""
        self._led, self._found = {}, Found()
        self._walk.forget()

    def find(self) -> Found:
        """Look for all of them."""
        found = self._found
        found.changed, found.gone, found.problems = [], [], {}
        self._real = {}
        moved: dict[Key, Seen] = {}
        if self._walk.renew():
            self._arrange(moved)
        for folder, led in self._led.items():
            with _opened(folder, len(led)) as (prefix, descriptor):
                for name, seen in led.items():
                    try:
                        stat = os.stat(prefix + name, dir_fd=descriptor)
                    except OSError as error:
                        led[name] = None
                        self._miss(f"{folder}/{name}", seen, error, moved)
                        continue
                    if (
                        seen
                        and seen.size == stat.st_size
                        and seen.mtime == stat.st_mtime_ns
                        and seen.inode == stat.st_ino
                        and seen.device == stat.st_dev
                    ):
                        continue
                    led[name] = self._attach(f"{folder}/{name}", seen, stat, moved)
        for key, seen in moved.items():
            if seen.paths:
                found.changed.append(seen)
            else:
                del found.files[key]
                found.gone.append(key)
        found.problems.update(self._walk.problems)
        if moved:
            found.folders = set(self._walk.roots)
            found.folders.update(folder for folder, led in self._led.items() if any(led.values()))
        return found

    def _arrange(self, moved: dict[Key, Seen]) -> None:
        """Take over the paths that there are to be looked at now."""
        before, self._led = self._led, {}
        for path in self._walk.paths:
            if not self._excluded(path):
                folder, _, name = path.rpartition("/")
                self._led.setdefault(folder, {})[name] = before.get(folder, {}).pop(name, None)
        for folder, led in before.items():
            for name, seen in led.items():
                if seen:
                    self._detach(f"{folder}/{name}", seen, moved)

    def _miss(self, path: str, before: Seen | None, error: OSError, moved: dict[Key, Seen]) -> None:
        """Take note that a path leads nowhere."""
        if before:
            self._detach(path, before, moved)
        # What a wildcard matched and is gone by now was deleted in between.
        if path in self._walk.named or not isinstance(error, _GONE):
            self._found.problems[path] = error.strerror or str(error)

    def _attach(self, path: str, before: Seen | None, stat: os.stat_result, moved: dict[Key, Seen]) -> Seen | None:
        """Take note of what a path leads to now."""
        key = (stat.st_dev, stat.st_ino)
        if before and before.key != key:
            self._detach(path, before, moved)
            before = None
        if not modes.S_ISREG(stat.st_mode):
            if path in self._walk.named:
                self._found.problems[path] = "a folder" if modes.S_ISDIR(stat.st_mode) else "not a regular file"
            return None
        seen = before or self._found.files.get(key)
        if seen is None:
            seen = self._found.files[key] = Seen(*key, stat.st_size, stat.st_mtime_ns, [], self._resolve(path))
        seen.size, seen.mtime = stat.st_size, stat.st_mtime_ns
        if not before:
            seen.paths.append(path)
        moved[key] = seen
        return seen

    def _resolve(self, path: str) -> str:
        folder, _, name = path.rpartition("/")
        if os.path.islink(path):
            real = os.path.realpath(path)
        else:
            if folder not in self._real:
                self._real[folder] = os.path.realpath(folder)
            real = os.path.join(self._real[folder], name)
        return real if real != path else ""

    @staticmethod
    def _detach(path: str, seen: Seen, moved: dict[Key, Seen]) -> None:
        seen.paths.remove(path)
        moved[seen.key] = seen

    def _excluded(self, path: str) -> bool:
        return self._exclude_paths(path) or self._exclude_names(os.path.basename(path))


@contextmanager
def _opened(folder: str, names: int) -> Iterator[tuple[str, int | None]]:
    """Open a folder, so that its path need not be followed for every name in it."""
    try:
        descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY) if names >= _MANY else None
    except OSError:
        descriptor = None
    if descriptor is None:
        yield f"{folder}/", None
        return
    try:
        yield "", descriptor
    finally:
        os.close(descriptor)


def beside(path: str, inode: int) -> str | None:
    """Look for a file that was renamed where its pattern does not match: in the folder it was in, and those right below."""
    for folder in around(path):
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.inode() == inode and entry.is_file(follow_symlinks=False):
                        return entry.path
        except OSError:
            continue
    return None


def around(path: str) -> Iterator[str]:
    """The folder of a file, that which a link leads to, and some of those right below, where ``olddir`` may be."""
    folders = dict.fromkeys((os.path.dirname(path), os.path.dirname(os.path.realpath(path))))
    yield from folders
    for folder in folders:
        try:
            with os.scandir(folder) as entries:
                below = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        except OSError:
            continue
        yield from below[:_BELOW]


def _any(patterns: Iterable[str]) -> Callable[[str], bool]:
    joined = "|".join(f"(?:{fnmatch.translate(pattern)})" for pattern in patterns)
    if not joined:
        return lambda _: False
    compiled = re.compile(joined)
    return lambda text: compiled.match(text) is not None
