"""Values of the configuration that are written with a unit: ``"5m"``, ``"256MiB"``, ``"0660"``, ``"/var/log/*.log"``.

Each is a subclass of the plain type that the rest of the program calculates with, so no caller has to convert.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Final, Self

__all__ = ["Address", "Duration", "FileMode", "Pattern", "Size", "absolute"]

_NANOSECONDS: Final = {
    "d": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}
_BYTES: Final = {
    "TiB": 1 << 40,
    "GiB": 1 << 30,
    "MiB": 1 << 20,
    "KiB": 1 << 10,
    "TB": 10**12,
    "GB": 10**9,
    "MB": 10**6,
    "kB": 10**3,
    "B": 1,
}
_BYTES_LOWER: Final = {unit.lower(): count for unit, count in _BYTES.items()}
_DURATION_PART: Final = re.compile(r"\s*([0-9]{1,12})(?:\.([0-9]{1,9}))?(d|h|ms|m|s|us|ns)\s*")
_SIZE: Final = re.compile(r"\s*([0-9]{1,18})\s*([A-Za-z]{0,3})\s*")
_MODE: Final = re.compile(r"(?:0o?)?([0-7]{3})")
_LONGEST: Final = 1 << 63
_HIGHEST_PORT: Final = 65_535
_IPV6: Final = 6


class Duration(int):
    """A length of time in nanoseconds, written ``"5m"``, ``"300s"``, ``"1h30m"`` or ``"1.5s"``.

    >>> Duration.parse("1h30m").seconds
    5400.0
    >>> str(Duration.parse("300s"))
    '5m'
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a duration; every number has a unit: d, h, m, s, ms, us or ns.

        :raises ValueError: if it is written otherwise, or takes longer than 292 years
        """
        total = at = 0
        while at < len(text) and (part := _DURATION_PART.match(text, at)):
            whole, fraction, unit = part.groups()
            total += int(whole) * _NANOSECONDS[unit]
            if fraction:
                total += int(fraction) * _NANOSECONDS[unit] // 10 ** len(fraction)
            at = part.end()
        if not text.strip() or at < len(text):
            msg = f'{text!r} is no duration: write a number and its unit, such as "300s", "5m" or "1h30m"'
            raise ValueError(msg)
        if total >= _LONGEST:
            msg = f"{text!r} is longer than time itself here: at most 292 years"
            raise ValueError(msg)
        return cls(total)

    @property
    def seconds(self) -> float:
        """The same in seconds."""
        return self / 1e9

    def __str__(self) -> str:
        """Write it in the units it was written in, or in shorter ones that say the same."""
        rest, parts = int(self), ""
        for unit, length in _NANOSECONDS.items():
            count, rest = divmod(rest, length)
            parts += f"{count}{unit}" if count else ""
        return parts or "0s"

    def __repr__(self) -> str:
        """Name the type: a bare number would not say its unit."""
        return f"Duration({str(self)!r})"


class Size(int):
    """A number of bytes, written ``"256MiB"``, ``"16 MB"`` or as a plain number.

    >>> int(Size.parse("16MiB"))
    16777216
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str | int) -> Self:
        """Read a size; KiB, MiB, GiB and TiB are powers of 1024, kB, MB, GB and TB of 1000.

        :raises ValueError: if it is written otherwise
        """
        match = _SIZE.fullmatch(str(text))
        unit = _BYTES_LOWER.get((match[2] or "B").lower()) if match else None
        if match is None or unit is None:
            msg = f'{text!r} is no size: write a whole number of bytes, such as 1048576, "16MiB" or "1GB"'
            raise ValueError(msg)
        size = int(match[1]) * unit
        if size >= _LONGEST:
            msg = f"{text!r} is more than 8 EiB"
            raise ValueError(msg)
        return cls(size)

    def __str__(self) -> str:
        """Write it in the largest unit that leaves no fraction."""
        for unit, count in _BYTES.items():
            if self and self % count == 0:
                return f"{self // count}{unit}"
        return "0B"

    def __repr__(self) -> str:
        """Name the type: a bare number would not say its unit."""
        return f"Size({str(self)!r})"


class FileMode(int):
    """Permissions of a file, written in octal as chmod takes them: ``"0660"``.

    >>> FileMode.parse("0660") == 0o660
    True
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read three octal digits, with a zero before them or not.

        :raises ValueError: if it is written otherwise
        """
        match = _MODE.fullmatch(text)
        if match is None:
            msg = f'{text!r} is no file mode: write it in octal, such as "0660"'
            raise ValueError(msg)
        return cls(int(match[1], 8))

    def __str__(self) -> str:
        """Write it as chmod takes it."""
        return f"{int(self):04o}"

    def __repr__(self) -> str:
        """Name the type and write it in octal."""
        return f"FileMode({str(self)!r})"


class Address(str):
    """Where TCP connections are taken: ``"127.0.0.1:4318"``, ``"[::1]:4318"``, or ``"off"`` for nowhere.

    >>> Address.parse("localhost:4318").host
    '127.0.0.1'
    >>> Address.parse("[::1]:4318").port
    4318
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an address and a port: names are not looked up, but for ``localhost``.

        :raises ValueError: if it is written otherwise
        """
        if text == "off":
            return cls(text)
        host, _, port = text.rpartition(":")
        try:
            address = ipaddress.ip_address(
                "127.0.0.1" if host == "localhost" else host.removeprefix("[").removesuffix("]")
            )
            number = int(port) if port.isascii() and port.isdecimal() else -1
        except ValueError:
            number = -1
        if not 0 <= number <= _HIGHEST_PORT:
            msg = f'{text!r} is no address with a port: write it as "127.0.0.1:4318" or "[::1]:4318", or "off"'
            raise ValueError(msg)
        return cls(f"[{address}]:{number}" if address.version == _IPV6 else f"{address}:{number}")

    @property
    def off(self) -> bool:
        """Whether there is none."""
        return self == "off"

    @property
    def host(self) -> str:
        """The IP address."""
        return self.rpartition(":")[0].removeprefix("[").removesuffix("]")

    @property
    def port(self) -> int:
        """The port; 0 lets the system choose one."""
        return int(self.rpartition(":")[2])


class Pattern(str):
    """The absolute path of files, in which ``*``, ``?``, ``[…]`` and ``**`` match as in a shell; ``~`` is the home."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Expand ``~``.

        :raises ValueError: if the path is relative
        """
        return cls(absolute(text))


def absolute(text: str) -> Path:
    """Expand ``~``; a relative path would mean something else in every folder a daemon is started from.

    :raises ValueError: if the path is relative or there is no such home
    """
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:
        msg = f"{text!r}: {error}"
        raise ValueError(msg) from None
    if not path.is_absolute() or "\0" in text:
        msg = f"{text!r} is no absolute path: begin it with / or ~"
        raise ValueError(msg)
    return path
