"""A disk that fails or is slow for a process under test: ``disk.c``, compiled where there is a compiler, and its rule."""

from __future__ import annotations

import mmap
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Final

__all__ = ["CALLS", "Disk"]

CALLS: Final = {"open": 1, "write": 2, "sync": 4, "rename": 8, "truncate": 16, "unlink": 32, "mkdir": 64}
_RULE: Final = struct.Struct("<IiQQ4096s")
_HITS: Final = struct.Struct("<Q")


class Disk:
    """Rules what calls of a process do in a folder.

    :param folder: where the library and the rule are put; another than the one that is ruled
    :raises FileNotFoundError: if there is no C compiler
    """

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            message = "no C compiler"
            raise FileNotFoundError(message)
        library, rule = folder / "disk.so", folder / "disk.rule"
        source = Path(__file__).with_name("disk.c")
        command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"]
        subprocess.run(command, check=True, capture_output=True)
        rule.write_bytes(bytes(_RULE.size))
        with rule.open("r+b") as file:
            self._rule = mmap.mmap(file.fileno(), _RULE.size)
        self.environ = {"LD_PRELOAD": str(library), "DISK_RULE": str(rule)}
        """Of the process."""

    def fail(self, folder: Path, call: str, error: int) -> None:
        """Let a call fail in a folder from now on."""
        self.work()
        _RULE.pack_into(self._rule, 0, 0, error, 0, 0, str(folder).encode())
        self._rule[:4] = CALLS[call].to_bytes(4, "little")

    def slow(self, folder: Path, rate: int) -> None:
        """Let a sync take its time: so many bytes a second."""
        _RULE.pack_into(self._rule, 0, 0, 0, 0, rate, str(folder).encode())

    def work(self) -> None:
        """Let everything succeed, at the disk's own speed."""
        _RULE.pack_into(self._rule, 0, 0, 0, 0, 0, b"")

    @property
    def hits(self) -> int:
        """How many calls have failed since :meth:`fail`."""
        found: tuple[int] = _HITS.unpack_from(self._rule, 8)
        return found[0]
